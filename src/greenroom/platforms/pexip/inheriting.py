"""Whose a conference is that stands where a room of ours should be and does not carry its mark.

A room's mark is that of the meeting which had it first. When our database is lost, another of those who share the room may be read
first, and the room then gets that one's mark: the conference is the same, and people were told its alias.
"""

import re

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.errors import PlatformMisconfiguredError, PlatformUnavailableError
from greenroom.platforms.pexip.management import Conference, ConferenceAlias
from greenroom.platforms.pexip.payload import alias_description, aliases
from greenroom.platforms.pexip.ports import RoomStore
from greenroom.platforms.pexip.style import PexipSettings

_MARK = re.compile(r"[0-9a-f]{32}")


def mark_of(there: Conference, settings: PexipSettings) -> str | None:
    """Return the mark of this integration that a conference carries; None where it is none of ours."""
    mark = there.tag.removeprefix(settings.tag_start)
    return mark if there.tag.startswith(settings.tag_start) and _MARK.fullmatch(mark) else None


class Heirs:
    """Judges by what our database remembers."""

    def __init__(self, rooms: RoomStore, settings: PexipSettings) -> None:
        self._rooms = rooms
        self._settings = settings

    async def may_have(self, spec: RoomSpec, there: Conference, held: ConferenceAlias, ref: str | None) -> bool:
        """Whether the room may go on as this conference, which has an alias of its (`held`) and another mark.

        Raises PlatformUnavailableError if the alias is about to become free, PlatformMisconfiguredError if the conference is this
        room's under another prefix. `ref` is where the room was, as far as we remember.
        """
        self._check_prefix(spec.mark, there, ref)
        mark = mark_of(there, self._settings)
        if mark is None:
            return False
        other = await self._rooms.get(mark)
        if (
            other is None
        ):  # nobody remembers it: the organizer tells a meeting's kin from others that drew the same number
            return bool(spec.owner) and there.owner.casefold() == spec.owner.casefold()
        keeps = other.retired_at is None or bool(self._settings.alias_quarantine)
        if keeps and held.alias.casefold() in _folded(other.spec):
            return False
        if held.description == alias_description(self._settings):
            raise PlatformUnavailableError("alias-leaves-another-room")
        return False

    async def had(self, mark: str, there: Conference) -> bool:
        """Whether the conference at a room's address is still that room's, under a mark it was not given yet. Raises as above."""
        self._check_prefix(mark, there, there.uri)
        theirs = mark_of(there, self._settings)
        room = await self._rooms.get(mark)
        if theirs is None or room is None or await self._rooms.get(theirs) is not None:
            return False
        return bool(_folded(room.spec) & {alias.alias.casefold() for alias in there.aliases})

    def _check_prefix(self, mark: str, there: Conference, ref: str | None) -> None:
        """Keep a room from being lost, or made twice, when `tag_prefix` is changed: it may as well be another Greenroom's."""
        mine = self._settings.tag(mark)
        ending = mine.removeprefix(self._settings.tag_prefix)
        if there.uri == ref and there.tag != mine and there.tag.endswith(ending):
            hint = "there are rooms that carry another tag_prefix than the settings: set it back"
            raise PlatformMisconfiguredError("tag-prefix", hint=hint)


def _folded(spec: RoomSpec) -> frozenset[str]:
    return frozenset(alias.casefold() for alias in aliases(spec))
