"""Permanent rooms of people, as an administrator or a directory made them: everything of theirs that is not ours. Pure."""

import re

from greenroom.platforms.contract import PersonalRoom
from greenroom.platforms.pexip.management import Conference

_PIN = re.compile(r"[0-9]+#?", re.ASCII)
_KINDS = frozenset(("conference", "lecture"))
"""Service types people meet in: Virtual Meeting Rooms and Virtual Auditoriums."""


def is_personal(found: Conference, owner: str, tag_prefix: str) -> bool:
    """Whether this is a permanent room of the owner; those that any integration of ours made for a meeting are not."""
    ours = re.fullmatch(rf"{re.escape(tag_prefix)}-[0-9]+-[0-9a-f]{{32}}", found.tag)
    return ours is None and found.service_type in _KINDS and found.owner.casefold() == owner.casefold()


def personal_room(found: Conference) -> PersonalRoom:
    """Say what is known of it. A PIN that is masked counts as not told."""
    texts = [alias.alias for alias in found.aliases]
    numeric = tuple(text for text in texts if text.isascii() and text.isdigit())
    domain = tuple(text for text in texts if "@" in text.strip("@"))
    return PersonalRoom(
        ref=found.uri,
        name=found.name,
        description=found.description,
        domain_aliases=domain,
        other_aliases=tuple(text for text in texts if text not in numeric and text not in domain),
        numeric_aliases=numeric,
        pin=_pin(found.pin),
        guest_pin=_pin(found.guest_pin),
        allow_guests=found.allow_guests,
    )


def _pin(told: str) -> str | None:
    return told if _PIN.fullmatch(told) else None
