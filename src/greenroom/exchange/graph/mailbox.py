"""`GraphMailbox`: one equipment mailbox in Microsoft 365, keeping the contract of `greenroom.exchange.contract.Mailbox`.

Calendar events are the truth and the only thing looked at: Exchange applies many updates without showing a message, and only
events can be answered. The mailbox must be set to `AutomateProcessing` `AutoUpdate`: with `None` no event is ever made.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import httpx2
import structlog

from greenroom.exchange.contract import (
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
from greenroom.exchange.errors import ItemGoneError, NotPermittedError
from greenroom.exchange.graph import facts, finding, own, shapes
from greenroom.exchange.graph.call import Call, RefusedError, path
from greenroom.exchange.graph.feed import Feed
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.inventory import Inventory
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.marks import Marks
from greenroom.exchange.graph.organizer import Organizers
from greenroom.exchange.graph.pages import Pages
from greenroom.exchange.graph.reading import Masters, Reader
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.replies import Replies
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.exchange.graph.trials import Trials
from greenroom.exchange.graph.wakeups import Wakeups
from greenroom.meetings.meeting import Glance, ItemRef, MeetingKey, Observation

log = structlog.get_logger(__name__)

SENDS_PER_MINUTE = 30
"""What Exchange Online lets one mailbox send ("Exchange Online limits", message rate limit)."""


def _now() -> datetime:
    return datetime.now(UTC)


class GraphMailbox:
    """One equipment mailbox over Graph.

    `limits` is shared by all mailboxes of one application, `intake` hands on what was posted to the notification address,
    `http` replaces the network in tests; `clock` gives aware UTC.
    """

    def __init__(
        self,
        settings: GraphSettings,
        *,
        limits: Limits,
        clock: Callable[[], datetime] = _now,
        http: httpx2.AsyncBaseTransport | None = None,
        intake: GraphIntake | None = None,
    ) -> None:
        self._settings = settings
        self._address = settings.address
        self._clock = clock
        self._intake = intake
        self._transport = GraphTransport(settings, limits=limits, clock=clock, http=http)
        masters = Masters()
        self._feed = Feed(self._transport, self._address, masters, clock=clock)
        self._inventory = Inventory(self._transport, self._address)
        self._reader = Reader(self._transport, self._address, masters)
        self._pages = Pages(self._transport, self._address, self._reader)
        self._replies = Replies(self._transport, self._address)
        self._organizers = Organizers(self._transport, clock=clock)
        self._marks = Marks(self._transport, self._address)
        self._trials = Trials(self._transport, allowed=settings.update_organizers)

    @property
    def address(self) -> str:
        """The mailbox's primary SMTP address, lower case."""
        return self._address

    @property
    def sends_per_minute(self) -> int:
        """How many messages Exchange Online lets this mailbox send a minute."""
        return SENDS_PER_MINUTE

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the secret or certificate that signs in runs out; None where that is not known."""
        return self._settings.tokens.expires_at

    async def changes(self, cursor: Cursor, *, limit: int) -> Changes:
        """Return what changed since `cursor`; see `greenroom.exchange.graph.feed`. Nothing is ever told to be gone."""
        return await self._feed.changes(cursor, limit=limit)

    async def inventory(self, since: datetime) -> list[Glance]:
        """List single meetings that end after `since` and all series.

        Pages are cut by position, so a meeting that was deleted while they were read may hide another one: what is missing
        must be looked for by `find` before it counts as gone.
        """
        return [facts.glance(row) for row in await self._inventory.rows(since)]

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items; see `greenroom.exchange.graph.reading`."""
        return await self._reader.read(refs)

    async def find(self, key: MeetingKey) -> Observation | None:
        """Find a meeting in the calendar: of several events with one key the series, the running one, the newest.

        Raises what keeps an event from being read: a meeting that is there must not pass for one that is gone.
        """
        results = await self._results(key)
        for result in results:
            if isinstance(result, Unreadable) and result.error and not isinstance(result.error, ItemGoneError):
                raise result.error
        found = [result for result in results if isinstance(result, Observation)]
        return max((o for o in found if o.key == key), key=facts.standing, default=None)

    async def _results(self, key: MeetingKey) -> list[Observation | Unreadable]:
        def listed(where: str) -> Call:
            return shapes.list_whole(self._address, where=where, top=finding.MOST_HITS)

        try:
            search = await finding.search(self._transport, self._address, key, listed)
        except RefusedError as error:
            if error.gone or error.elsewhere:
                raise for_mailbox(error, self._address) from error
            search = finding.Search((), whole=False)
        if search.hits or search.whole:
            return await self._reader.read_listed([hit.row for hit in search.hits])
        log.info("graph.find.listing", mailbox=self._address)
        rows = await self._inventory.rows()
        return await self._reader.read([row.ref for row in rows if facts.key_of(row) == key])

    async def respond(self, replies: Sequence[Reply]) -> list[ReplyResult]:
        """Send replies, one request each; see `greenroom.exchange.graph.replies`."""
        return await self._replies.send(replies)

    async def update_invitation(self, organizer: str, key: MeetingKey, edit: InvitationEdit) -> UpdateResult:
        """Change the organizer's own meeting, which Exchange sends to its attendees.

        The key of one occurrence changes that occurrence alone, and not the series it is part of.
        """
        person = own.person(organizer)
        if not self._settings.update_organizers or not person:
            return UpdateResult.REFUSED
        return await self._organizers.update(person, key, edit)

    async def may_act_for(self, person: str) -> Permitted:
        """Look whether somebody's calendar can be opened."""
        return await self._trials.may_act_for(person)

    async def book_trial(self, organizer: str, attendee: str, trial: Trial) -> None:
        """Book a trial; see `greenroom.exchange.graph.trials`."""
        await self._trials.book(organizer, attendee, trial)

    async def trials(self, organizer: str, attendee: str) -> list[TrialMeeting]:
        """Return the trials in somebody's calendar."""
        return await self._trials.find(organizer, attendee)

    async def cancel_trial(self, organizer: str, ref: ItemRef) -> None:
        """Cancel a trial."""
        await self._trials.cancel(organizer, ref)

    async def pages(
        self, since: datetime, until: datetime | None = None
    ) -> AsyncGenerator[Sequence[Observation | Unreadable]]:
        """Read the calendar page by page; see `greenroom.exchange.graph.pages`."""
        async with aclosing(self._pages.walk(since, until)) as pages:
            async for page in pages:
                yield page

    async def marks(self) -> Mapping[str, str]:
        """Return the marks on the calendar folder; see `greenroom.exchange.graph.marks`."""
        return await self._marks.read()

    async def mark(self, name: str, text: str | None) -> None:
        """Leave a mark on the calendar folder, or take it away."""
        await self._marks.write(name, text)

    async def wakeups(self) -> AsyncGenerator[Hint]:
        """Yield what notifications ask for; ends at once where none can come in."""
        wakeups = Wakeups(self._transport, self._settings, self._intake, self._clock)
        async with aclosing(wakeups.hints()) as hints:
            async for hint in hints:
                yield hint

    async def check(self) -> None:
        """Sign in and look at the calendar once; raises what is wrong."""
        look = Call("GetCalendar", "GET", path("users", self._address, "calendar"), self._address, {"$select": "id"})
        try:
            await self._transport.call(look)
        except NotPermittedError as error:
            sentence = (
                f"the application may not use the calendar of {self._address} ({error.code}): give it the role Application "
                "Calendars.ReadWrite in Exchange Online, with a scope that holds this mailbox; a change takes up to two hours"
            )
            raise NotPermittedError(sentence, code=error.code, mailbox=self._address) from error
        except RefusedError as error:
            raise for_mailbox(error, self._address) from error

    async def close(self) -> None:
        """Close connections."""
        await self._transport.close()
