"""Global object ids: the one name of a meeting in all mailboxes (MS-OXOCAL 2.2.1.27 and 2.2.1.28).

Layout: 16 bytes class id, 4 bytes original date of an occurrence (year big-endian, month, day; zeros otherwise), 8 bytes
creation time (FILETIME), 8 bytes reserved, 4 bytes size (little-endian), then the data: 16 random bytes, or for a UID that
came from elsewhere "vCal-Uid" 01 00 00 00, the UID, 00.
"""

import struct
from datetime import UTC, date, datetime, timedelta

CLASS_ID = bytes.fromhex("040000008200E00074C5B7101A82E008")
_FOREIGN = b"vCal-Uid\x01\x00\x00\x00"
_FIXED = 40
_DATE = slice(16, 20)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def new_goid(now: datetime, random: bytes) -> bytes:
    """A clean global object id for a meeting made here; `random` is 16 bytes."""
    filetime = (now - _EPOCH) // timedelta(microseconds=1) * 10
    return CLASS_ID + bytes(4) + struct.pack("<Q", filetime) + bytes(8) + struct.pack("<I", len(random)) + random


def from_uid(uid: str) -> bytes:
    """The global object id for an iCalendar UID: the bytes it is the hex of, else the UID wrapped.

    The result is not cleaned: a hex UID of one occurrence keeps its date.
    """
    if uid[:32].upper() == CLASS_ID.hex().upper():
        try:
            raw = bytes.fromhex(uid)
        except ValueError:
            raw = b""
        if len(raw) >= _FIXED and len(raw) == _FIXED + struct.unpack_from("<I", raw, 36)[0]:
            return raw
    data = _FOREIGN + uid.encode() + b"\x00"
    return CLASS_ID + bytes(20) + struct.pack("<I", len(data)) + data


def clean(goid: bytes) -> bytes:
    """The same without the date of an occurrence."""
    return goid[:16] + bytes(4) + goid[20:]


def of_occurrence(clean_goid: bytes, original: date) -> bytes:
    """The global object id of the occurrence that was first meant for this local date."""
    return clean_goid[:16] + struct.pack(">HBB", original.year, original.month, original.day) + clean_goid[20:]


def occurrence_date(goid: bytes) -> date | None:
    """The original date in a global object id, None for a whole meeting."""
    if goid[_DATE] == bytes(4):
        return None
    try:
        return date(*struct.unpack(">HBB", goid[_DATE]))
    except ValueError:
        return None


def uid_of(clean_goid: bytes) -> str:
    """The UID that calendar:UID shows: the foreign text, or the hex of the clean global object id."""
    data = clean_goid[_FIXED:]
    if data.startswith(_FOREIGN):
        return data[len(_FOREIGN) :].removesuffix(b"\x00").decode(errors="replace")
    return clean_goid.hex().upper()
