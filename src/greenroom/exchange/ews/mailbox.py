"""`EwsMailbox`: one equipment mailbox on Exchange Server, keeping the contract of `greenroom.exchange.contract.Mailbox`.

Messages are triggers and calendar items the truth, with `AutomateProcessing` `AutoUpdate` (Exchange writes the item) and
`None` (only the request is there; accepting it makes the item).
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import httpx2
import structlog

from greenroom.exchange.addresses import address
from greenroom.exchange.contract import (
    MARKS,
    Changes,
    Cursor,
    Hint,
    InvitationEdit,
    Permitted,
    Reply,
    ReplyResult,
    Trial,
    TrialMeeting,
    Unreadable,
    UpdateResult,
)
from greenroom.exchange.errors import ExchangeError, ItemGoneError, MisconfiguredError, NotPermittedError, TryLaterError
from greenroom.exchange.ews import items, marks, search, sync
from greenroom.exchange.ews.directory import Directory
from greenroom.exchange.ews.faults import (
    PROPERTY_REFUSED,
    UNREACHABLE_MAILBOX,
    RefusedRequestError,
    broken,
    is_about_content,
    not_sent,
)
from greenroom.exchange.ews.finding import find_ids
from greenroom.exchange.ews.organizer import update_text
from greenroom.exchange.ews.reading import Reader
from greenroom.exchange.ews.replies import batches, read_results, respond
from greenroom.exchange.ews.settings import EwsSettings
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.exchange.ews.trials import Trials
from greenroom.exchange.ews.wakeups import Wakeups
from greenroom.exchange.ews.walking import Walk
from greenroom.meetings.meeting import Glance, ItemRef, Kind, MeetingKey, Observation

log = structlog.get_logger(__name__)

_OLDEST_SERVER = 15
_PAGE = 512


def _now() -> datetime:
    return datetime.now(UTC)


class EwsMailbox:
    """One equipment mailbox over EWS. `transport` replaces the network in tests; `clock` gives aware UTC."""

    def __init__(
        self,
        settings: EwsSettings,
        transport: httpx2.AsyncBaseTransport | None = None,
        *,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._settings = settings
        self._address = settings.address
        self._clock = clock
        self._transport = EwsTransport(settings, clock=clock, http=transport)
        self._directory = Directory(self._transport, self._address, clock=clock)
        self._reader = Reader(self._transport, self._address, self._directory)
        self._trials = Trials(self._transport, impersonate=settings.impersonate)
        self._plain: set[sync.Folder] = set()  # where this server gives only ids; learnt anew after every start

    @property
    def address(self) -> str:
        """The mailbox's primary SMTP address, lower case."""
        return self._address

    @property
    def sends_per_minute(self) -> None:
        """Exchange Server does not limit how many messages a mailbox sends (MessageRateLimit is unlimited by default)."""

    @property
    def credential_expires_at(self) -> None:
        """Passwords do not say when they run out."""

    @property
    def server_version(self) -> str | None:
        """Exchange's version as its last answer gave it, such as "15.2.1748.10"."""
        return self._transport.version

    async def changes(self, cursor: Cursor, *, limit: int) -> Changes:
        """Return what changed in the Inbox and then in the Calendar, up to `limit` items of each.

        The Inbox comes first, so that what Exchange did about a message is in this calendar slice or in a later one.
        """
        place = sync.Place.of(cursor)
        inbox = await self._slice("inbox", place.inbox, limit)
        return sync.merge(inbox, await self._slice("calendar", place.calendar, limit))

    async def _slice(self, folder: sync.Folder, state: str, limit: int) -> sync.Slice:
        plain = folder in self._plain
        try:
            return await self._sync(folder, state, limit, plain=plain)
        except RefusedRequestError as error:
            if plain or error.code not in PROPERTY_REFUSED:
                raise
            refused = error.code
        found = await self._sync(folder, state, limit, plain=True)
        log.warning("ews.sync.plain", mailbox=self._address, folder=folder, code=refused)
        self._plain.add(folder)
        return found

    async def _sync(self, folder: sync.Folder, state: str, limit: int, *, plain: bool) -> sync.Slice:
        reply = await self._transport.call(sync.sync(folder, state, limit, plain=plain), self._address)
        return sync.read_sync(reply, folder, mailbox=self._address)

    async def inventory(self, since: datetime) -> list[Glance]:  # noqa: ARG002 (the feed does not know when meetings are)
        """List everything the feed would tell from its beginning; what left meanwhile is left out."""
        cursor, more = "", True
        glances: dict[str, Glance] = {}
        while more:
            changes = await self.changes(cursor, limit=_PAGE)
            cursor, more = changes.cursor, changes.more
            glances |= {glance.ref.id: glance for glance in changes.glances}
            for gone in changes.gone:
                glances.pop(gone, None)
        return list(glances.values())

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items in batches of ten; see `greenroom.exchange.ews.reading`."""
        return await self._reader.read(refs)

    async def pages(
        self, since: datetime, until: datetime | None = None
    ) -> AsyncGenerator[Sequence[Observation | Unreadable]]:
        """Read the calendar a hundred items at a time, as `greenroom.exchange.ews.walking` lists them."""
        walk = Walk(self._transport, self._address, self._reader.read_many, since, until)
        async with aclosing(walk.pages()) as pages:
            async for page in pages:
                yield page

    async def marks(self) -> Mapping[str, str]:
        """Return what was left on the calendar folder under the names in `MARKS`."""
        reply = await self._transport.call(marks.get_marks(MARKS), self._address)
        return marks.read_marks(reply, mailbox=self._address)

    async def mark(self, name: str, text: str | None) -> None:
        """Leave a text on the calendar folder, or take it away; after OutcomeUnknownError look whether it is there."""
        reply = await self._transport.call(marks.set_mark(name, text), self._address)
        marks.read_set(reply, mailbox=self._address)

    async def find(self, key: MeetingKey) -> Observation | None:
        """Find a meeting in the calendar: of several items with one key the series, the running one, the newest.

        One occurrence is found where it stands alone: where its series is, it is a part of that and not found by itself.
        Raises what keeps an item from being read: a meeting that is there must not pass for one that is gone.
        """
        ids = await find_ids(self._transport, self._address, key)
        if not ids:
            return None
        results = await self._reader.read([ItemRef(i) for i in ids])
        for result in results:
            if isinstance(result, Unreadable) and result.error and not isinstance(result.error, ItemGoneError):
                raise result.error
        found = [result for result in results if isinstance(result, Observation)]
        if key.occurrence is not None and any(o.kind is Kind.SERIES and o.key == key.clean for o in found):
            return None
        return max((o for o in found if o.key == key), key=items.standing, default=None)

    async def respond(self, replies: Sequence[Reply]) -> list[ReplyResult]:
        """Send replies, up to 25 in one request, those not to be sent in requests of their own.

        A request refused for its content is cut in halves until the reply to blame stands alone. When a request fails after
        another was answered, the results say so item by item, and nothing more is sent; the first one's failure is raised.
        """
        results: dict[int, ReplyResult] = {}
        waiting = deque(batches(replies))
        while waiting:
            batch = waiting.popleft()
            wanted = [replies[i] for i in batch]
            try:
                reply = await self._transport.call(respond(wanted), self._address)
                answers = read_results(reply, wanted, mailbox=self._address)
            except ExchangeError as error:
                if is_about_content(error) and len(batch) > 1:
                    half = len(batch) // 2
                    waiting.extendleft((batch[half:], batch[:half]))
                    continue
                if is_about_content(error):
                    answers = [ReplyResult(wanted[0].ref, broken(error))]
                elif results:
                    log.warning("ews.respond.stopped", mailbox=self._address, code=error.code, sent=len(results))
                    answers = [ReplyResult(one.ref, error) for one in wanted]
                    unsent = not_sent(error)
                    results |= {i: ReplyResult(replies[i].ref, unsent) for rest in waiting for i in rest}
                    waiting.clear()
                else:
                    raise
            results |= dict(zip(batch, answers, strict=True))
        return [results[i] for i in range(len(replies))]

    async def update_invitation(
        self, organizer: str, key: MeetingKey, edit: InvitationEdit, *, notify: bool = True
    ) -> UpdateResult:
        """Change the organizer's own meeting, or one occurrence, by impersonation; with `notify` false nobody is told."""
        if not self._settings.impersonate:
            return UpdateResult.REFUSED
        person = address(organizer)
        if "@" not in person:
            return UpdateResult.REFUSED
        now = self._clock()
        return await update_text(
            self._transport, person, key, edit, notify=notify, resolve=self._directory.smtp, now=now
        )

    async def may_act_for(self, person: str) -> Permitted:
        """Look whether somebody's calendar can be opened."""
        return await self._trials.may_act_for(person)

    async def book_trial(self, organizer: str, attendee: str, trial: Trial) -> None:
        """Book a trial; see `greenroom.exchange.ews.trials`."""
        await self._trials.book(organizer, attendee, trial)

    async def trials(self, organizer: str, attendee: str) -> list[TrialMeeting]:
        """Return the trials in somebody's calendar."""
        return await self._trials.find(organizer, attendee)

    async def cancel_trial(self, organizer: str, ref: ItemRef) -> None:
        """Cancel a trial."""
        await self._trials.cancel(organizer, ref)

    async def wakeups(self) -> AsyncGenerator[Hint]:
        """Yield whenever Exchange tells of events in Inbox or Calendar, once per burst."""
        wakeups = Wakeups(self._transport, self._address, minutes=self._settings.stream_minutes)
        async with aclosing(wakeups.hints()) as hints:
            async for _ in hints:
                yield Hint.LOOK

    async def check(self) -> None:
        """Sign in and look at the calendar folder once; raises what is wrong."""
        reply = await self._transport.call(search.look_at_calendar(), self._address)
        try:
            search.read_look(reply, mailbox=self._address)
        except TryLaterError:
            raise
        except ExchangeError as error:
            if self._settings.impersonate or error.code in UNREACHABLE_MAILBOX:
                raise
            what = f"the account is not the mailbox {self._address} itself, and has no full access to it ({error.code})"
            raise NotPermittedError(what, code=error.code, mailbox=self._address) from None
        major = (self._transport.version or "").partition(".")[0]
        if major.isdigit() and int(major) < _OLDEST_SERVER:
            raise MisconfiguredError(
                f"{self._settings.host} runs Exchange version {self._transport.version}",
                hint="Exchange Server 2016 or newer is needed",
                code="old-server",
            )

    async def close(self) -> None:
        """Close connections."""
        await self._transport.close()
