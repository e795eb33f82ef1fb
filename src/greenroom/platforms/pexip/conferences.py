"""Conferences at Pexip that carry our marks: found, made, changed, removed. Nothing without our mark is changed or deleted.

Creating is not idempotent there, so it is looked before something is made, and looked again when an answer got lost.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from greenroom.meetings.room import RoomSpec
from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformError,
    PlatformMisconfiguredError,
    PlatformUnavailableError,
)
from greenroom.platforms.pexip.inheriting import Heirs, mark_of
from greenroom.platforms.pexip.links import Links
from greenroom.platforms.pexip.management import (
    Conference,
    ConferenceAlias,
    FieldsRefusedError,
    NameTakenError,
    OutcomeUnknownError,
)
from greenroom.platforms.pexip.names import names
from greenroom.platforms.pexip.payload import alias_description, aliases, changed, payload
from greenroom.platforms.pexip.ports import Management
from greenroom.platforms.pexip.style import PexipSettings

_T = TypeVar("_T")
log = structlog.get_logger(__name__)

_OF_THE_ROOM = frozenset(("name", "description", "primary_owner_email_address"))
"""Fields whose values come from a meeting; all others, also how PINs and aliases look, come from settings."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between a conference and its room: fields, aliases that are missing, aliases of ours that are too much."""

    fields: Mapping[str, Any] = field(repr=False)
    rename: bool
    missing: tuple[str, ...]
    surplus: tuple[ConferenceAlias, ...]

    def __bool__(self) -> bool:
        return bool(self.fields or self.rename or self.missing or self.surplus)

    @property
    def simple(self) -> bool:
        """Whether one PATCH of fields does it."""
        return not (self.rename or self.missing or self.surplus)


