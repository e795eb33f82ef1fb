"""Changing the organizer's own meeting by impersonation.

```
find by key ──▶ read ──▶ edit ──▶ write ──▶ WRITTEN
                 ▲        │          │
                 │        └▶ PRESENT (or WRITTEN, if it was us)
                 └── somebody else wrote meanwhile, or the answer was lost: look again
```
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from greenroom.exchange.addresses import is_x500
from greenroom.exchange.contract import Invitation, InvitationEdit, UpdateResult
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    TryLaterError,
)
from greenroom.exchange.ews import items, search, updates
from greenroom.exchange.ews.envelope import Call
from greenroom.exchange.ews.faults import PROPERTY_REFUSED, UNREACHABLE_MAILBOX, RefusedRequestError
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.exchange.ews.updates import OwnMeeting
from greenroom.meetings.meeting import MeetingKey

log = structlog.get_logger(__name__)

ATTEMPTS = 3

Resolve = Callable[[str], Awaitable[str]]


async def find_ids(transport: EwsTransport, mailbox: str, key: MeetingKey) -> list[str]:
    """Find the calendar items of a meeting in any mailbox we may act for; bounded where the server cannot search."""
    try:
        page = search.read_page(await transport.call(search.find_by_key(key), mailbox), mailbox=mailbox)
        return [ident for ident, found in page.items if found in (key, None)]
    except ExchangeError as error:
        if error.code not in search.UNSEARCHABLE:
            raise
        log.info("ews.find.listing", mailbox=mailbox, code=error.code)
    offset = 0
    for _ in range(search.MOST_PAGES):
        page = search.read_page(
            await transport.call(search.list_calendar(offset), mailbox), mailbox=mailbox, offset=offset
        )
        if hits := [ident for ident, found in page.items if found == key]:
            return hits[: search.MOST_HITS]
        if page.next_offset is None:
            return []
        offset = page.next_offset
    log.warning("ews.find.too-many", mailbox=mailbox, listed=search.MOST_PAGES * search.PAGE)
    return []


async def update_text(
    transport: EwsTransport, organizer: str, key: MeetingKey, edit: InvitationEdit, *, notify: bool, resolve: Resolve
) -> UpdateResult:
    """Change the text of the organizer's meeting; see `Mailbox.update_invitation`."""
    try:
        return await _Update(transport, organizer, key, edit, notify=notify, resolve=resolve).run()
    except NotPermittedError as error:
        log.info("ews.update.refused", organizer=organizer, code=error.code)
        return UpdateResult.REFUSED
    except RefusedRequestError as error:
        if error.code not in PROPERTY_REFUSED:
            raise
        log.warning("ews.update.unsupported", organizer=organizer, code=error.code)
        return UpdateResult.REFUSED
    except MisconfiguredError as error:
        if error.code not in UNREACHABLE_MAILBOX and error.code != "ErrorFolderNotFound":
            raise
        log.info("ews.update.elsewhere", organizer=organizer, code=error.code)
        return UpdateResult.ELSEWHERE


class _Update:
    def __init__(
        self,
        transport: EwsTransport,
        organizer: str,
        key: MeetingKey,
        edit: InvitationEdit,
        *,
        notify: bool,
        resolve: Resolve,
    ) -> None:
        self._transport = transport
        self._organizer = organizer
        self._key = key
        self._edit = edit
        self._notify = notify
        self._resolve = resolve
        self._unsure: OutcomeUnknownError | None = None

    async def run(self) -> UpdateResult:
        last: ExchangeError | None = None
        for _ in range(ATTEMPTS):
            meeting = await self._own()
            if meeting is None:
                return UpdateResult.NOT_FOUND
            if meeting.too_long:
                log.warning("ews.update.too-long", organizer=self._organizer)
                return UpdateResult.REFUSED
            wanted = self._edit(meeting.invitation)
            call = None if wanted is None else self._call(meeting, wanted)
            if call is None:
                return UpdateResult.WRITTEN if self._unsure else UpdateResult.PRESENT
            try:
                reply = await self._transport.call(call, self._organizer)
                updates.read_update(reply, mailbox=self._organizer)
            except OutcomeUnknownError as error:
                self._unsure = last = error
            except ItemGoneError as error:
                log.info("ews.update.conflict", organizer=self._organizer, code=error.code)
                last = error
            except ItemBrokenError as error:
                log.warning("ews.update.impossible", organizer=self._organizer, code=error.code)
                return UpdateResult.REFUSED
            else:
                return UpdateResult.WRITTEN
        if self._unsure:
            raise self._unsure
        raise TryLaterError(
            "the organizer's meeting changes faster than we can",
            code=last.code if last else "",
            mailbox=self._organizer,
        )

    def _call(self, meeting: OwnMeeting, wanted: Invitation) -> Call | None:
        return updates.update(meeting.ref, meeting.invitation, wanted, notify=self._notify)

    async def _own(self) -> OwnMeeting | None:
        """Find the organizer's own, running meeting: a copy in which they only attend is never touched."""
        try:
            ids = await find_ids(self._transport, self._organizer, self._key)
            if not ids:
                return None
            own = [m for m in await self._meetings(ids) if not m.cancelled and await self._is_own(m)]
        except TryLaterError as error:
            if self._unsure is None:
                raise
            raise self._unsure from error
        if not own:
            return None
        meeting = next((m for m in own if m.series), own[0])
        return await self._with_text(meeting) if meeting.textless else meeting

    async def _meetings(self, ids: list[str]) -> list[OwnMeeting]:
        reply = await self._transport.call(updates.get_meetings(ids), self._organizer)
        entries = updates.read_meetings(reply, count=len(ids), mailbox=self._organizer)
        for entry in entries:
            if isinstance(entry, (TryLaterError, NotPermittedError)):
                raise entry
        return [e for e in entries if isinstance(e, OwnMeeting)]

    async def _is_own(self, meeting: OwnMeeting) -> bool:
        if meeting.is_organizer or not is_x500(meeting.organizer):
            return meeting.is_organizer
        return await self._resolve(meeting.organizer) == self._organizer

    async def _with_text(self, meeting: OwnMeeting) -> OwnMeeting:
        reply = await self._transport.call(items.get_texts([meeting.ref.id]), self._organizer)
        text = items.read_texts(reply, count=1)[0]
        if not text:
            return meeting
        too_long = meeting.too_long or len(text) > items.LONGEST_BODY
        return replace(meeting, invitation=replace(meeting.invitation, body_html=text), too_long=too_long)
