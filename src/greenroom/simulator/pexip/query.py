"""Filters, order and pages of a list, as Tastypie reads them from the address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from greenroom.simulator.pexip.fields import CONFIGURATION
from greenroom.simulator.pexip.kinds import RELATED
from greenroom.simulator.pexip.refusals import bad_request
from greenroom.simulator.pexip.values import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from greenroom.simulator.pexip.kinds import Field, Resource
    from greenroom.simulator.pexip.options import Options
    from greenroom.simulator.pexip.store import Database

    Params = Sequence[tuple[str, str]]

_NOT_FILTERS: Final = frozenset({"limit", "offset", "order_by", "format"})
_CASES: Final[dict[str, Callable[[str, str], bool]]] = {
    "contains": lambda value, wanted: wanted in value,
    "startswith": lambda value, wanted: value.startswith(wanted),
    "endswith": lambda value, wanted: value.endswith(wanted),
    "exact": lambda value, wanted: value == wanted,
    "regex": lambda value, wanted: re.search(wanted, value) is not None,
}
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
}
LOOKUPS: Final = frozenset({*_CASES, *(f"i{name}" for name in _CASES), *_ORDERS, "in", "isnull"})
_MAX_REGEX: Final = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: the fields on the way to a value, how to compare, with what."""

    path: tuple[Field, ...]
    lookup: str
    wanted: tuple[Any, ...]


def filters_of(resource: Resource, params: Params, options: Options) -> list[Filter]:
    """Read the filters of a list's address. Raises RefusedError (400)."""
    found: dict[str, list[str]] = {}
    for name, value in params:
        if name not in _NOT_FILTERS:
            found.setdefault(name, []).append(value)
    read = []
    for name, values in found.items():
        parts = name.split("__")
        lookup = parts.pop() if len(parts) > 1 and parts[-1] in LOOKUPS else "exact"
        first = resource.by_name.get(parts[0])
        if first is None:
            if options.unknown_filters == "refused":
                raise bad_request(f"The '{parts[0]}' field is not known to '{resource.name}'.")
            continue
        path = _path(resource, first, parts[1:])
        wanted = [part for value in values for part in value.split(",")] if lookup == "in" else values[-1:]
        kind = "boolean" if lookup == "isnull" else path[-1].kind
        text = lookup not in ("exact", "in", "isnull", *_ORDERS)
        read.append(Filter(path, lookup, tuple(one if text else _parsed(kind, one, name) for one in wanted)))
    return read


def _path(resource: Resource, first: Field, rest: list[str]) -> tuple[Field, ...]:
    depth = resource.filtering.get(first.name)
    if depth is None:
        raise bad_request(f"The '{first.name}' field does not allow filtering.")
    path = [first]
    for name in rest:
        target = CONFIGURATION.get(path[-1].points_to or "")
        if depth != RELATED or target is None:
            raise bad_request(f"Lookups are not allowed more than one level deep on the '{first.name}' field.")
        field = target.by_name.get(name)
        if field is None or name not in target.filtering:
            raise bad_request(f"The '{name}' field does not allow filtering.")
        path.append(field)
    return tuple(path)


def _parsed(kind: str, value: str, name: str) -> Any:
    if kind == "boolean":
        if value.lower() not in ("true", "false", "1", "0"):
            raise bad_request(f"Invalid resource lookup data provided (mismatched type) for '{name}'.")
        return value.lower() in ("true", "1")
    if kind == "related":
        return int(value) if value.isascii() and value.isdigit() else value
    if kind == "integer":
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise bad_request(f"Invalid resource lookup data provided (mismatched type) for '{name}'.")
        return int(value)
    if kind == "datetime":
        read = moment_of(value)
        if read is None:
            raise bad_request(f"Invalid resource lookup data provided (mismatched type) for '{name}'.")
        return read
    return value


def matches(row: Mapping[str, Any], filters: Iterable[Filter], database: Database | None) -> bool:
    """Whether a row fulfils all filters."""
    return all(any(_compare(one, value) for value in _values(row, one.path, database)) for one in filters)


def _values(row: Mapping[str, Any], path: tuple[Field, ...], database: Database | None) -> list[Any]:
    field = path[0]
    if field.kind != "related" or database is None:
        if field.name == "scheduled_conferences_count" and database is not None:
            return [len(database.tables["scheduled_conference"].pointing("conference", row["id"]))]
        return [row.get(field.name)]
    table = database.tables.get(field.points_to or "")
    if field.many:
        numbers = table.pointing(field.reverse, row["id"]) if table and field.reverse else row.get(field.name) or ()
    else:
        numbers = () if row[field.name] is None else (row[field.name],)
    if len(path) > 1 and table is not None:
        return [value for number in numbers for value in _values(table.rows[number], path[1:], database)]
    return list(numbers) or [None]


def _compare(one: Filter, value: Any) -> bool:
    if one.lookup == "isnull":
        return (value is None) is one.wanted[0]
    if one.path[-1].kind == "related":
        address = f"/api/admin/configuration/v1/{one.path[-1].points_to}/{value}/"
        return value is not None and (value in one.wanted or address in one.wanted)
    if value is None:
        return False
    if one.lookup in ("exact", "in"):
        return value in one.wanted
    wanted = one.wanted[0]
    if one.lookup in _ORDERS:
        return _ORDERS[one.lookup](value, wanted)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    lookup = one.lookup
    if lookup.startswith("i") and lookup != "in":
        lookup, text, wanted = lookup[1:], text.casefold(), wanted.casefold()
    if lookup == "regex" and len(wanted) > _MAX_REGEX:
        raise bad_request("Invalid resource lookup data provided (regular expression).")
    try:
        return _CASES[lookup](text, wanted)
    except re.error:
        raise bad_request("Invalid resource lookup data provided (regular expression).") from None


def ordered(resource: Resource, rows: list[Any], params: Params) -> list[Any]:
    """Sort rows by ``order_by``, which may be there several times. Raises RefusedError (400)."""
    for wanted in reversed([value for name, value in params if name == "order_by"]):
        name = wanted.removeprefix("-")
        if name not in resource.ordering:
            raise bad_request(f"The '{name}' field does not allow ordering.")
        keys = [(row[name] is not None, row[name]) for row in rows]
        order = sorted(range(len(rows)), key=keys.__getitem__, reverse=wanted.startswith("-"))
        rows = [rows[at] for at in order]
    return rows


def page(path: str, rows: list[Any], params: Params, options: Options) -> tuple[dict[str, Any], list[Any]]:
    """The "meta" of a page, and its rows. Raises RefusedError (400)."""
    asked = dict(params)
    limit = _whole(asked, "limit", options.default_limit)
    offset = _whole(asked, "offset", 0)
    limit = options.max_limit if limit == 0 else min(limit, options.max_limit)
    others = [(name, value) for name, value in params if name not in ("limit", "offset")]

    def link(start: int) -> str:
        return f"{path}?{urlencode([*others, ('limit', limit), ('offset', start)])}"

    meta = {
        "limit": limit,
        "next": link(offset + limit) if offset + limit < len(rows) else None,
        "offset": offset,
        "previous": link(offset - limit) if offset >= limit else None,
        "total_count": len(rows),
    }
    return meta, rows[offset : offset + limit]


def _whole(asked: Mapping[str, str], name: str, default: int) -> int:
    value = asked.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise bad_request(f"Invalid {name} '{value}' provided. Please provide a positive integer >= 0.")
    return int(value)
