"""What the binary rule of a series tells before its exceptions are asked for: whether it has any.

Lists of events do not show what differs from a series, and asking each master costs a request. The rule as Outlook keeps it
(PidLidAppointmentRecur) does travel with a list, and counts the days that were moved or taken out.
Source: MS-OXOCAL 2.2.1.44.1 (RecurrencePattern), 2.2.1.44.5 (AppointmentRecurrencePattern).
"""

import binascii
import struct
from base64 import b64decode

from greenroom.exchange.graph.events import APPOINTMENT_SET

RULE = f"Binary {{{APPOINTMENT_SET}}} Id 0x8216"

_VERSION = 0x3004
_HEAD = struct.Struct("<HHHHH")
_SPECIFIC = 22
_LENGTHS = {0x0: 0, 0x1: 4, 0x2: 4, 0x3: 8, 0x4: 4, 0xA: 4, 0xB: 8, 0xC: 4}
"""How long the part is that depends on the kind of pattern."""
_BEFORE_COUNTS = 12
_COUNTS = struct.Struct("<II")


def is_unbroken(text: str) -> bool:
    """Whether a rule (base64) says that no occurrence was moved or taken out; False where it says nothing that is certain."""
    try:
        data = b64decode(text, validate=True)
        version, _, _, kind, _ = _HEAD.unpack_from(data)
        gone, moved = _COUNTS.unpack_from(data, _SPECIFIC + _LENGTHS[kind] + _BEFORE_COUNTS)
    except (binascii.Error, ValueError, struct.error, KeyError):
        return False
    return bool(version == _VERSION and gone == moved == 0)
