"""One meeting while a pass works on it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from greenroom.meetings.decision import Decision, reply_identity
from greenroom.meetings.meeting import Observation
from greenroom.meetings.record import JournalEntry, Record
from greenroom.meetings.reply import Outcome
from greenroom.meetings.room import RoomSpec

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
            self.record, attempts=self.record.attempts + 1, retry_at=now + max(pause, after or timedelta()), updated_at=now
        )
        self.waiting = True

    @property
    def identity(self) -> str | None:
        """The identity of the reply that is due, or None."""
        return None if self.outcome is None else reply_identity(self.outcome, self.observation)


def take_journal(cases: list[Case]) -> list[JournalEntry]:
    """Take what is to be stored out of the cases, in order."""
    entries = [entry for case in cases for entry in case.journal]
    for case in cases:
        case.journal.clear()
    return entries
