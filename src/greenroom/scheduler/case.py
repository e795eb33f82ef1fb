"""One meeting while a pass works on it."""

import secrets
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from greenroom.meetings.acceptance import shown_to
from greenroom.meetings.decision import Decision
from greenroom.meetings.evidence import Evidence
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.meetings.reply import Outcome, reply_identity
from greenroom.meetings.room import RoomSpec

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Step = Callable[[str], None]

_FIRST_PAUSE = timedelta(seconds=15)
_GRACE = timedelta(seconds=60)
"""So long after its turn a waiting reply is looked after: whoever keeps the line is dead, or the line moves more slowly."""
_LONGEST_PAUSE = timedelta(hours=1)
_NOTHING = Decision(Reason.UNCHANGED, None)
_NONE = Evidence()
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def no_step(_name: str) -> None:
    """Watch nothing: the usual listener for the steps of a pass."""


def new_record(integration: int, key: MeetingKey, ref: ItemRef, now: datetime) -> Record:
    """Begin the record of a meeting of which nothing is known yet but its key and its item."""
    letters = [secrets.choice(_LETTERS) for _ in range(8)]
    return Record(
        integration=integration,
        key=key,
        correlation_id="".join(letters[:4]) + "-" + "".join(letters[4:]),
        state=State.PENDING,
        kind=Kind.SINGLE,
        organizer="",
        ref=ref,
        created_at=now,
        updated_at=now,
    )


def postponed(record: Record, now: datetime, after: timedelta | None = None) -> Record:
    """Look at a meeting again later: after the pause the other side asked for, or after a growing one."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(record.attempts, 10))
    retry_at = now + max(pause, after or timedelta())
    return replace(record, attempts=record.attempts + 1, retry_at=retry_at, updated_at=now)


def entry_of(record: Record, now: datetime, step: str, code: str, detail: str = "") -> JournalEntry:
    """Write a line of a meeting's timeline; codes and ids only."""
    return JournalEntry(record.integration, record.key, record.correlation_id, now, step, code, detail)


def place_of(error: BaseException) -> str:
    """Say where an error was raised. An unexpected error's own text is never logged: it may hold content."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


@dataclass(slots=True)
class Case:
    """An observation, what was done before, what was decided on which evidence, and what happened to it in this pass.

    `outcome` begins as the decision's and may become a decline when the platform says no. `waiting` is set when something
    must be tried again later, or its reply waits in line: then nothing further is done for this meeting in this pass.
    `leaves_room` is the mark of a room it leaves to others. `made_at` is when its room was made in this pass.
    """

    observation: Observation
    record: Record
    decision: Decision = _NOTHING
    evidence: Evidence = _NONE
    outcome: Outcome | None = None
    spec: RoomSpec | None = None
    instructions: str | None = field(default=None, repr=False)
    waiting: bool = False
    leaves_room: str | None = None
    made_at: datetime | None = None
    journal: list[JournalEntry] = field(default_factory=list)

    def note(self, step: str, code: str, now: datetime, detail: str = "") -> None:
        """Add a line to the meeting's timeline; codes and ids only."""
        self.journal.append(entry_of(self.record, now, step, code, detail))

    def postpone(self, now: datetime, after: timedelta | None = None) -> None:
        """Try again later, and do nothing more for this meeting in this pass."""
        self.record = postponed(self.record, now, after)
        self.waiting = True

    def await_turn(self, turn: datetime, now: datetime) -> None:
        """Wait in line. That is no fault: no attempt is counted, and one line in the journal is enough, however long it takes.

        Should the line be lost, the meeting is looked at again soon after its turn would have been.
        """
        if not self.waiting and (self.record.retry_at is None or self.record.attempts):
            self.note("replied", "waits", now)
        self.record = replace(self.record, retry_at=turn + _GRACE, updated_at=now)
        self.waiting = True

    def is_stored_as(self, stored: Record | None) -> bool:
        """Whether nobody has touched this meeting's record since we stored it."""
        ours = self.record
        return stored is not None and (
            (stored.state, stored.updated_at, stored.retry_at, stored.replied, stored.replying)
            == (ours.state, ours.updated_at, ours.retry_at, ours.replied, ours.replying)
        )

    @property
    def identity(self) -> str | None:
        """The identity of the reply that is due, or None."""
        if self.outcome is None:
            return None
        return reply_identity(self.outcome, self.observation, self.decision.occurrence)

    @property
    def target(self) -> ItemRef:
        """What is answered: the meeting's item, or that of one of its occurrences."""
        day = self.decision.answers_occurrence
        changed = next((one for one in self.observation.changed if day is not None and one.day == day), None)
        return self.observation.ref if changed is None or changed.ref is None else changed.ref

    @property
    def times(self) -> tuple[datetime, datetime] | None:
        """When that takes place: the first occurrence of a series that is answered as a whole."""
        day, span, series = self.decision.answers_occurrence, self.observation.span, self.observation.series
        moved = next((one for one in (series.moved if series else ()) if day is not None and one.day == day), None)
        if moved is not None:
            return moved.start, moved.end
        return None if span is None else (span.start, span.end)

    @property
    def answered_at(self) -> datetime | None:
        """The time of our last answer to the target, as the calendar shows it."""
        shown = shown_to(self.observation, self.decision.answers_occurrence)
        return None if shown is None else shown[1]

    def set_aside(self, error: Exception, now: datetime) -> None:
        """Keep one meeting that we cannot deal with from holding up all others: a bug, or input nobody thought of.

        It is defective, looked at again later, and the log says where it happened.
        """
        log.error(
            "meeting set aside",
            correlation=self.record.correlation_id,
            error=type(error).__name__,
            where=place_of(error),
        )
        self.record = replace(self.record, state=State.DEFECTIVE)
        self.note("decided", "set-aside", now, type(error).__name__)
        self.postpone(now)


def take_journal(cases: Sequence[Case]) -> list[JournalEntry]:
    """Take what is to be stored out of the cases, in order."""
    entries = [entry for case in cases for entry in case.journal]
    for case in cases:
        case.journal.clear()
    return entries
