"""Watches what becomes of trial meetings: in the equipment mailbox, in our records, and in their organizer's calendar.

Each look goes from the outside in: an answer that shows in a calendar, while what is stored afterwards neither gave one nor was
about to, was not ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from greenroom.exchange.contract import Mailbox, OrganizerCalendars, Trial, TrialMeeting
from greenroom.meetings.meeting import MeetingKey, Observation, Response
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.scheduler.weigh import MESSAGE
from greenroom.storage import Storage, StoredRoom

_DEFINITE: Final = (Response.ACCEPTED, Response.DECLINED)


@dataclass(slots=True)
class Followed:
    """One trial: as it was booked (`word` stands in its text), and all that was seen of it.

    `arrived` is the mailbox's copy as it was seen first, `copy` as it was seen last. `early` is an answer that was not ours.
    `open_seen`: it lay in the calendar unanswered.
    """

    trial: Trial
    word: str
    booked_at: datetime
    key: MeetingKey | None = None
    meeting: TrialMeeting | None = None
    arrived: Observation | None = None
    arrived_at: datetime | None = None
    copy: Observation | None = None
    vanished: bool = False
    record: Record | None = None
    story: tuple[JournalEntry, ...] = ()
    room: StoredRoom | None = None
    early: Response | None = None
    open_seen: bool = False
    done_at: datetime | None = None

    @property
    def replied(self) -> bool:
        """Whether we answered."""
        return any(line.step == "replied" and line.code.startswith(("accept", "decline")) for line in self.story)

    @property
    def past_calendar(self) -> bool:
        """Whether Exchange did not write it into the calendar by itself, and we read its message."""
        read = any((line.step, line.code) == ("seen", MESSAGE) for line in self.story)
        return read and not self.open_seen

    @property
    def settled(self) -> bool:
        """Whether nothing more is to come: our answer is in the organizer's calendar, or there is none."""
        if self.record is not None and self.record.state is State.IGNORED:
            return True
        shown = self.meeting is not None and self.meeting.response in _DEFINITE
        refused = self.early is Response.DECLINED and self.record is None
        return (self.replied and shown) or refused

    @property
    def ended(self) -> bool:
        """Whether a cancellation has come all the way: the meeting is over for us, and its room lets nobody in."""
        over = self.record is None or self.record.state in (State.ENDED, State.DECLINED, State.IGNORED)
        closed = self.room is None or self.room.retired_at is not None
        seen = self.copy is None or self.copy.cancelled or self.past_calendar
        return over and closed and seen


@dataclass(slots=True)
class Watch:
    """Where to look. `theirs` is the side on which the organizer is."""

    number: int
    mailbox: Mailbox
    theirs: OrganizerCalendars
    organizer: str
    storage: Storage
    clock: Callable[[], datetime]
    followed: list[Followed] = field(default_factory=list)

    async def look(self) -> None:
        """Look once at everything. Raises ExchangeError and StorageError."""
        meetings = await self.theirs.trials(self.organizer, self.mailbox.address)
        for one in self.followed:
            mine = next((meeting for meeting in meetings if one.word in meeting.invitation.body_html), None)
            if mine is not None:
                one.key, one.meeting = mine.key, mine
            if one.key is not None:
                self._seen(one, await self.mailbox.find(one.key))
        await self._remember([one for one in self.followed if one.key is not None])

    def _seen(self, one: Followed, copy: Observation | None) -> None:
        if copy is not None and one.arrived is None:
            one.arrived, one.arrived_at = copy, self.clock()
        one.open_seen |= copy is not None and copy.response not in _DEFINITE
        one.vanished = copy is None and one.arrived is not None
        one.copy = copy

    async def _remember(self, known: Sequence[Followed]) -> None:
        keys = [one.key for one in known if one.key is not None]
        async with self.storage.reading() as work:
            records = await work.meetings.by_keys(self.number, keys)
            for one in known:
                record = records.get(one.key) if one.key is not None else None
                if record is None:
                    continue
                one.record = record
                one.story = tuple(await work.journal.of_meeting(self.number, record.key))
                one.room = await work.rooms.by_mark(self.number, record.mark)
        for one in known:
            self._weigh(one)

    def _weigh(self, one: Followed) -> None:
        shown = one.copy.response if one.copy is not None else Response.NONE
        if shown not in _DEFINITE and one.meeting is not None:
            shown = one.meeting.response
        ours = one.replied or (one.record is not None and one.record.replying is not None)
        if shown in _DEFINITE and not ours and one.early is None:
            one.early = shown
        if one.settled and one.done_at is None:
            one.done_at = self.clock()
