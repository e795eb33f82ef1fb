"""What an answer says of a room: its name, its texts and its PINs, as Pexip takes them.

The name is what a Conferencing Node knows a conference by. It must be the same whether a caller got in by our answer or, while we
did not answer, by the conference that was made ahead: else the people of one meeting would sit in two. So where an integration
does both, the conference that is made ahead has this name, too.
"""

import re
from typing import NamedTuple

from greenroom.meetings.room import RoomSpec

LONGEST = 250
"""What Pexip takes in a name, a description, a tag, an alias (published schema of `conference` and `conference_alias`)."""

LONGEST_OWNER = 100
"""What it takes in the mail address of an owner."""

_OWNER = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_SPACE = re.compile(r"\s+")


class Pins(NamedTuple):
    """PINs as Pexip takes them. None means that the field is left out; with `allow_guests` there is a host PIN."""

    pin: str | None
    guest_pin: str | None
    allow_guests: bool


def unique_name(spec: RoomSpec) -> str:
    """Return the conference's name: that of the meeting and, in parentheses, the number which callers key in.

    Many meetings have the same subject, and callers to two conferences of one name would meet in one room. No two living rooms
    have the same number, so the name needs no look at the others and stays as long as the alias does.
    """
    number = spec.alias.numeric or spec.alias.name
    said = fitting_text(spec.name, LONGEST - len(number) - 3)
    return f"{said} ({number})" if said else number[:LONGEST]


def fitting_text(text: str, longest: int = LONGEST) -> str:
    """Make one line of a text, without control characters, and not longer than Pexip takes it."""
    return _SPACE.sub(" ", _UNFIT.sub(" ", text)).strip()[: max(longest, 0)].rstrip()


def mail_address(address: str) -> str | None:
    """Leave out what Pexip might not take as a mail address: nobody gets in or stays out by it."""
    return address if len(address) <= LONGEST_OWNER and _OWNER.fullmatch(address) else None


def pins_of(spec: RoomSpec) -> Pins:
    """Return the PINs of a room.

    One PIN that everybody has is Pexip's host PIN, and there are no guests. With a host PIN alone guests come in without one, once
    a host is there.
    """
    host, guest = spec.host_pin or None, spec.guest_pin or None  # Pexip takes no empty one
    return Pins(guest, None, allow_guests=False) if host is None else Pins(host, guest, allow_guests=True)
