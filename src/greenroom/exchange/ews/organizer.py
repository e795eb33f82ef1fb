"""Changing the organizer's own meeting by impersonation.

```
find by key ──▶ read ──▶ edit ──▶ write ──▶ the occurrences with a text of their own, the same way ──▶ WRITTEN
                 ▲        │          │
                 │        └▶ PRESENT (or WRITTEN, if it was us)
                 └── somebody else wrote meanwhile, or the answer was lost: look again
```
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

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
from greenroom.exchange.ews import exceptions, items, updates
from greenroom.exchange.ews.envelope import Call
from greenroom.exchange.ews.faults import PROPERTY_REFUSED, UNREACHABLE_MAILBOX, RefusedRequestError
from greenroom.exchange.ews.finding import find_ids, find_in_view, number_of
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.exchange.ews.updates import OwnMeeting
from greenroom.meetings.meeting import MeetingKey

log = structlog.get_logger(__name__)

ATTEMPTS = 3

Resolve = Callable[[str], Awaitable[str]]
_Look = Callable[[], Awaitable[OwnMeeting | None]]


async def update_text(
    transport: EwsTransport,
    organizer: str,
    key: MeetingKey,
    edit: InvitationEdit,
    *,
    notify: bool,
    resolve: Resolve,
    now: datetime,
) -> UpdateResult:
    """Change the text of the organizer's meeting; see `Mailbox.update_invitation`. What of a series is over `now` stays."""
    try:
        return await _Update(transport, organizer, key, edit, notify=notify, resolve=resolve, now=now).run()
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
        now: datetime,
    ) -> None:
        self._transport = transport
        self._organizer = organizer
        self._key = key
        self._edit = edit
        self._notify = notify
        self._resolve = resolve
        self._now = now
        self._differing: list[str] = []

    async def run(self) -> UpdateResult:
        if self._key.occurrence is not None:
            return await self._write(self._occurrence)
        result = await self._write(self._whole)
        if result in (UpdateResult.WRITTEN, UpdateResult.PRESENT) and await self._exceptions():
            return UpdateResult.WRITTEN
        return result

    async def _write(self, look: _Look) -> UpdateResult:
        unsure: OutcomeUnknownError | None = None
        last: ExchangeError | None = None
        for _ in range(ATTEMPTS):
            meeting = await self._looked(look, unsure)
            if meeting is None:
                return UpdateResult.NOT_FOUND
            if meeting.too_long:
                log.warning("ews.update.too-long", organizer=self._organizer)
                return UpdateResult.REFUSED
            wanted = self._edit(meeting.invitation)
            call = None if wanted is None else self._call(meeting, wanted)
            if call is None:
                return UpdateResult.WRITTEN if unsure else UpdateResult.PRESENT
            try:
                reply = await self._transport.call(call, self._organizer)
                updates.read_update(reply, mailbox=self._organizer)
            except OutcomeUnknownError as error:
                unsure = last = error
            except ItemGoneError as error:
                log.info("ews.update.conflict", organizer=self._organizer, code=error.code)
                last = error
            except ItemBrokenError as error:
                log.warning("ews.update.impossible", organizer=self._organizer, code=error.code)
                return UpdateResult.REFUSED
            else:
                return UpdateResult.WRITTEN
        if unsure:
            raise unsure
        raise TryLaterError(
            "the organizer's meeting changes faster than we can",
            code=last.code if last else "",
            mailbox=self._organizer,
        )

    def _call(self, meeting: OwnMeeting, wanted: Invitation) -> Call | None:
        return updates.update(meeting.ref, meeting.invitation, wanted, notify=self._notify)

    async def _looked(self, look: _Look, unsure: OutcomeUnknownError | None) -> OwnMeeting | None:
        """Look; where that fails after a write without an answer, the outcome stays unknown."""
        try:
            meeting = await look()
            return await self._with_text(meeting) if meeting is not None and meeting.textless else meeting
        except TryLaterError as error:
            if unsure is None:
                raise
            raise unsure from error

    # --- what is looked at ----------------------------------------------------------------------------------------

    async def _own(self) -> OwnMeeting | None:
        """Find the organizer's own, running meeting: a copy in which they only attend is never touched."""
        ids = await find_ids(self._transport, self._organizer, self._key.clean)
        if not ids:
            return None
        own = [m for m in await self._meetings(ids) if not m.cancelled and await self._is_own(m)]
        return next((m for m in own if m.series), own[0]) if own else None

    async def _whole(self) -> OwnMeeting | None:
        meeting = await self._own()
        told = () if meeting is None else meeting.told.differing
        ahead = (one for one in told if one.end > self._now)
        self._differing = [one.ref.id for one in exceptions.worth_asking(ahead)]
        return meeting

    async def _occurrence(self) -> OwnMeeting | None:
        """Find the one occurrence: as an exception by its own item, else by its number, else among what takes place then."""
        series, day = await self._own(), self._key.occurrence
        if series is None or not series.series or day is None:
            return None
        known = [one.ref.id for one in series.told.differing if one.day == day]
        number = None if known else number_of(day, series.told)
        if number == 0:
            return None
        if number is not None:
            reply = await self._transport.call(updates.get_occurrence(series.ref, number), self._organizer)
            found = updates.read_meetings(reply, count=1, mailbox=self._organizer)[0]
            if isinstance(found, (TryLaterError, NotPermittedError)):
                raise found
            if isinstance(found, OwnMeeting) and found.day_in(series.told) == day:
                return None if found.cancelled else found
        if not known:
            known = await find_in_view(self._transport, self._organizer, self._key, series.told)
        return await self._one(known[0]) if known else None

    async def _one(self, ident: str) -> OwnMeeting | None:
        """Read one occurrence of the organizer's own series."""
        found = await self._meetings([ident])
        return found[0] if found and not found[0].cancelled else None

    async def _exceptions(self) -> bool:
        """Change the occurrences that have a text of their own and lack ours; say whether anything was written."""
        written = False
        for ident in await self._lacking():
            written |= await self._write(partial(self._one, ident)) is UpdateResult.WRITTEN
        return written

    async def _lacking(self) -> list[str]:
        lacking: list[str] = []
        for at in range(0, len(self._differing), items.BATCH):
            found = await self._meetings(self._differing[at : at + items.BATCH])
            lacking += [
                one.ref.id for one in found if not one.cancelled and (one.textless or self._edit(one.invitation))
            ]
        return lacking

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
