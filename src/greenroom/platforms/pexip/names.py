"""What a conference is called at Pexip, where names are unique on the whole platform. Pure.

The name of the schema has at most 250 characters. Where a name belongs to another conference, a short number derived from the
room's mark follows it, as in `Planning (4711)`: the same room tries the same names, whenever it is made. Where policy answers,
too, the first name tried is the one that answers tell: people of one meeting must not sit in two conferences.
"""

import hashlib
import unicodedata

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.pexip.policy.wording import unique_name

LONGEST = 250
_NEUTRAL = "Meeting"
_DIGITS = (4, 6, 9, 15)
_UNSHOWN = frozenset(("Cc", "Cs", "Zl", "Zp"))


def one_line(text: str, longest: int = LONGEST) -> str:
    """Return the text without control characters, half characters and line breaks, cut to a length in characters."""
    shown = "".join(" " if unicodedata.category(sign) in _UNSHOWN else sign for sign in text)
    return " ".join(shown.split())[:longest].rstrip()


def names(spec: RoomSpec, *, policy: bool = False) -> tuple[str, ...]:
    """Return the names a room tries in this order; a nameless one begins with a number, as it has many namesakes.

    `policy`: conferencing nodes are told a name as well, which is the first.
    """
    base = one_line(unique_name(spec) if policy else spec.name)
    numbered = tuple(_numbered(base or _NEUTRAL, spec.mark, digits) for digits in _DIGITS)
    return (base, *numbered) if base else numbered[1:]


def _numbered(base: str, mark: str, digits: int) -> str:
    drawn = int.from_bytes(hashlib.sha256(mark.encode()).digest()[:16], "big")
    low = 10 ** (digits - 1)
    tail = f" ({low + drawn % (9 * low)})"
    return base[: LONGEST - len(tail)].rstrip() + tail
