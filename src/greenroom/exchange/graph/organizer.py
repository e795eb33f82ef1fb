"""Changing the organizer's own meeting with the application's right.

```
find by key ──▶ edit ──▶ write ──▶ the exceptions of a series ──▶ WRITTEN
     ▲           │          │
     │           └▶ PRESENT (or WRITTEN, if it was us)
     └── somebody else wrote meanwhile (412), or the answer was lost: look again
```
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import structlog

from greenroom.exchange.contract import InvitationEdit, UpdateResult
from greenroom.exchange.errors import (
    ExchangeError,
    NotPermittedError,
    OutcomeUnknownError,
    TryLaterError,
)
from greenroom.exchange.graph import facts, finding, own
from greenroom.exchange.graph.answers import TooLongError
from greenroom.exchange.graph.call import Call, RefusedError
from greenroom.exchange.graph.events import Event
from greenroom.exchange.graph.online import keeps_online_meeting
from greenroom.exchange.graph.own import Text
from greenroom.exchange.graph.refused import CONFLICTS
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.meetings.meeting import MeetingKey

log = structlog.get_logger(__name__)

ATTEMPTS: Final = 3
_AROUND: Final = timedelta(hours=36)
_MOST_NAMED: Final = 10_000


class Organizers:
    """The calendars of organizers. `clock` tells which exceptions of a series are over."""

    def __init__(self, transport: GraphTransport, *, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._clock = clock
        self._refused: set[str] = set()  # for the log alone: rights are tried anew each time

    async def update(self, organizer: str, key: MeetingKey, edit: InvitationEdit) -> UpdateResult:
        """Change the text of the organizer's meeting, of one occurrence alone where the key is that of one.

        See `OrganizerCalendars.update_invitation`.
        """
        try:
            return await _Update(self._transport, organizer, key, edit, now=self._clock()).run()
        except NotPermittedError as error:
            if organizer not in self._refused:
                if len(self._refused) >= _MOST_NAMED:
                    self._refused.clear()
                self._refused.add(organizer)
                log.info("graph.update.refused", organizer=organizer, code=error.code)
            return UpdateResult.REFUSED
        except TooLongError as error:
            log.warning("graph.update.left-alone", organizer=organizer, why=error.code)
            return UpdateResult.REFUSED
        except RefusedError as error:
            if error.elsewhere:
                log.info("graph.update.elsewhere", organizer=organizer, code=error.code)
                return UpdateResult.ELSEWHERE
            log.warning("graph.update.impossible", organizer=organizer, code=error.code, status=error.status)
            return UpdateResult.REFUSED


class _Update:
    def __init__(
        self,
        transport: GraphTransport,
        organizer: str,
        key: MeetingKey,
        edit: InvitationEdit,
        *,
        now: datetime,
    ) -> None:
        self._transport = transport
        self._organizer = organizer
        self._key = key
        self._edit = edit
        self._now = now
        self._unsure: OutcomeUnknownError | None = None
        self._master = ""

    async def run(self) -> UpdateResult:
        result = await self._text()
        if not self._master or result not in (UpdateResult.WRITTEN, UpdateResult.PRESENT):
            return result
        return UpdateResult.WRITTEN if await self._exceptions() else result

    async def _text(self) -> UpdateResult:
        last: ExchangeError | None = None
        for _ in range(ATTEMPTS):
            text = await self._looked()
            if text is None:
                return UpdateResult.NOT_FOUND
            try:
                call = self._call(text)
            except _CannotWriteError as error:
                log.warning("graph.update.left-alone", organizer=self._organizer, why=str(error))
                return UpdateResult.REFUSED
            if call is None:
                return UpdateResult.WRITTEN if self._unsure else UpdateResult.PRESENT
            try:
                await self._transport.call(call)
            except OutcomeUnknownError as error:
                self._unsure = last = error
            except RefusedError as error:
                if error.elsewhere or not (error.gone or error.status in CONFLICTS):
                    raise
                log.info("graph.update.conflict", organizer=self._organizer, code=error.code, status=error.status)
                last = error
            else:
                return UpdateResult.WRITTEN
        raise self._unsure or self._changing(last)

    def _call(self, text: Text) -> Call | None:
        """Say what to write; None where nothing needs to change. Raises _CannotWriteError."""
        if text.too_long:
            raise _CannotWriteError("too long")
        wanted = self._edit(text.invitation)
        if wanted is None:
            return None
        if not keeps_online_meeting(text.invitation.body_html, wanted.body_html):
            raise _CannotWriteError("an online meeting would be lost")
        return own.update(self._organizer, text, wanted)

    async def _looked(self) -> Text | None:
        """Look; where that fails after a write without an answer, the outcome stays unknown."""
        try:
            return await self._own()
        except TryLaterError as error:
            if self._unsure is None:
                raise
            raise self._unsure from error

    async def _own(self) -> Text | None:
        """Find the organizer's own, running meeting: a copy in which they only attend is never touched."""
        found = await finding.search(
            self._transport, self._organizer, self._key.clean, lambda where: own.search(self._organizer, where)
        )
        mine = [
            (hit.raw, hit.row)
            for hit in found.hits
            if isinstance(hit.row, Event) and facts.is_own(hit.row, self._organizer) and not hit.row.is_cancelled
        ]
        master = next((pair for pair in mine if pair[1].is_series), None)
        day = self._key.occurrence
        if day is not None:
            return await self._occurrence(master[1].id, day) if master is not None else None
        if not mine:
            return None
        raw, row = master or mine[0]
        self._master = row.id if row.is_series else ""
        return own.read_text(raw)

    async def _occurrence(self, master: str, day: date) -> Text | None:
        """Find an occurrence by the day it was first meant for: most take place around it, others are exceptions."""
        noon = datetime.combine(day, time(12), tzinfo=UTC)
        around = own.instances(self._organizer, master, noon - _AROUND, noon + _AROUND)
        refused: RefusedError | None = None
        for call, rows in ((around, own.listed_in), (own.get_exceptions(self._organizer, master), own.exceptions_in)):
            try:
                body = (await self._transport.call(call)).body
            except RefusedError as error:
                if error.elsewhere:
                    raise
                log.info("graph.update.not-shown", organizer=self._organizer, operation=call.operation, code=error.code)
                refused = error
                continue
            if (found := own.occurrence_on(rows(body), day)) is not None:
                return found
        if refused is not None and not refused.gone:
            raise refused
        return None

    async def _exceptions(self) -> bool:
        """Change what is not over of the exceptions that lack the text; say whether anything was written."""
        written = False
        last: ExchangeError | None = None
        for _ in range(ATTEMPTS):
            last = None
            for text in await self._left():
                try:
                    call = self._call(text)
                    if call is not None:
                        await self._transport.call(call)
                        written = True
                except _CannotWriteError as error:
                    log.warning("graph.update.left-alone", organizer=self._organizer, why=str(error))
                except OutcomeUnknownError as error:
                    written, last = True, error
                except RefusedError as error:
                    log.info("graph.update.exception-refused", organizer=self._organizer, code=error.code)
                    last = error if error.gone or error.status in CONFLICTS else last
            if last is None:
                return written
        raise self._changing(last)

    async def _left(self) -> list[Text]:
        try:
            whole = (await self._transport.call(own.get_exceptions(self._organizer, self._master))).body
        except RefusedError as error:
            log.info("graph.update.no-exceptions", organizer=self._organizer, code=error.code)
            return []
        found = own.read_exceptions(whole)
        return [t for t in found if not t.cancelled and (t.ends is None or t.ends > self._now)]

    def _changing(self, last: ExchangeError | None) -> TryLaterError:
        return TryLaterError(
            "the organizer's meeting changes faster than we can",
            code=last.code if last else "",
            mailbox=self._organizer,
        )


class _CannotWriteError(Exception):
    """Writing this text back would lose some of it."""
