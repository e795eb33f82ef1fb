"""Query options: what is wanted of events ($select, $expand), which of them, in what order and how many."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from greenroom.simulator.graph import extended
from greenroom.simulator.graph.columns import collections, columns
from greenroom.simulator.graph.errors import bad, unparsable
from greenroom.simulator.graph.filters import MAX_LENGTH, begins_with, parse, tokens
from greenroom.simulator.graph.rendering import PROPERTIES, render

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from greenroom.simulator.graph.call import GraphCall
    from greenroom.simulator.graph.entries import Entry
    from greenroom.simulator.graph.filters import Column, Test
    from greenroom.simulator.model import PropertyTag

DEFAULT_TOP: Final = 10
MAX_TOP: Final = 1000
_MAX_SKIP: Final = 10**9
_OPTIONS: Final = frozenset({"select", "expand", "filter", "orderby", "top", "skip", "count", "format"})
_ELSEWHERE: Final = frozenset({"attachments", "extensions", "calendar", "instances", "multivalueextendedproperties"})
_SELECTABLE: Final = {
    name.lower(): name
    for name in (*PROPERTIES, "cancelledOccurrences", "singleValueExtendedProperties", "exceptionOccurrences")
}
_EXPANSION: Final = re.compile(r"\s*(\w+)\s*")


@dataclass(slots=True)
class Paging:
    """How lists are cut; a test may change it. `at_most` makes pages shorter than callers ask for, as Graph may."""

    at_most: int | None = None


PAGING: Final = Paging()


@dataclass(slots=True)
class Options:
    """The query options of one call, read."""

    select: frozenset[str] | None = None
    tags: tuple[PropertyTag, ...] = ()
    exceptions: Options | None = None  # $expand=exceptionOccurrences, with its own $select and $expand
    test: Test | None = None
    order: list[tuple[Column, bool]] = field(default_factory=list)
    sorted_by: str = ""  # the only property in `order`, where it is sorted by that alone and upwards
    begins: datetime | None = None  # from when on `sorted_by` must be, as far as `test` says so
    top: int | None = None
    skip: int = 0
    count: bool = False

    def render(self, call: GraphCall, entry: Entry) -> dict[str, Any]:
        """An event as these options want it."""
        return render(call, entry, self.select, self.tags)


def given(call: GraphCall) -> dict[str, str]:
    """The query with its names in lower case, those of OData without their "$" (which Graph does not insist on)."""
    return {name.lower().removeprefix("$"): value for name, value in call.query.items()}


def read(call: GraphCall, *, single: bool = False) -> Options:
    """Read the query options; `single` are those of one event. Raises GraphError (400)."""
    for name in call.query:
        if name.startswith("$") and name[1:].lower() not in _OPTIONS:
            raise unparsable(f"The query parameter '{name[:40]}' is not supported.")
    query = given(call)
    options = Options()
    read_select(options, query.get("select"), single=single)
    read_expand(options, query.get("expand"), single=single)
    if query.get("filter"):
        options.test = parse(query["filter"], columns(call), collections(call))
    if query.get("orderby"):
        options.order = _order(call, query["orderby"])
        if len(options.order) == 1 and not options.order[0][1]:
            options.sorted_by = query["orderby"].split()[0]
            options.begins = begins_with(query.get("filter", ""), options.sorted_by)
    if "top" in query:
        options.top = _whole("$top", query["top"], least=1, most=MAX_TOP)
    options.skip = _whole("$skip", query.get("skip", "0"), least=0, most=_MAX_SKIP)
    options.count = query.get("count", "").lower() == "true"
    return options


def _whole(name: str, value: str, *, least: int, most: int) -> int:
    if re.fullmatch(r"\d{1,10}", value, re.ASCII) is None or not least <= int(value) <= most:
        raise bad("ErrorInvalidUrlQuery", f"The value of '{name}' has to be a number from {least} to {most}.")
    return int(value)


def read_select(options: Options, value: str | None, *, single: bool) -> None:
    """Read $select. Raises GraphError (400) for a property that events do not have."""
    if not value:
        return
    chosen = set()
    for name in value.split(","):
        known = _SELECTABLE.get(name.strip().partition("/")[0].lower())
        if known is None and name.strip().lower() not in _ELSEWHERE:
            shown = re.sub(r"[^\w/]", "", name)[:60]
            raise unparsable(f"Could not find a property named '{shown}' on type 'Microsoft.OutlookServices.Event'.")
        chosen.add(known or name.strip())
    if "cancelledOccurrences" in chosen and not single:
        raise bad("ErrorInvalidUrlQuery", "'cancelledOccurrences' can be selected of a single series only.")
    options.select = frozenset(chosen)


def read_expand(options: Options, value: str | None, *, single: bool) -> None:
    """Read $expand. Raises GraphError (400)."""
    for part in split(value or "", ","):
        name, inner = _expansion(part)
        if name == "singlevalueextendedproperties":
            options.tags += _tags(inner.get("filter", ""))
        elif name == "exceptionoccurrences":
            if not single:
                raise bad("ErrorInvalidUrlQuery", "'exceptionOccurrences' can be expanded of a single series only.")
            options.exceptions = Options()
            read_select(options.exceptions, inner.get("select"), single=False)
            read_expand(options.exceptions, inner.get("expand"), single=False)
        elif name not in _ELSEWHERE:
            raise unparsable("Could not find a property to expand on type 'Microsoft.OutlookServices.Event'.")


def _expansion(part: str) -> tuple[str, dict[str, str]]:
    match = _EXPANSION.match(part)
    rest = part[match.end() :].strip() if match is not None else ""
    if match is None or (rest and not (rest.startswith("(") and rest.endswith(")"))):
        raise unparsable("Syntax error in $expand.")
    inner = {}
    for option in split(rest[1:-1], ";"):
        name, sign, value = option.partition("=")
        if not sign or name.strip().lower().lstrip("$") not in _OPTIONS:
            raise unparsable("Syntax error in an option of $expand.")
        inner[name.strip().lower().lstrip("$")] = value.strip()
    return match[1].lower(), inner


def split(text: str, mark: str) -> list[str]:
    """Cut at a mark that stands neither in quotes nor in parentheses. Raises GraphError (400)."""
    if len(text) > MAX_LENGTH:
        raise unparsable("A query option is too long.")
    parts, depth, quoted, begin = [], 0, False, 0
    for position, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == mark and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
        else:
            depth += (letter == "(") - (letter == ")")
    if quoted or depth != 0:
        raise unparsable("Syntax error: a quote or parenthesis is not closed.")
    return [part for part in (*parts, text[begin:]) if part.strip()]


def _tags(expression: str) -> tuple[PropertyTag, ...]:
    """The properties named by "id eq '…' or id eq '…'", which is all that this filter can say."""
    found = tokens(expression)
    if len(found) % 4 != 3:  # noqa: PLR2004 - three for each, and an "or" between them
        raise bad("ErrorInvalidUrlQueryFilter", "Extended properties are expanded by a filter of their ids.")
    tags = []
    for at in range(0, len(found), 4):
        name, sign, value = found[at : at + 3]
        joined = at == 0 or found[at - 1].value.lower() == "or"
        if not joined or name.value.lower() != "id" or sign.value.lower() != "eq" or value.kind != "text":
            raise bad("ErrorInvalidUrlQueryFilter", "Extended properties are expanded by a filter of their ids.")
        tags.append(extended.read_id(value.value[1:-1].replace("''", "'")))
    return tuple(dict.fromkeys(tags))


def _order(call: GraphCall, value: str) -> list[tuple[Column, bool]]:
    known = {name.lower(): column for name, column in columns(call).items()}
    order = []
    for part in value.split(","):
        words = part.split()
        column = known.get(words[0].lower()) if words else None
        direction = words[1].lower() if len(words) > 1 else "asc"
        if column is None or direction not in {"asc", "desc"} or len(words) > 2:  # noqa: PLR2004 - name and direction
            raise bad("ErrorInvalidUrlQueryOrderBy", "The query parameter '$orderby' is invalid.")
        order.append((column, direction == "desc"))
    return order


def page(
    call: GraphCall, entries: Iterable[Entry], options: Options, address: str, *, is_sorted: bool = False
) -> dict[str, Any]:
    """One page of those entries that are wanted, with the link to the next one at this address.

    `is_sorted` says that the entries come in the order that is asked for: then no more of them are looked at than needed.
    """
    wanted = (entry for entry in entries if options.test is None or options.test(entry))
    sizes = [size for size in (options.top, call.prefer.page_size, PAGING.at_most) if size is not None and size > 0]
    size = min([*sizes, MAX_TOP]) if options.top or call.prefer.page_size else min([*sizes, DEFAULT_TOP])
    enough = options.skip + size + 1 if is_sorted and not options.count else None
    chosen = list(islice(wanted, enough))
    for column, backwards in () if is_sorted else reversed(options.order):
        chosen.sort(key=lambda entry: _sortable(column.comparable(entry)), reverse=backwards)
    shown = chosen[options.skip : options.skip + size]
    body: dict[str, Any] = {"@odata.context": f"{call.base}/$metadata#{address}"}
    if options.count:
        body["@odata.count"] = len(chosen)
    body["value"] = [options.render(call, entry) for entry in shown]
    following = options.skip + len(shown)
    if following < len(chosen):
        kept = {name: value for name, value in call.query.items() if name.lower().lstrip("$") != "skip"}
        body["@odata.nextLink"] = link(call, address, {**kept, "$skip": str(following)})
    return body


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0


def link(call: GraphCall, address: str, query: dict[str, str]) -> str:
    """A link to one of our own addresses."""
    return f"{call.base}/{address}?{urlencode(query, quote_via=quote, safe='$')}"
