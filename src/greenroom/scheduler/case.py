"""One meeting while a pass works on it."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from greenroom.meetings.decision import Decision, reply_identity
from greenroom.meetings.meeting import Observation
from greenroom.meetings.record import JournalEntry, Record, State
from greenroom.meetings.reply import Outcome
from greenroom.meetings.room import RoomSpec

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Step = Callable[[str], None]

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(hours=1)


def no_step(_name: str) -> None:
    """Watch nothing: the usual listener for the steps of a pass."""


@dataclass(slots=True)
class Case:
    """An observation, what was done before, what was decided, and what happened to it in this pass.

    `outcome` begins as the decision's and may become a decline when the platform says no. `waiting` is set when something
    must be tried again later: then nothing further is done for this meeting in this pass.
    """

    observation: Observation
    record: Record
    decision: Decision
    outcome: Outcome | None = None
    spec: RoomSpec | None = None
    instructions: str | None = field(default=None, repr=False)
    waiting: bool = False
    journal: list[JournalEntry] = field(default_factory=list)

    def note(self, step: str, code: str, now: datetime, detail: str = "") -> None:
        """Add a line to the meeting's timeline; codes and ids only."""
        record = self.record
        self.journal.append(
            JournalEntry(record.integration, record.key, record.correlation_id, now, step, code, detail)
        )

    def postpone(self, now: datetime, after: timedelta | None = None) -> None:
        """Try again later: after the pause the other side asked for, or after a growing one."""
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self.record.attempts, 10))
        self.record = replace(
            self.record,
            attempts=self.record.attempts + 1,
            retry_at=now + max(pause, after or timedelta()),
            updated_at=now,
        )
        self.waiting = True

    @property
    def identity(self) -> str | None:
        """The identity of the reply that is due, or None."""
        return None if self.outcome is None else reply_identity(self.outcome, self.observation)

    def set_aside(self, error: Exception, now: datetime) -> None:
        """Keep one meeting that we cannot deal with from holding up all others: a bug, or input nobody thought of.

        It is defective, looked at again later, and the log says where it happened; the error's own text may hold content.
        """
        frame = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "meeting set aside",
            correlation=self.record.correlation_id,
            error=type(error).__name__,
            where=f"{Path(frame.filename).name}:{frame.lineno}",
        )
        self.record = replace(self.record, state=State.DEFECTIVE)
        self.note("decided", "set-aside", now, type(error).__name__)
        self.postpone(now)


def take_journal(cases: list[Case]) -> list[JournalEntry]:
    """Take what is to be stored out of the cases, in order."""
    entries = [entry for case in cases for entry in case.journal]
    for case in cases:
        case.journal.clear()
    return entries
