"""What another scheduling product keeps of its meetings, as values: aliases it gave out, rooms they lead to, when those are used.

`Legacy` is all of it at one time, and finds the alias of a meeting: by the id of its calendar item, else by the token in its text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from greenroom.meetings.meeting import MeetingKey


@dataclass(frozen=True, slots=True)
class LegacyAlias:
    """An alias that was given out, with its token's `uuid`. `owner` is the connector it belongs to; `ref`s are addresses there.

    `used` says that a room was made for it once; `deleted_at` when that was removed. `key` is that of the meeting it is bound to.
    """

    ref: str
    uuid: str
    name: str
    numeric: str
    owner: str = ""
    used: bool = False
    key: MeetingKey | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LegacyRoom:
    """A room on the platform. `aliases` are what people dial, lower case.

    `mark` is ours if it carries one, `claimed` says that somebody else's mark is on it, and `dialled` is false for what is no room
    to meet in, such as a gateway.
    """

    ref: str
    aliases: frozenset[str]
    mark: str | None = None
    claimed: bool = False
    dialled: bool = True


@dataclass(frozen=True, slots=True)
class LegacyUse:
    """A time for which a room was made: one occurrence, or (without `end`) a series that still goes on."""

    room: str
    alias: str | None = None
    key: MeetingKey | None = None
    end: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether it is past."""
        return self.end is not None and self.end <= now


@dataclass(frozen=True, slots=True)
class LegacyConnector:
    """How the other product watches one mailbox. Minutes are whole, `theme` and `identity_provider_group` are names.

    `templates` are its texts that are not empty, by their names, with their lengths.
    """

    ref: str
    name: str
    mailbox: str
    prefix: str = ""
    digits: int = 6
    domain: str = ""
    before: int = 30
    after: int = 60
    theme: str | None = None
    identity_provider_group: str | None = None
    non_idp_participants: str | None = None
    rooms_enabled: bool = True
    templates: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Legacy:
    """All that the other product keeps. `odd` counts the objects that could not be understood."""

    connectors: tuple[LegacyConnector, ...] = ()
    aliases: tuple[LegacyAlias, ...] = ()
    rooms: tuple[LegacyRoom, ...] = ()
    uses: tuple[LegacyUse, ...] = ()
    odd: int = 0

    def watching(self, mailbox: str) -> tuple[LegacyConnector, ...]:
        """Return the connectors that watch this mailbox (lower case)."""
        return tuple(one for one in self.connectors if one.mailbox == mailbox)

    def of_uuid(self, uuid: str) -> LegacyAlias | None:
        """Return the alias a token names."""
        return self._by_uuid.get(uuid)

    def of_meeting(self, key: MeetingKey) -> tuple[LegacyAlias, ...]:
        """Return the aliases bound to a meeting, or to the series it is an occurrence of."""
        return self._by_key.get(key.clean, ())

    def rooms_at(self, *dials: str) -> tuple[LegacyRoom, ...]:
        """Return the rooms that these lead to, each once: an alias and its numeric form should lead to one."""
        found = (self._by_dial.get(dial.lower()) for dial in dials)
        return tuple({one.ref: one for one in found if one is not None}.values())

    def is_scheduled(self, room: LegacyRoom) -> bool:
        """Whether the product made this room for a meeting; others are permanent."""
        return room.ref in self._uses

    def uses_of(self, alias: LegacyAlias, rooms: Iterable[LegacyRoom]) -> tuple[LegacyUse, ...]:
        """Return when the alias, or one of these rooms, is used."""
        found = [
            *self._uses_of_alias.get(alias.ref, ()),
            *(use for room in rooms for use in self._uses.get(room.ref, ())),
        ]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _by_uuid(self) -> dict[str, LegacyAlias]:
        return {one.uuid: one for one in self.aliases}

    @cached_property
    def _by_key(self) -> dict[MeetingKey, tuple[LegacyAlias, ...]]:
        by_ref = {one.ref: one for one in self.aliases}
        bound: dict[MeetingKey, dict[str, LegacyAlias]] = {}
        for alias in self.aliases:
            if alias.key is not None:
                bound.setdefault(alias.key.clean, {})[alias.ref] = alias
        for use in self.uses:
            used = None if use.alias is None else by_ref.get(use.alias)
            if use.key is not None and used is not None:
                bound.setdefault(use.key.clean, {})[used.ref] = used
        return {key: tuple(found.values()) for key, found in bound.items()}

    @cached_property
    def _by_dial(self) -> dict[str, LegacyRoom]:
        return {dial: room for room in self.rooms for dial in room.aliases}

    @cached_property
    def _uses(self) -> dict[str, list[LegacyUse]]:
        found: dict[str, list[LegacyUse]] = {}
        for use in self.uses:
            found.setdefault(use.room, []).append(use)
        return found

    @cached_property
    def _uses_of_alias(self) -> dict[str, list[LegacyUse]]:
        found: dict[str, list[LegacyUse]] = {}
        for use in self.uses:
            if use.alias is not None:
                found.setdefault(use.alias, []).append(use)
        return found
