"""Extended properties: `singleValueExtendedProperties` named as Graph names them, kept where the EWS face keeps them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from greenroom.simulator.ews.mirrored import extended_value
from greenroom.simulator.ews.paths import CLEAN_GOID, GOID
from greenroom.simulator.ews.properties import InHand
from greenroom.simulator.graph.errors import bad
from greenroom.simulator.graph.fields import items, members, text
from greenroom.simulator.model import PropertyTag, PropertyValue

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.graph.entries import Entry

_GUID: Final = r"\{([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}"
_NAMED: Final = re.compile(rf"(\w+)\s+{_GUID}\s+Name\s+(\S.{{0,200}})", re.IGNORECASE)
_NUMBERED: Final = re.compile(rf"(\w+)\s+{_GUID}\s+Id\s+(0x[0-9a-fA-F]{{1,8}}|\d{{1,10}})", re.IGNORECASE)
_TAGGED: Final = re.compile(r"(\w+)\s+(0x[0-9a-fA-F]{1,8})", re.IGNORECASE)
_TYPES: Final = {
    name.lower(): name
    for kind in (
        "ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Float", "Integer", "Long", "Short",
        "String", "SystemTime",
    )
    for name in (kind, kind + "Array")
}  # fmt: skip


def read_id(value: str) -> PropertyTag:
    """Read the id of a property ("String {…} Name Color", "Binary {…} Id 0x23", "String 0x37"). Raises GraphError (400)."""
    match = _NAMED.fullmatch(value) or _NUMBERED.fullmatch(value) or _TAGGED.fullmatch(value)
    kind = _TYPES.get(match[1].lower()) if match is not None else None
    if match is None or kind is None:
        raise bad("ErrorInvalidExtendedProperty", "The id of an extended property is invalid.")
    if match.re is _TAGGED:
        return PropertyTag(kind, tag=int(match[2], 16))
    if match.re is _NUMBERED:
        return PropertyTag(kind, set_id=match[2].lower(), number=int(match[3], 0 if "x" in match[3].lower() else 10))
    return PropertyTag(kind, set_id=match[2].lower(), name=match[3])


def write_id(tag: PropertyTag) -> str:
    """The id of a property as answers name it, whatever case it was asked in."""
    if tag.tag is not None:
        return f"{tag.type} {tag.tag:#x}"
    last = f"Id {tag.number:#x}" if tag.number is not None else f"Name {tag.name}"
    return f"{tag.type} {{{tag.set_id}}} {last}"


def value_of(exchange: Exchange, entry: Entry, tag: PropertyTag) -> str | None:
    """The value of a property of one value; None where the event has none."""
    value = extended_value(InHand(exchange, entry.shown), tag)
    return value if isinstance(value, str) else None


def write(exchange: Exchange, entry: Entry, tags: tuple[PropertyTag, ...]) -> list[dict[str, str]]:
    """The wanted properties that the event has."""
    found = ((tag, value_of(exchange, entry, tag)) for tag in tags)
    return [{"id": write_id(tag), "value": value} for tag, value in found if value is not None]


def read(value: Any, name: str) -> dict[PropertyTag, PropertyValue | None]:
    """Read a collection of properties to be set; a null value removes. Raises GraphError (400)."""
    found: dict[PropertyTag, PropertyValue | None] = {}
    for one in items(value, name):
        parts = members(one, name)
        tag = read_id(text(parts.get("id"), "id"))
        if tag in {GOID, CLEAN_GOID}:
            raise bad("ErrorInvalidPropertySet", "The global object id of an event cannot be set.")
        given = parts.get("value")
        if isinstance(given, list) or tag.type.endswith("Array"):
            found[tag] = tuple(text(part, "value") for part in items(given, "value"))
        else:
            found[tag] = None if given is None else _checked(tag, text(given, "value"))
    return found


def _checked(tag: PropertyTag, value: str) -> str:
    if tag.type == "Binary":
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise bad("ErrorInvalidExtendedPropertyValue", "A binary value is not base64.") from None
    return value