class Conferences:
    """The conferences of one integration. All methods raise PlatformError."""

    def __init__(self, management: Management, settings: PexipSettings, links: Links, heirs: Heirs) -> None:
        self._management = management
        self._settings = settings
        self._links = links
        self._heirs = heirs

    @property
    def bulk(self) -> "Conferences":
        """The same for what nobody waits for: others go first."""
        return Conferences(self._management.bulk, self._settings, self._links, self._heirs)

    async def marked(self, mark: str, ref: str | None = None) -> list[Conference]:
        """Return the conferences with this mark; there should be one at most. `ref` is where it was, as far as we remember."""
        tag = self._settings.tag(mark)
        found = [one for one in await self._management.find_by_tag(tag) if one.tag == tag]
        if not found and ref is not None:
            there = await self._management.get(ref)
            return [there] if there is not None and await self._heirs.had(mark, there) else []
        return found

    async def owned(self) -> AsyncIterator[tuple[str, Conference]]:
        """Tell every conference that carries a mark of this integration, with the mark."""
        async for found in self._management.owned(self._settings.tag_start):
            mark = mark_of(found, self._settings)
            if mark is not None:
                yield mark, found

    async def look(self, spec: RoomSpec, ref: str | None = None) -> list[Conference]:
        """Return the conferences of this room, that with its aliases first; `ref` is where it was, as far as we remember.

        Raises AliasTakenError if another has one of them, PlatformUnavailableError if another room of ours is about to leave it.
        """
        found = {one.uri: one for one in await self.marked(spec.mark)}
        held = list((await self._management.aliases_among(aliases(spec))).values())
        for alias in held:
            uri = alias.conference
            if uri in found:
                continue
            other = await self._management.get(uri)
            if other is None:
                continue
            # With our tag it was made since we looked for that: an answer that was lost.
            if other.tag != self._settings.tag(spec.mark) and (
                not await self._heirs.may_have(spec, other, alias, ref) or found
            ):
                raise AliasTakenError("alias: taken")
            found[uri] = other
        holders = [alias.conference for alias in held]
        return sorted(found.values(), key=lambda one: (-holders.count(one.uri), len(one.uri), one.uri))

    async def runs(self, there: Conference) -> bool:
        """Whether somebody is in it."""
        running = await self._management.running(there.name)
        return there.name in running.names or there.tag in running.tags

    async def changes(self, spec: RoomSpec, there: Conference) -> Changes:
        """Compare a conference with what it should be."""
        wanted = {alias.casefold(): alias for alias in aliases(spec)}
        has = {alias.alias.casefold() for alias in there.aliases}
        ours = alias_description(self._settings)
        return Changes(
            fields=changed(spec, self._settings, await self._links.all(), there),
            rename=there.name not in names(spec, policy=self._settings.policy),
            missing=tuple(alias for key, alias in wanted.items() if key not in has),
            surplus=tuple(
                alias for alias in there.aliases if alias.alias.casefold() not in wanted and alias.description == ours
            ),
        )

    async def make(self, spec: RoomSpec) -> str:
        """Make the conference, where `look` found none; returns its address. Raises AliasTakenError, RoomRefusedError."""
        try:
            return await self._create(spec)
        except OutcomeUnknownError:
            found = await self.look(spec)
            if not found:
                raise
            await self.adapt(spec, found[0], await self.changes(spec, found[0]))
            return found[0].uri
        except AliasTakenError:
            return await self._after_conflict(spec)

    async def adapt(self, spec: RoomSpec, there: Conference, changes: Changes) -> None:
        """Change a conference of ours in place. Its new aliases are there before its old ones go."""
        try:
            await self._add(there, changes.missing)
            if changes.fields or changes.rename:
                await self._update(spec, there, changes)
            for alias in changes.surplus:
                await self._management.delete_alias(alias.uri)
        except OutcomeUnknownError:
            now = await self._management.get(there.uri)
            if now is None or await self.changes(spec, now):
                raise

    async def remove(self, there: Conference) -> None:
        """Delete a conference of ours with its aliases; one that is gone is no error. Who is in it stays in it."""
        if not there.tag.startswith(self._settings.tag_start):
            raise ValueError("this conference is not ours")
        try:
            await self._management.delete(there.uri)
        except OutcomeUnknownError:
            if await self._management.get(there.uri) is not None:
                raise

    async def change_many(self, objects: Sequence[Mapping[str, Any]], gone: Sequence[Conference]) -> None:
        """Change fields of many of ours, and delete many, in one request. What it raises says nothing about a single one."""
        if not all(one.tag.startswith(self._settings.tag_start) for one in gone):
            raise ValueError("a conference is not ours")
        await self._management.change_many(objects, [one.uri for one in gone])

    async def _create(self, spec: RoomSpec) -> str:
        uris = await self._links.all()
        for name in names(spec, policy=self._settings.policy):
            try:
                return await self._told(self._management.create, payload(spec, self._settings, uris, name))
            except NameTakenError:
                log.info("name taken", mark=spec.mark)
        raise PlatformUnavailableError("no-free-name")

    async def _after_conflict(self, spec: RoomSpec) -> str:
        """An alias was taken between look and creation: by another, or by ourselves with an answer that was lost."""
        try:
            found = await self.look(spec)
        except AliasTakenError:
            for half_made in await self.marked(spec.mark):  # without its aliases it leads nowhere
                await self.remove(half_made)
            raise
        if not found:
            return await self._create(spec)
        await self.adapt(spec, found[0], await self.changes(spec, found[0]))
        return found[0].uri

    async def _update(self, spec: RoomSpec, there: Conference, changes: Changes) -> None:
        for name in names(spec, policy=self._settings.policy) if changes.rename else (None,):
            fields = changes.fields if name is None else {**changes.fields, "name": name}
            try:
                await self._told(lambda told: self._management.update(there.uri, told), fields)
            except NameTakenError:
                log.info("name taken", mark=spec.mark)
            else:
                return
        raise PlatformUnavailableError("no-free-name")

    async def _add(self, there: Conference, missing: Sequence[str]) -> None:
        added: list[str] = []
        for alias in missing:
            try:
                added.append(await self._management.add_alias(there.uri, alias, alias_description(self._settings)))
            except AliasTakenError:
                if await self._is_ours(alias, there):
                    continue
                await self._take_back(added)
                raise

    async def _is_ours(self, alias: str, there: Conference) -> bool:
        """Whether a taken alias is there already. A twin of this conference that has it is deleted before that can be."""
        holder = (await self._management.aliases_among([alias])).get(alias)
        if holder is None or holder.conference == there.uri:
            return holder is not None
        other = await self._management.get(holder.conference)
        if other is not None and other.tag == there.tag:
            raise PlatformUnavailableError("alias-at-twin")
        return False

    async def _take_back(self, added: Sequence[str]) -> None:
        try:
            for uri in added:
                await self._management.delete_alias(uri)
        except PlatformError as error:  # whoever looks after the room next removes what is too much
            log.warning("alias not taken back", error=type(error).__name__)

    async def _told(self, call: Callable[[Mapping[str, Any]], Awaitable[_T]], fields: Mapping[str, Any]) -> _T:
        """Tell Pexip fields of a room. What it refuses of the settings is an administrator's matter, never the room's."""
        try:
            return await call(fields)
        except PlatformMisconfiguredError:
            self._links.forget()
            raise
        except FieldsRefusedError as error:
            if error.errors.fields <= _OF_THE_ROOM:
                raise
            self._links.forget()
            hint = "the Management Node refuses these fields of a room: check the platform's settings"
            raise PlatformMisconfiguredError(error.errors.text, hint=hint) from None
