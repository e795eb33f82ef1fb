"""Item ids, folder ids, change keys: opaque base64 texts of the length Exchange gives them, unique by counters.

An id names the mailbox it was made in (as Exchange's do), so that the owner can be told from the id alone.
"""

import base64
import binascii
import hashlib
import struct
import uuid
from datetime import date

_NAMESPACE = uuid.UUID("6b1d1f0e-5a55-4b7c-9d0e-9b7f3f1c2d10")
_HEAD = b"\x00\x03\x24\x00"
_IMMUTABLE_HEAD = b"\x00\x09\x24\x00"
_ITEM_SIZE = 114  # 152 characters of base64
_FOLDER_SIZE = 90  # 120 characters
_OCCURRENCE_MARK = b"O"
_DAY = struct.Struct(">HBB")
_OCCURRENCE_SIZE = _ITEM_SIZE + len(_OCCURRENCE_MARK) + _DAY.size
_GUID = slice(4, 40)
_MAX_ID = 512
_COUNTER_FROM_END = 10


def mailbox_guid(address: str) -> str:
    """The mailbox GUID that stands in all ids of a mailbox, always the same for an address."""
    return str(uuid.uuid5(_NAMESPACE, address))


def _encode(guid: str, kind: bytes, counter: int, size: int, *, start: bytes = _HEAD) -> str:
    head = start + guid.encode() + b"\x00\x46"
    filler = hashlib.sha256(guid.encode() + kind).digest()
    tail = kind + struct.pack(">Q", counter) + b"\x00\x00"
    middle = (filler * 3)[: size - len(head) - len(tail)]
    return base64.b64encode(head + middle + tail).decode()


def item_id(guid: str, counter: int) -> str:
    """The id of the counter-th item of a mailbox."""
    return _encode(guid, b"I", counter, _ITEM_SIZE)


def immutable_of(first_id: str) -> str:
    """The immutable id (Graph `Prefer: IdType="ImmutableId"`) of the item that was made with this id."""
    raw = base64.b64decode(first_id)
    (counter,) = struct.unpack_from(">Q", raw, _ITEM_SIZE - _COUNTER_FROM_END)
    return _encode(raw[_GUID].decode(), b"M", counter, _ITEM_SIZE, start=_IMMUTABLE_HEAD)


def occurrence_id(series_id: str, day: date) -> str:
    """The id of one occurrence of a series; `day` is the local date it was first meant for."""
    raw = base64.b64decode(series_id)
    return base64.b64encode(raw + _OCCURRENCE_MARK + _DAY.pack(day.year, day.month, day.day)).decode()


def split_occurrence(id_: str) -> tuple[str, date | None]:
    """Take an id apart: of the item, and the date of an occurrence. An id that is none of an occurrence comes back as it is."""
    if guid_of(id_) is None:
        return id_, None
    raw = base64.b64decode(id_)
    if len(raw) != _OCCURRENCE_SIZE or raw[_ITEM_SIZE : -_DAY.size] != _OCCURRENCE_MARK:
        return id_, None
    try:
        return base64.b64encode(raw[:_ITEM_SIZE]).decode(), date(*_DAY.unpack(raw[-_DAY.size :]))
    except ValueError:
        return id_, None


def folder_id(guid: str, number: int) -> str:
    """The id of a folder of a mailbox."""
    return _encode(guid, b"F", number, _FOLDER_SIZE)


def change_key(counter: int, *, kind: bytes = b"\x0f") -> str:
    """A change key; a higher counter is a later one."""
    return base64.b64encode(b"\x44\x57\x00\x00\x00" + kind + b"\x00\x00" + struct.pack(">I", counter)).decode()


def subscription_id(guid: str, counter: int) -> str:
    """The id of a subscription."""
    return base64.b64encode(b"\x0e\x00exchange-in-a-box\x10" + guid.encode() + struct.pack(">I", counter)).decode()


def guid_of(id_: str) -> str | None:
    """The mailbox GUID inside an item or folder id; None for anything that is no id of ours."""
    if len(id_) > _MAX_ID:
        return None
    try:
        raw = base64.b64decode(id_, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) not in {_ITEM_SIZE, _FOLDER_SIZE, _OCCURRENCE_SIZE} or not raw.startswith((_HEAD, _IMMUTABLE_HEAD)):
        return None
    try:
        return raw[_GUID].decode("ascii")
    except UnicodeDecodeError:
        return None
