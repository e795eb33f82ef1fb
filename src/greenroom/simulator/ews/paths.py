"""Paths to properties as requests name them: FieldURI, IndexedFieldURI, ExtendedFieldURI."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import children, local, sub, t
from greenroom.simulator.ews.order import FIELD_URIS, FOREIGN_PREFIXES
from greenroom.simulator.model import PropertyTag

if TYPE_CHECKING:
    from lxml import etree

    from greenroom.simulator.model import PropertyValue

MEETING_SET: Final = "6ed8da90-450b-101b-98da-00aa003f1305"
APPOINTMENT_SET: Final = "00062002-0000-0000-c000-000000000046"
_DISTINGUISHED_SETS: Final = {
    "Meeting": MEETING_SET,
    "Appointment": APPOINTMENT_SET,
    "Common": "00062008-0000-0000-c000-000000000046",
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Task": "00062003-0000-0000-c000-000000000046",
    "Sharing": "00062040-0000-0000-c000-000000000046",
}
GOID: Final = PropertyTag("Binary", set_id=MEETING_SET, number=0x3)
CLEAN_GOID: Final = PropertyTag("Binary", set_id=MEETING_SET, number=0x23)


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A property with a name of its own: ``prefix`` as ``calendar``, ``name`` as ``Start``."""

    prefix: str
    name: str


@dataclass(frozen=True, slots=True)
class ExtendedPath:
    """An extended property, and the attributes by which the request named it (they are given back)."""

    tag: PropertyTag
    attributes: tuple[tuple[str, str], ...]


Path = FieldPath | ExtendedPath


def read_path(element: etree._Element) -> Path | None:
    """Read one path; None for an indexed path or one of a kind of items that no mailbox here holds.

    Raises `SoapFault` (ErrorSchemaValidation) for a FieldURI that does not exist.
    """
    kind = local(element)
    if kind == "ExtendedFieldURI":
        return ExtendedPath(_tag(element), tuple((str(k), str(v)) for k, v in element.attrib.items()))
    if kind == "IndexedFieldURI":
        return None
    uri = element.get("FieldURI", "")
    prefix, _, name = uri.partition(":")
    if kind != "FieldURI" or (uri not in FIELD_URIS and prefix not in FOREIGN_PREFIXES):
        raise SoapFault(
            "ErrorSchemaValidation",
            "The request failed schema validation: the 'FieldURI' attribute is invalid according to its datatype.",
            at=element,
        )
    return None if prefix in FOREIGN_PREFIXES else FieldPath(prefix, name)


def read_paths(container: etree._Element | None) -> list[Path]:
    """Read AdditionalProperties."""
    paths = (read_path(child) for child in children(container))
    return [path for path in paths if path is not None]


def _tag(element: etree._Element) -> PropertyTag:
    kind = element.get("PropertyType", "")
    set_id = element.get("PropertySetId")
    distinguished = element.get("DistinguishedPropertySetId")
    if distinguished is not None:
        if distinguished not in _DISTINGUISHED_SETS:
            raise SoapFault("ErrorSchemaValidation", "DistinguishedPropertySetId is invalid.", at=element)
        set_id = _DISTINGUISHED_SETS[distinguished]
    try:
        number = int(element.get("PropertyId", ""), 0) if element.get("PropertyId") else None
        tag = int(element.get("PropertyTag", ""), 0) if element.get("PropertyTag") else None
    except ValueError:
        raise SoapFault("ErrorSchemaValidation", "PropertyId is invalid.", at=element) from None
    name = element.get("PropertyName")
    by_set = set_id is not None and (name is None) != (number is None)
    if not kind or by_set == (tag is not None):
        raise EwsError("ErrorInvalidExtendedProperty", "The combination of extended property attributes is invalid.")
    return PropertyTag(kind, set_id=set_id.lower() if set_id else None, name=name, number=number, tag=tag)


def read_extended(element: etree._Element) -> tuple[PropertyTag, PropertyValue]:
    """Read an ExtendedProperty element. Raises `EwsError` for a value that does not fit its type."""
    uri = element.find(t("ExtendedFieldURI"))
    if uri is None:
        raise SoapFault("ErrorSchemaValidation", "ExtendedProperty lacks its path.", at=element)
    tag = _tag(uri)
    values = element.find(t("Values"))
    if values is not None:
        return tag, tuple(child.text or "" for child in children(values))
    value = element.find(t("Value"))
    text = (value.text or "") if value is not None else ""
    if tag.type == "Binary":
        binary_of(text)
    return tag, text


def binary_of(text: str) -> bytes:
    """Decode the text of a binary value. Raises `EwsError` (ErrorInvalidExtendedPropertyValue)."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise EwsError("ErrorInvalidExtendedPropertyValue", "The binary value is not base64.") from None


def write_extended(parent: etree._Element, path: ExtendedPath, value: PropertyValue) -> None:
    """Append an ExtendedProperty, its path named as the request named it."""
    element = sub(parent, t("ExtendedProperty"))
    sub(element, t("ExtendedFieldURI"), **dict(path.attributes))
    if isinstance(value, str):
        sub(element, t("Value"), value)
        return
    values = sub(element, t("Values"))
    for one in value:
        sub(values, t("Value"), one)
