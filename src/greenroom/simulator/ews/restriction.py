"""Restrictions and sort orders of FindItem, as functions over items."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.ews.errors import EwsError
from greenroom.simulator.ews.items import value_at
from greenroom.simulator.ews.names import children, local, t, words
from greenroom.simulator.ews.paths import CLEAN_GOID, ExtendedPath, Path, binary_of, read_path
from greenroom.simulator.ews.zones import local_time

if TYPE_CHECKING:
    from lxml import etree

    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Item

Test = Callable[["Item"], bool]

MAX_DEPTH: Final = 32
_DATES: Final = frozenset(
    words("""Start End OriginalStart RecurrenceId DateTimeStamp DateTimeReceived DateTimeSent DateTimeCreated LastModifiedTime
    AppointmentReplyTime""")
)
_NUMBERS: Final = frozenset(words("Size AppointmentSequenceNumber AppointmentState ConferenceType"))
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "IsEqualTo": operator.eq,
    "IsNotEqualTo": operator.ne,
    "IsGreaterThan": operator.gt,
    "IsGreaterThanOrEqualTo": operator.ge,
    "IsLessThan": operator.lt,
    "IsLessThanOrEqualTo": operator.le,
}


class Restrictions:
    """Reads the restrictions of one request; ``zone`` is meant where a date has no offset."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def read(self, element: etree._Element | None) -> Test:
        """Read a Restriction element; no element lets everything through. Raises `EwsError` for what cannot be compared."""
        expression = next(children(element), None)
        return (lambda _: True) if expression is None else self._expression(expression, 0)

    def _expression(self, element: etree._Element, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise EwsError("ErrorRestrictionTooComplex")
        name = local(element)
        if name in ("And", "Or"):
            parts = [self._expression(child, depth + 1) for child in children(element)]
            return (lambda i: all(p(i) for p in parts)) if name == "And" else (lambda i: any(p(i) for p in parts))
        if name == "Not":
            inner = self._expression(next(children(element)), depth + 1)
            return lambda item: not inner(item)
        parts_of = list(children(element))
        path = read_path(parts_of[0]) if parts_of else None
        if path is None:
            raise EwsError("ErrorUnsupportedPathForQuery")
        if name == "Exists":
            return lambda item: self._value(item, path) not in (None, "")
        if name == "Contains":
            return self._contains(element, path)
        if name in _COMPARE:
            return self._compare(_COMPARE[name], path, element.find(t("FieldURIOrConstant")))
        raise EwsError("ErrorUnsupportedQueryFilter", "This kind of restriction is not supported.")

    def _compare(self, compare: Callable[[Any, Any], bool], path: Path, other: etree._Element | None) -> Test:
        operand = next(children(other), None)
        if operand is None:
            raise EwsError("ErrorInvalidRestriction")
        if local(operand) == "Constant":
            constant = _typed(path, operand.get("Value", ""))
            right: Callable[[Item], Any] = lambda _: constant  # noqa: E731 - one of two ways to get the other side
        else:
            other_path = read_path(operand)
            if other_path is None:
                raise EwsError("ErrorUnsupportedPathForQuery")
            right = lambda item: self.typed_value(item, other_path)  # noqa: E731

        def test(item: Item) -> bool:
            one, two = self.typed_value(item, path), right(item)
            if one is None or two is None:
                return compare is operator.ne and one is not two
            return bool(compare(one, two))

        return test

    def _contains(self, element: etree._Element, path: Path) -> Test:
        constant = element.find(t("Constant"))
        if constant is None:
            raise EwsError("ErrorInvalidRestriction")
        mode = element.get("ContainmentMode", "FullString")
        exact = element.get("ContainmentComparison", "Exact") == "Exact"
        wanted = constant.get("Value", "") if exact else constant.get("Value", "").casefold()
        if mode == "FullString":
            match: Callable[[str], bool] = lambda text: text == wanted  # noqa: E731 - chosen once, used for every item
        elif mode == "Prefixed":
            match = lambda text: text.startswith(wanted)  # noqa: E731
        elif mode == "Substring":
            match = lambda text: wanted in text  # noqa: E731
        else:
            match = lambda text: any(word.startswith(wanted) for word in text.split())  # noqa: E731

        def test(item: Item) -> bool:
            value = self._value(item, path)
            texts = (value,) if isinstance(value, str) else value or ()
            return any(match(text if exact else text.casefold()) for text in texts)

        return test

    def _value(self, item: Item, path: Path) -> Any:
        try:
            return value_at(self._exchange, item, path)
        except LookupError:
            raise EwsError("ErrorUnsupportedPathForQuery") from None

    def typed_value(self, item: Item, path: Path) -> Any:
        """The value of a property as something that can be compared and sorted; None where there is none."""
        value = self._value(item, path)
        return value if value is None or not isinstance(value, str) else _typed(path, value)

    def sorter(self, order: etree._Element | None) -> Callable[[list[Item]], list[Item]]:
        """Read a SortOrder: the function that puts items in that order."""
        keys: list[tuple[Path, bool]] = []
        for field_order in children(order):
            path = read_path(next(children(field_order)))
            if path is None:
                raise EwsError("ErrorUnsupportedPathForSortGroup")
            keys.append((path, field_order.get("Order") == "Descending"))

        def arrange(items: list[Item]) -> list[Item]:
            for path, descending in reversed(keys):
                items = sorted(items, key=partial(self._sort_key, path), reverse=descending)
            return items

        return arrange

    def _sort_key(self, path: Path, item: Item) -> tuple[bool, Any]:
        value = self.typed_value(item, path)
        return (value is not None, value if value is not None else 0)


def goid_of(restriction: etree._Element | None) -> bytes | None:
    """The clean global object id that a restriction asks for, if it asks for nothing else: what has it need not be searched for."""
    expression = next(children(restriction), None)
    if expression is None or local(expression) != "IsEqualTo":
        return None
    parts = list(children(expression))
    path = read_path(parts[0])
    constant = expression.find(f"{t('FieldURIOrConstant')}/{t('Constant')}")
    if not isinstance(path, ExtendedPath) or path.tag != CLEAN_GOID or constant is None:
        return None
    return binary_of(constant.get("Value", ""))


def _typed(path: Path, text: str) -> Any:
    kind = path.tag.type if isinstance(path, ExtendedPath) else path.name
    try:
        if kind in _DATES or kind == "SystemTime":
            return local_time(text, None)
        if kind in _NUMBERS or kind in ("Integer", "Long", "Short"):
            return int(text)
    except (ValueError, OverflowError):
        raise EwsError("ErrorInvalidRestriction", "A constant does not fit the property it is compared with.") from None
    if kind == "Binary":
        return binary_of(text)
    folded = text.strip().casefold()
    if kind.startswith(("Is", "Has")) or kind == "Boolean":
        return folded in ("true", "1")
    return folded
