"""`$filter`: a small parser that makes a test of an expression.

    expression = and-terms joined by "or"; terms joined by "and"; "not" term; "(" expression ")"; comparison; function;
    collection "/any(" variable ":" expression ")"; a boolean property alone

What an expression may name is given as columns; what a column is compared with is read as its kind of value.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from greenroom.simulator.graph.errors import bad, unparsable
from greenroom.simulator.graph.times import parse as parse_time

if TYPE_CHECKING:
    from datetime import datetime

MAX_LENGTH: Final = 8_000
MAX_DEPTH: Final = 32
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?\d+)"
    r"|(?P<name>[A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*)"
    r"|(?P<mark>[(),:]))",
    re.ASCII,
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}

_TERM: Final = 3

Kind = Literal["text", "exact", "time", "flag", "number"]
Test = Callable[[Any], bool]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """A property that can be filtered and sorted by. `exact` texts are compared with their case, others without."""

    kind: Kind
    value: Callable[[Any], Any]
    literal: Callable[[str], str] | None = None  # how a text in an expression is read

    def comparable(self, thing: Any) -> Any:
        """The value of a thing as it is compared; None where it has none."""
        value = self.value(thing)
        return value.casefold() if self.kind == "text" and value is not None else value


@dataclass(frozen=True, slots=True)
class Collection:
    """A property with many values, for `any`: the columns of one of them, and how to list a thing's values.

    `values` is told the texts that the expression compares with, for collections that are endless.
    """

    columns: dict[str, Column]
    values: Callable[[Any, tuple[str, ...]], list[Any]]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str


def complaint(what: str = "The query filter contains one or more invalid nodes.") -> Exception:
    """The refusal of a filter that can be read but not answered."""
    return bad("ErrorInvalidUrlQueryFilter", what)


def tokens(expression: str) -> list[_Token]:
    """Cut an expression up. Raises GraphError (400)."""
    if len(expression) > MAX_LENGTH:
        raise complaint("The query filter is too long.")
    found: list[_Token] = []
    position = 0
    expression = expression.rstrip()
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None or match.lastgroup is None:
            raise unparsable(f"Syntax error: character is not valid at position {position} of the filter.")
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


def parse(expression: str, columns: dict[str, Column], collections: dict[str, Collection] | None = None) -> Test:
    """A test of things by an expression. Raises GraphError (400) for what cannot be read or is unknown."""
    parser = _Parser(tokens(expression), columns, collections or {})
    test = parser.either(0)
    parser.end()
    return test


def begins_with(expression: str, name: str) -> datetime | None:
    """The moment from which a property must be in whatever this filter lets through, where it says so in its first term.

    That spares looking at everything before in a list that is sorted by it. Raises GraphError (400) as `parse` does.
    """
    found = tokens(expression)
    said = [one.value.lower() for one in found]
    depth, joins = 0, set()
    for one in said:
        depth += (one == "(") - (one == ")")
        if depth == 0:
            joins.add(one)
    if said[:2] != [name.lower(), "ge"] or len(said) < _TERM or said[_TERM : _TERM + 1] not in ([], ["and"]):
        return None
    return None if "or" in joins else parse_time(found[2].value.strip("'"))


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, found: list[_Token], columns: dict[str, Column], collections: dict[str, Collection]) -> None:
        self._tokens = found
        self._next = 0
        self._columns = {name.lower(): column for name, column in columns.items()}
        self._collections = {name.lower(): collection for name, collection in collections.items()}
        self.texts: list[str] = []

    def peek(self, value: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next].value.lower() == value

    def take(self) -> _Token:
        if self._next >= len(self._tokens):
            raise unparsable("Syntax error: the filter ends too early.")
        self._next += 1
        return self._tokens[self._next - 1]

    def expect(self, value: str) -> None:
        if self.take().value != value:
            raise unparsable(f"Syntax error: '{value}' was expected in the filter.")

    def end(self) -> None:
        if self._next < len(self._tokens):
            raise unparsable("Syntax error: something follows the end of the filter.")

    def either(self, depth: int) -> Test:
        parts = [self.both(depth)]
        while self.peek("or"):
            self.take()
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else lambda thing: any(part(thing) for part in parts)

    def both(self, depth: int) -> Test:
        parts = [self.term(depth)]
        while self.peek("and"):
            self.take()
            parts.append(self.term(depth))
        return parts[0] if len(parts) == 1 else lambda thing: all(part(thing) for part in parts)

    def term(self, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise complaint("The query filter is nested too deep.")
        token = self.take()
        if token.value == "(":
            inside = self.either(depth + 1)
            self.expect(")")
            return inside
        if token.kind != "name":
            raise unparsable("Syntax error: a property was expected in the filter.")
        name = token.value.lower()
        if name == "not":
            inverse = self.term(depth + 1)
            return lambda thing: not inverse(thing)
        if name in _FUNCTIONS and self.peek("("):
            return self.function(_FUNCTIONS[name])
        if name.endswith("/any") and self.peek("("):
            return self.any_of(name.removesuffix("/any"), depth)
        return self.comparison(self.column(name))

    def column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            raise complaint()
        return column

    def function(self, work: Callable[[str, str], bool]) -> Test:
        self.expect("(")
        column = self.column(self.take().value.lower())
        self.expect(",")
        wanted = self.literal(column, self.take())
        self.expect(")")
        if column.kind not in {"text", "exact"} or wanted is None:
            raise complaint()
        return lambda thing: work(column.comparable(thing) or "", wanted)

    def comparison(self, column: Column) -> Test:
        sign = self._tokens[self._next].value.lower() if self._next < len(self._tokens) else ""
        if sign not in _COMPARE:
            if column.kind == "flag" and sign in {"", "and", "or", ")"}:
                return lambda thing: bool(column.value(thing))
            raise unparsable("Syntax error: a comparison was expected in the filter.")
        self.take()
        compare, wanted = _COMPARE[sign], self.literal(column, self.take())

        def test(thing: Any) -> bool:
            value = column.comparable(thing)
            if value is None or wanted is None:
                return (value is wanted) if compare is operator.eq else compare is operator.ne and value is not wanted
            return compare(value, wanted)

        return test

    def literal(self, column: Column, token: _Token) -> Any:
        if token.value == "null":
            return None
        said = token.value[1:-1].replace("''", "'") if token.kind == "text" else token.value
        if column.kind == "time":
            moment = parse_time(said) if token.kind in {"text", "time"} else None
            if moment is None:
                raise complaint("The query filter compares a time with something else.")
            return moment
        if column.kind == "flag" and token.value.lower() in {"true", "false"}:
            return token.value.lower() == "true"
        if column.kind == "number" and token.kind == "number":
            return int(said[:18])
        if column.kind in {"text", "exact"} and token.kind == "text":
            self.texts.append(said)
            said = said if column.literal is None else column.literal(said)
            return said.casefold() if column.kind == "text" else said
        raise complaint("The query filter compares a property with a value of another type.")

    def any_of(self, name: str, depth: int) -> Test:
        collection = self._collections.get(name)
        if collection is None:
            raise complaint()
        self.expect("(")
        variable = self.take().value.lower()
        self.expect(":")
        columns = {f"{variable}/{key}" if key else variable: one for key, one in collection.columns.items()}
        inner = _Parser(self._tokens, columns, {})
        inner._next = self._next
        test = inner.either(depth + 1)
        self._next = inner._next
        self.expect(")")
        texts = tuple(inner.texts)
        return lambda thing: any(test(one) for one in collection.values(thing, texts))
