"""Reading single values of a JSON body. Whatever is of the wrong kind is refused with 400, never passed on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.graph.errors import unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MAX_TEXT: Final = 4_000_000


def members(value: Any, name: str) -> dict[str, Any]:
    """The members of an object, without OData's own ("@odata.type")."""
    if not isinstance(value, dict):
        raise unreadable(f"An object was expected for '{name}'.")
    return {key: one for key, one in value.items() if "@" not in key}


def text(value: Any, name: str) -> str:
    """A text, without the characters that neither XML nor UTF-8 can carry; null is empty."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise unreadable(f"A string was expected for '{name}'.")
    return _NO_TEXT.sub("", value)


def flag(value: Any, name: str) -> bool:
    """A boolean; null is false. python-o365 sends "true" and "false" as texts, and lives with Graph."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise unreadable(f"Cannot convert the value of '{name}' to the expected target type 'Edm.Boolean'.")


def number(value: Any, name: str, *, default: int = 0, most: int = 2**31 - 1) -> int:
    """An Int32; null is the default."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not -most <= value <= most:
        raise unreadable(f"Cannot convert the value of '{name}' to the expected target type 'Edm.Int32'.")
    return value


def items(value: Any, name: str) -> list[Any]:
    """A collection; null is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable(f"A collection was expected for '{name}'.")
    return value


def choice(value: Any, name: str, values: Mapping[str, Any]) -> Any:
    """A member of an enumeration, in any case; `values` are by lower-case name."""
    known = values.get(text(value, name).lower())
    if known is None:
        raise unreadable(f"The value of '{name}' is not a member of its enumeration.")
    return known
