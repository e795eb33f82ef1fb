"""All rooms of all integrations that ask by policy, in memory, by what people dial.

```
dialled --read--> user, host --_index[user]--> Room(s) --host, integration--> one of them --door(now)--> answer
```

Everything here is quick and never waits; the follower keeps it up to date.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from greenroom.meetings.admission import Admission
from greenroom.meetings.alias import AliasPlan
from greenroom.platforms.pexip.policy.addresses import Dialled, is_literal
from greenroom.platforms.pexip.policy.answers import REJECTED, playback_answer, room_answer, text_of
from greenroom.platforms.pexip.policy.room import KEPT, Door, FeedRoom, Room
from greenroom.platforms.pexip.policy.settings import PolicySettings

_log = structlog.get_logger(__name__)
_MOST_ANSWERS = 10_000
_LONG_TEXT = 4096
_AT_ONCE = 500
_NEVER_OPEN = Admission((), timedelta(), timedelta())


class Directory:
    """Rooms by address. `settings` has one entry for each integration; rooms of others are not taken in."""

    def __init__(self, settings: Iterable[PolicySettings], *, most_answers: int = _MOST_ANSWERS) -> None:
        self._members = {one.pexip.integration: _Member(one) for one in settings}
        self._index: dict[str, Room | tuple[Room, ...]] = {}
        self._answers: OrderedDict[Room, bytes] = OrderedDict()
        self._most_answers = most_answers
        # Texts are remembered by themselves: rooms of one hour, and those that are asked for now, share them.
        self._short = lru_cache(maxsize=1024)(_parse)
        self._long = lru_cache(maxsize=16)(_parse)

    def __len__(self) -> int:
        return sum(len(member.rooms) for member in self._members.values())

    @property
    def integrations(self) -> list[int]:
        """The numbers of the integrations that are answered for."""
        return list(self._members)

    def apply(self, told: FeedRoom) -> None:
        """Take in what storage tells of a room, unless something newer of it is known."""
        member = self._members.get(told.integration)
        if member is None:
            return
        old = member.rooms.get(told.mark)
        if old is not None:
            if old.version >= told.version:
                return
            self._remove(old)
        room = Room(told, member.settings)
        member.rooms[room.mark] = room
        for key in room.keys:
            there = self._index.get(key)
            self._index[key] = room if there is None else (*_several(there), room)

    def emptied(self) -> "Directory":
        """Return another one for the same integrations, without rooms."""
        return Directory([member.settings for member in self._members.values()], most_answers=self._most_answers)

    def become(self, other: "Directory") -> None:
        """Know what the other knows, which was made by `emptied`, and nothing else."""
        for number, member in self._members.items():
            member.rooms = other._members[number].rooms  # noqa: SLF001  one of its own kind
        self._index = other._index  # noqa: SLF001
        self._answers.clear()

    def find(self, dialled: Dialled, integrations: frozenset[int]) -> Room | None:
        """Return the room that is meant, of one of these integrations: a living one before a tombstone."""
        found = self._index.get(dialled.user)
        if found is None:
            return None
        if isinstance(found, Room):
            return found if self._is_meant(found, dialled.host, integrations) else None
        meant = [one for one in found if self._is_meant(one, dialled.host, integrations)]
        return min(
            meant, key=lambda one: (one.retired_at is not None, one.host != dialled.host, -one.version), default=None
        )

    def by_tag(self, tag: str, integrations: frozenset[int]) -> Room | None:
        """Return the room that carries this mark in Pexip."""
        for number in integrations:
            member = self._members.get(number)
            if member is not None and tag.startswith(member.settings.pexip.tag_start):
                return member.rooms.get(tag.removeprefix(member.settings.pexip.tag_start))
        return None

    def may_be_ours(self, dialled: Dialled, integrations: frozenset[int]) -> bool:
        """Whether a room of these integrations could be dialled at this host at all."""
        return any(self._members[one].answers_at(dialled.host) for one in integrations & self._members.keys())

    def looks_like_ours(self, dialled: Dialled, integrations: frozenset[int]) -> int | None:
        """Return the integration whose aliases look like this; None if those of none do."""
        for number in sorted(integrations & self._members.keys()):
            member = self._members[number]
            if member.answers_at(dialled.host) and member.has_shape(dialled.user):
                return number
        return None

    def spellings(self, dialled: Dialled, integrations: frozenset[int]) -> list[str]:
        """Return how the aliases may be stored that somebody dials so: with each of the domains, and without one."""
        members = [self._members[one] for one in integrations & self._members.keys()]
        hosts = {host for member in members for host in member.hosts} | {dialled.host}
        return [dialled.user, *(f"{dialled.user}@{host}" for host in sorted(hosts) if host)]

    def door(self, room: Room, now: datetime) -> Door:
        """Return what a caller meets at a room."""
        return room.door(now, self._admission)

    def answer(self, room: Room, door: Door, now: datetime) -> bytes:
        """Return what the node is told. A room that is renamed while it is open keeps its name until it closes."""
        if door is not Door.OPEN:
            member = self._members[room.integration]
            return member.early if door is Door.EARLY else member.over
        if room.renamed is not None and (name := room.kept_name(now, self._admission)) is not None:
            return text_of(room_answer(replace(room.spec, name=name), room.settings.pexip))
        text = self._answers.get(room)
        if text is not None:
            self._answers.move_to_end(room)
            return text
        text = self._answers[room] = text_of(room_answer(room.spec, room.settings.pexip))
        if len(self._answers) > self._most_answers:
            self._answers.popitem(last=False)
        return text

    def sweep(self, now: datetime) -> Iterator[int]:
        """Drop what has been closed for good for long. Yields every now and then how many that were, so that others get a turn."""
        before, count, looked = now - KEPT, 0, 0
        for member in self._members.values():
            for mark in list(member.rooms):
                looked += 1
                room = member.rooms.get(mark)  # it may have gone while others had their turn
                if room is not None and room.is_forgotten(before):
                    self._remove(room)
                    count += 1
                if looked % _AT_ONCE == 0:
                    yield count
        yield count

    def _is_meant(self, room: Room, host: str, integrations: frozenset[int]) -> bool:
        number = room.integration
        return number in integrations and room.is_dialled_by(host, self._members[number].hosts)

    def _remove(self, room: Room) -> None:
        del self._members[room.integration].rooms[room.mark]
        self._answers.pop(room, None)
        for key in room.keys:
            rest = tuple(one for one in _several(self._index[key]) if one is not room)
            if rest:
                self._index[key] = rest if len(rest) > 1 else rest[0]
            else:
                del self._index[key]

    def _admission(self, text: str, mark: str) -> Admission:
        try:
            return (self._short if len(text) <= _LONG_TEXT else self._long)(text)
        except (ValueError, OverflowError, RecursionError) as error:
            # Without its text: it would show a piece of the row.
            _log.warning("policy.unreadable", what="admission", mark=mark, error=type(error).__name__)
            return _NEVER_OPEN


class _Member:
    """One integration: its rooms by mark, and what does not change."""

    __slots__ = ("early", "hosts", "over", "rooms", "settings", "shapes")

    def __init__(self, settings: PolicySettings) -> None:
        pexip, plan = settings.pexip, settings.plan
        self.settings = settings
        self.rooms: dict[str, Room] = {}
        self.hosts = frozenset(host.lower() for host in (*pexip.domains, plan.domain) if host)
        self.early = _closed(settings, "early", settings.closed.early_playlist)
        self.over = _closed(settings, "over", settings.closed.over_playlist)
        self.shapes = _shapes(plan)

    def answers_at(self, host: str) -> bool:
        return not host or host in self.hosts or is_literal(host)

    def has_shape(self, user: str) -> bool:
        for prefix, digits in self.shapes:
            if len(user) == len(prefix) + digits and user.startswith(prefix):
                rest = user[len(prefix) :]
                if rest.isdecimal() and not rest.startswith("0"):
                    return True
        return False


def _shapes(plan: AliasPlan) -> set[tuple[str, int]]:
    """Prefix and count of digits, of aliases and of what is keyed in. The first digit of a drawn number is no zero."""
    number = 10 ** (plan.digits - 1)
    numeric = plan.alias(number).numeric
    return {(plan.prefix.lower(), plan.digits), (numeric.removesuffix(str(number)), plan.digits)}


def _closed(settings: PolicySettings, kind: str, playlist: str | None) -> bytes:
    return REJECTED if playlist is None else text_of(playback_answer(settings.pexip, kind, playlist))


def _several(there: Room | tuple[Room, ...]) -> tuple[Room, ...]:
    return (there,) if isinstance(there, Room) else there


def _parse(text: str) -> Admission:
    return Admission.parse(text)
