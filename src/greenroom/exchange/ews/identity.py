"""Which meeting an item is, from its extended properties and its UID.

Source: MS-OXOCAL 2.2.1.27 PidLidGlobalObjectId (0x3, with the date of an occurrence in bytes 16 to 19) and 2.2.1.28
PidLidCleanGlobalObjectId (0x23), both in PSETID_Meeting; EWS reference, ExtendedFieldURI.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from datetime import date

from greenroom.exchange.ews.markup import Element, child, children, text_of, types
from greenroom.meetings.meeting import MeetingKey

_MEETING = "6ed8da90-450b-101b-98da-00aa003f1305"
_APPOINTMENT = "00062002-0000-0000-c000-000000000046"
_SETS = {"meeting": _MEETING, "appointment": _APPOINTMENT}

GLOBAL_OBJECT_ID = (_MEETING, 0x3)
CLEAN_GLOBAL_OBJECT_ID = (_MEETING, 0x23)
SEQUENCE = (_APPOINTMENT, 0x8201)

Extended = dict[tuple[str, int], str]

_CLASS_ID = bytes.fromhex("040000008200E00074C5B7101A82E008")
_HEAD = 40
_DATE = slice(16, 20)
_LONGEST = 8192
_SHORTEST = 16
_LONGEST_UID = 2000


def extended_field(prop: tuple[str, int], kind: str = "Binary") -> Element:
    """Name an extended property in a shape or a restriction."""
    return types("ExtendedFieldURI", PropertySetId=prop[0], PropertyId=str(prop[1]), PropertyType=kind)


def extended(item: Element) -> Extended:
    """Collect the extended properties of an item by set and number; numbers may be decimal or hexadecimal."""
    found: Extended = {}
    for prop in children(item, "ExtendedProperty"):
        field = child(prop, "ExtendedFieldURI")
        if field is None:
            continue
        named = (field.get("DistinguishedPropertySetId") or "").lower()
        guid = (field.get("PropertySetId") or _SETS.get(named, "")).lower()
        try:
            ident = int(field.get("PropertyId") or "", 0)
        except ValueError:
            continue
        found.setdefault((guid, ident), text_of(prop, "Value"))
    return found


def key_of(properties: Extended, uid: str = "") -> MeetingKey | None:
    """Return the key of the whole meeting: 0x23, else 0x3 cleaned, else the UID; None when there is none that is whole.

    Of one occurrence it is the key of its series; `occurrence_day` tells which one it is.
    """
    for prop in (CLEAN_GLOBAL_OBJECT_ID, GLOBAL_OBJECT_ID):
        if raw := _global_object_id(properties, prop):
            return MeetingKey.of_global_object_id(raw)
    return MeetingKey.of_uid(uid) if uid.strip() and len(uid) <= _LONGEST_UID else None


def is_occurrence(properties: Extended, uid: str = "") -> bool | None:
    """Whether the global object id holds the date of one occurrence; None when it cannot be told."""
    date_ = _date(properties, uid)
    return None if date_ is None else any(date_)


def occurrence_day(properties: Extended, uid: str = "") -> date | None:
    """Return the day the occurrence was first meant for, in the zone of its series; None where the id holds none.

    Lists of items cut long ids, but behind the date.
    """
    date_ = _date(properties, uid) or b""
    try:
        return date(int.from_bytes(date_[:2], "big"), date_[2], date_[3]) if any(date_) else None
    except ValueError:
        return None


def _date(properties: Extended, uid: str) -> bytes | None:
    """Return bytes 16 to 19 of the global object id; empty for a UID that has no place for them."""
    raw = _decoded(properties, GLOBAL_OBJECT_ID)
    if len(raw) < _DATE.stop:
        if not uid.strip():
            return None
        try:
            raw = bytes.fromhex(uid.strip()[: 2 * _HEAD])
        except ValueError:
            return b""
    return raw[_DATE] if raw.startswith(_CLASS_ID) and len(raw) >= _DATE.stop else b""


def _global_object_id(properties: Extended, prop: tuple[str, int]) -> bytes | None:
    raw = _decoded(properties, prop)
    if len(raw) < _SHORTEST:
        return None
    if raw.startswith(_CLASS_ID) and len(raw) >= _HEAD and len(raw) < _HEAD + int.from_bytes(raw[36:40], "little"):
        return None  # cut short: lists of items give the first bytes only
    return raw


def _decoded(properties: Extended, prop: tuple[str, int]) -> bytes:
    text = properties.get(prop, "")
    try:
        return b64decode(text) if len(text) <= _LONGEST else b""
    except (binascii.Error, ValueError):
        return b""


def names(text: str) -> tuple[str, ...]:
    """Split a list of property names written as text."""
    return tuple(text.split())


def fields(uris: Iterable[str]) -> Iterable[Element]:
    """Name properties of the schema in a shape."""
    return (types("FieldURI", FieldURI=uri) for uri in uris)
