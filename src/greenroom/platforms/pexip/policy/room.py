"""A room as the policy server keeps it in memory: small, because there are very many, and quick to ask the same again."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from sys import intern
from typing import Protocol

from greenroom.meetings.admission import Admission
from greenroom.meetings.alias import Alias
from greenroom.meetings.room import RoomSpec
from greenroom.platforms.pexip.policy.addresses import is_literal, read
from greenroom.platforms.pexip.policy.settings import PolicySettings

KEPT = timedelta(days=7)
"""So long a room that is closed for good is still answered for: its conference may be at Pexip yet, if that is out of reach."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_packed = json.JSONEncoder(separators=(",", ":")).encode  # one text is smaller than five
_NO_TIMES = Admission((), timedelta(), timedelta())


class FeedRoom(Protocol):
    """A room as storage tells it: what was specified, with its admission as text, and the number of its last change."""

    @property
    def integration(self) -> int: ...
    @property
    def mark(self) -> str: ...
    @property
    def alias(self) -> str: ...
    @property
    def numeric(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def host_pin(self) -> str | None: ...
    @property
    def guest_pin(self) -> str | None: ...
    @property
    def admission(self) -> str: ...
    @property
    def closes_at(self) -> datetime | None: ...
    @property
    def retired_at(self) -> datetime | None: ...
    @property
    def former_name(self) -> str | None: ...
    @property
    def renamed_at(self) -> datetime | None: ...
    @property
    def version(self) -> int: ...


class Door(IntEnum):
    """What a caller meets at an instant."""

    EARLY = 0  # before the first window
    OPEN = 1
    OVER = 2  # between two windows, behind the last, or retired


class Room:
    """One room. `hosts` are the domains by which its integration is dialled."""

    __slots__ = (
        "_admission",
        "_door",
        "_since",
        "_texts",
        "_until",
        "alias",
        "closes_at",
        "host",
        "mark",
        "numeric",
        "renamed",
        "retired_at",
        "settings",
        "user",
        "version",
    )

    def __init__(self, told: FeedRoom, settings: PolicySettings) -> None:
        self.settings = settings
        self.mark = told.mark
        self.alias = told.alias
        self.numeric = told.numeric
        dialled = read(told.alias)
        # What nobody can dial is found by nothing: it is no key of the directory.
        self.user, self.host = ("", "") if dialled is None else (dialled.user, intern(dialled.host))
        self.closes_at = told.closes_at
        self.retired_at = told.retired_at
        both = told.former_name is not None and told.renamed_at is not None
        self.renamed = (told.former_name, told.renamed_at) if both else None
        self.version = told.version
        self._texts = _packed((told.name, told.description, told.owner, told.host_pin, told.guest_pin))
        self._admission = told.admission
        self._door = Door.OVER
        self._since = self._until = _NEVER

    @property
    def integration(self) -> int:
        """The number of its integration."""
        return self.settings.pexip.integration

    @property
    def keys(self) -> set[str]:
        """What stands before the @ when it is dialled."""
        numeric = self.numeric
        if not (numeric.isdecimal() and numeric.isascii()):
            dialled = read(numeric)
            numeric = "" if dialled is None or dialled.host else dialled.user
        return {key for key in (self.user, numeric) if key}

    @property
    def spec(self) -> RoomSpec:
        """What was specified, as far as an answer needs it: without times and join page."""
        name, description, owner, host_pin, guest_pin = json.loads(self._texts)
        return RoomSpec(
            mark=self.mark,
            alias=Alias(0, self.alias, self.numeric),
            join_id="",
            name=name,
            description=description,
            owner=owner,
            admission=_NO_TIMES,
            host_pin=host_pin,
            guest_pin=guest_pin,
        )

    def is_dialled_by(self, host: str, hosts: frozenset[str]) -> bool:
        """Whether somebody means this room who dials one of its keys at this host: at none, a node's address, or one of ours."""
        return not host or host == self.host or host in hosts or is_literal(host)

    def door(self, now: datetime, parse: Callable[[str, str], Admission]) -> Door:
        """Return what a caller meets now. The times are read at the first question, and again when the answer may have changed."""
        if self.retired_at is not None:
            return Door.OVER
        if not self._since <= now < self._until:
            admission = parse(self._admission, self.mark)
            is_open, until = admission.state(now)
            self._door = Door.OPEN if is_open else Door.OVER if admission.previous(now) else Door.EARLY
            self._since, self._until = now, until
        return self._door

    def kept_name(self, now: datetime, parse: Callable[[str, str], Admission]) -> str | None:
        """Return the name it had when the open window opened, if it was renamed since: people sit in that conference."""
        if self.renamed is None:
            return None
        name, at = self.renamed
        window = parse(self._admission, self.mark).at(now)
        return name if window is not None and at is not None and window.opens <= at else None

    def is_forgotten(self, before: datetime) -> bool:
        """Whether it was closed for good before this instant."""
        ends: Sequence[datetime | None] = (self.retired_at, self.closes_at)
        return any(end is not None and end < before for end in ends)
