"""The client: what Greenroom asks a Management Node for, in typed values."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from datetime import UTC, datetime
from typing import Any, Literal

import httpx2

from greenroom.platforms.errors import PlatformError, PlatformMisconfiguredError
from greenroom.platforms.pexip.management import addresses, answers, call, values
from greenroom.platforms.pexip.management.answers import Asked, NothingThereError
from greenroom.platforms.pexip.management.call import Answer, Call
from greenroom.platforms.pexip.management.errors import (
    CodedUnavailableError,
    ConferenceGoneError,
    GarbledAnswerError,
    OutcomeUnknownError,
    ShiftedListError,
)
from greenroom.platforms.pexip.management.limits import NodeLimits
from greenroom.platforms.pexip.management.paging import MOST_OBJECTS, PAGE, Paging
from greenroom.platforms.pexip.management.settings import ManagementSettings
from greenroom.platforms.pexip.management.transport import Transport
from greenroom.platforms.pexip.management.values import ALIAS, CONFERENCE, Conference, ConferenceAlias, Running

Named = Literal["ivr_theme", "identity_provider_group"]
"""Resources that settings name by what an administrator sees."""

MOST_AT_ONCE = 500
_FEW = 1000
_LONGEST_PATTERN = 400
_PAGE_OF_RUNNING = 5000
_TIMES = 3
_SPECIAL = frozenset(".^$*+?()[]{}|\\")


class ManagementApi:
    """One integration's way to its Management Node. `lane` names the integration in the node's budget.

    Every method raises `PlatformError`: PlatformUnavailableError (later; OutcomeUnknownError if a change was sent and no answer
    came), PlatformSignInError, PlatformMisconfiguredError; those that write also AliasTakenError, NameTakenError and
    FieldsRefusedError. Nothing is sent before the first call, and nothing wrong in the settings raises before it. `transport`
    replaces the network in tests.
    """

    def __init__(
        self,
        settings: ManagementSettings,
        limits: NodeLimits,
        *,
        lane: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx2.AsyncBaseTransport | None = None,
        page: int = PAGE,
    ) -> None:
        self._transport = Transport(settings, limits, lane, clock, transport)
        self._page = page
        self._bulk = False

    @property
    def bulk(self) -> "ManagementApi":
        """The same client for what nobody waits for: its requests let others go first."""
        other = copy(self)
        other._bulk = True  # noqa: SLF001  it is ourselves
        return other

    async def ping(self) -> None:
        """Reach the node once, with the credential, where conferences are."""
        paging = Paging(addresses.configuration(CONFERENCE), self._transport.root, page=2)
        if (asked := paging.call) is not None:
            await self._page_of(paging, asked)

    async def find_by_tag(self, tag: str) -> list[Conference]:
        """Return the conferences that carry exactly this tag."""
        return [found for found in await self._found("tag", tag, lambda c: c.tag) if found.tag == tag]

    async def by_name(self, name: str) -> list[Conference]:
        """Return the conferences with this name: one or none, as names are unique (more only if they differ in case)."""
        return await self._found("name", name, lambda c: c.name)

    async def by_owner(self, address: str) -> list[Conference]:
        """Return the conferences that belong to this mail address, in upper or lower case."""
        return await self._found("primary_owner_email_address__iexact", address, lambda c: c.owner)

    async def owned(self, tag_prefix: str) -> AsyncIterator[Conference]:
        """Tell every conference whose tag begins with this, all or it raises: PlatformUnavailableError where the list changes
        while it is read. A longer prefix reads a shorter list, which changes more seldom. Goes with bulk's priority.
        """  # noqa: D205  one thought
        if not tag_prefix:
            raise ValueError("every tag begins with nothing")
        async with aclosing(self.bulk._listed(CONFERENCE, ("tag__startswith", tag_prefix))) as listed:  # noqa: SLF001
            async for told in listed:
                found = values.conference(told)
                if not found.tag.casefold().startswith(tag_prefix.casefold()):
                    raise GarbledAnswerError("filter-ignored")
                if found.tag.startswith(tag_prefix):
                    yield found

    async def listing(self, resource: str) -> AsyncIterator[Mapping[str, Any]]:
        """Tell every object of a configuration resource as JSON of a sensible size, all or it raises. Bulk's priority.

        ValueError for what cannot be the name of a resource.
        """
        async with aclosing(self.bulk._listed(resource)) as listed:  # noqa: SLF001
            async for told in listed:
                yield told

    async def aliases_among(self, aliases: Iterable[str]) -> dict[str, ConferenceAlias]:
        """Return which of these aliases exist, by the alias as it was asked for; upper and lower case are one.

        Asked as a regular expression, `__iregex` being among the filters that the vendor's own client knows: `__in` is not,
        would part a value at its commas, and heeds case.
        """
        asked = {alias.casefold(): alias for alias in aliases}
        found: dict[str, ConferenceAlias] = {}
        for condition in _conditions(asked.values()):
            for told in await self._few(ALIAS, condition):
                alias = values.alias(told)
                if alias.alias.casefold() not in asked:
                    raise GarbledAnswerError("filter-ignored")
                found[asked[alias.alias.casefold()]] = alias
        return found

    async def get(self, uri: str) -> Conference | None:
        """Read one conference; None if there is none at this address. ValueError for what is no address of one."""
        try:
            answer = await self._send(call.read(uri, CONFERENCE))
        except NothingThereError:
            await self._surely_pexip()
            return None
        found = values.conference(answer.body)
        if found.uri != uri:
            raise GarbledAnswerError("odd-object")
        self._transport.known = True
        return found

    async def create(self, payload: Mapping[str, Any]) -> str:
        """Make a conference; returns its address. Not to be repeated before a look if the outcome is unknown."""
        return await self._created(CONFERENCE, payload)

    async def update(self, uri: str, payload: Mapping[str, Any]) -> None:
        """Change these fields of one conference; lists are replaced. Raises ConferenceGoneError if it is not there."""
        try:
            await self._send(call.update(uri, CONFERENCE, payload))
        except NothingThereError:
            await self._surely_pexip()
            raise ConferenceGoneError("gone") from None

    async def delete(self, uri: str) -> None:
        """Delete one conference with its aliases; no error if it is gone. ValueError for anything but the address of one."""
        await self._deleted(call.delete(uri, CONFERENCE))

    async def delete_alias(self, uri: str) -> None:
        """Delete one alias; no error if it is gone. ValueError for anything but the address of one."""
        await self._deleted(call.delete(uri, ALIAS))

    async def add_alias(self, conference_uri: str, alias: str, description: str = "") -> str:
        """Give a conference another alias; returns its address. Raises ConferenceGoneError if the conference is not there."""
        owner = addresses.item(conference_uri, CONFERENCE)
        try:
            return await self._created(ALIAS, {"alias": alias, "conference": owner, "description": description})
        except PlatformMisconfiguredError as error:
            if error.code == "unknown-object":
                raise ConferenceGoneError("gone") from None
            raise

    async def change_many(self, objects: Sequence[Mapping[str, Any]], deleted: Sequence[str] = ()) -> None:
        """Change, make and delete conferences in one request, at most `MOST_AT_ONCE`; see `call.change_many`.

        A refusal or an unknown outcome says nothing about the single one: look at them.
        """
        if len(objects) + len(deleted) > MOST_AT_ONCE:
            raise ValueError(f"more than {MOST_AT_ONCE} at once")
        if not objects and not deleted:
            return
        try:
            await self._send(call.change_many(CONFERENCE, objects, deleted))
        except NothingThereError:
            raise ConferenceGoneError("gone") from None

    async def running(self, name: str | None = None) -> Running:
        """Tell which conferences have somebody in them; with a name, whether that one has."""
        filters = (("name", name),) if name is not None else ()
        told = await self._few(CONFERENCE, *filters, status=True)
        if name is not None and any(str(part.get("name")).casefold() != name.casefold() for part in told):
            raise GarbledAnswerError("filter-ignored")
        names = (part.get("name") for part in told)
        tags = (part.get("tag") for part in told)
        return Running(
            frozenset(text for text in names if isinstance(text, str) and text),
            frozenset(text for text in tags if isinstance(text, str) and text),
        )

    async def resource_uri_by_name(self, resource: Named, name: str) -> str | None:
        """Return the address of the theme or identity provider group with this name; None if there is none."""
        for told in await self._few(resource, ("name", name)):
            found = told.get("name")
            if not isinstance(found, str) or found.casefold() != name.casefold():
                raise GarbledAnswerError("filter-ignored")
            if found == name:
                try:
                    return addresses.item(told.get("resource_uri"), resource)
                except ValueError:
                    raise GarbledAnswerError("odd-object") from None
        return None

    async def close(self) -> None:
        """Close connections; what is asked afterwards is told to come later."""
        await self._transport.close()

    async def _found(self, field: str, value: str, of: Callable[[Conference], str]) -> list[Conference]:
        found = [values.conference(told) for told in await self._few(CONFERENCE, (field, value))]
        if any(of(one).casefold() != value.casefold() for one in found):
            raise GarbledAnswerError("filter-ignored")  # else all rooms of the node would pass for this one's
        return found

    async def _few(self, resource: str, *filters: tuple[str, str], status: bool = False) -> list[dict[str, Any]]:
        """Read a list that should be short, anew if it changes meanwhile."""
        for left in reversed(range(_TIMES)):
            try:
                most = _FEW if filters else MOST_OBJECTS
                return [told async for told in self._listed(resource, *filters, status=status, most=most)]
            except ShiftedListError:
                if not left:
                    raise
        raise AssertionError

    async def _listed(
        self, resource: str, *filters: tuple[str, str], status: bool = False, most: int = MOST_OBJECTS
    ) -> AsyncGenerator[dict[str, Any], None]:
        path = f"{addresses.STATUS}{resource}/" if status else addresses.configuration(resource)
        page = _PAGE_OF_RUNNING if status else self._page
        paging = Paging(path, self._transport.root, filters, page=page, most=most)
        while (asked := paging.call) is not None:
            for told in await self._page_of(paging, asked):
                yield told

    async def _page_of(self, paging: Paging, asked: Call) -> list[dict[str, Any]]:
        try:
            answer = await self._send(asked)
        except NothingThereError:
            raise self._absent() from None
        told = paging.take(answer.body)
        self._transport.known = True
        return told

    async def _created(self, resource: str, payload: Mapping[str, Any]) -> str:
        try:
            answer = await self._send(call.create(resource, payload))
        except NothingThereError:
            raise self._absent() from None
        told = answer.body.get("resource_uri") if isinstance(answer.body, dict) else None
        uri = addresses.located(answer.headers.get("location"), resource) or addresses.located(told, resource)
        if uri is None:
            raise OutcomeUnknownError("no-location")
        return uri

    async def _deleted(self, asked: Call) -> None:
        try:
            await self._send(asked)
        except NothingThereError:
            await self._surely_pexip()

    async def _surely_pexip(self) -> None:
        """Let a 404 say that an item is gone only where the API answers: a wrong address says the same of everything."""
        if not self._transport.known:
            await self.ping()

    def _absent(self) -> PlatformError:
        known = self._transport.known
        return CodedUnavailableError("http-404") if known else answers.odd(Asked(writes=False), "not-pexip")

    async def _send(self, asked: Call) -> Answer:
        return await self._transport.send(asked, bulk=self._bulk)


def _conditions(aliases: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield filters that together find these aliases, one for as many as fit."""
    some: list[str] = []
    for alias in aliases:
        if some and sum(len(_escaped(one)) + 1 for one in (*some, alias)) > _LONGEST_PATTERN:
            yield _condition(some)
            some = []
        some.append(alias)
    if some:
        yield _condition(some)


def _condition(aliases: list[str]) -> tuple[str, str]:
    if len(aliases) == 1:
        return "alias__iexact", aliases[0]
    return "alias__iregex", f"^({'|'.join(map(_escaped, aliases))})$"


def _escaped(alias: str) -> str:
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in alias)
