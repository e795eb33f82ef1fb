"""What recovery does with one meeting: pure. The normal pass decides; this says in the words of a plan what that comes to.

```
 no record, or one without an alias ──▶ ticket ──▶ keep-alias       room ──▶ adopt-room       neither ──▶ new-alias
                    └── nobody has accepted it ──▶ answer
 a record with its alias ──┬── something is to be said, or was broken off ──▶ answer
                           ├── instructions stand nowhere yet ──▶ new-alias
                           ├── the platform has no such room, or another ──▶ make-room
                           └── leave
 no room for it ──▶ answer, if somebody is to be told or a room is to be closed, else leave
```
"""

from dataclasses import dataclass
from datetime import datetime

from greenroom.meetings.decision import Decision
from greenroom.meetings.kin import LIVING
from greenroom.meetings.meeting import Observation, Response
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.scheduler.recovery.contract import Fate

AS_IT_SHOULD_BE = "as-it-should-be"
DECLINED_BEFORE = "declined-before"
UNANSWERED = "unanswered"
UNREADABLE = "unreadable"
WAITS = "waits"
UNTOLD = "untold"
MISSING = "missing"
DIFFERS = "differs"

_PLAIN = {
    Reason.OVER: "over",
    Reason.LONG_OVER: "over",
    Reason.PAST: "over",
    Reason.TICKET_FOREIGN: "foreign",
    Reason.PERSONAL_ROOM: "personal",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a meeting. `told` says that somebody gets a mail or an update by it."""

    fate: Fate
    detail: str
    told: bool = False


def judge(  # noqa: PLR0911 (one return for each line of the picture above)
    observation: Observation,
    before: Record | None,
    decision: Decision,
    now: datetime,
    *,
    updates: bool,
    room: str = "",
) -> Judged:
    """Say what becomes of a meeting for which the normal pass decides this.

    `before` is its record; `room` is empty where the platform has its room as it should be, or does not tell, else MISSING
    or DIFFERS. Without `updates` what asks for an answer is left to the running service, but for meetings that were accepted.
    """
    if decision.again is not None:
        return Judged(Fate.LEAVE, WAITS)
    if not decision.provide:
        return _without_room(observation, before, decision, updates=updates)
    if before is None or before.alias_number is None or decision.alias is not AliasSource.RECORD:
        return _with_alias(observation, before, decision, updates=updates)
    if decision.outcome is not None:
        return Judged(Fate.ANSWER, decision.reason.value, told=True) if updates else Judged(Fate.LEAVE, UNANSWERED)
    if before.state is not State.SCHEDULED:
        return Judged(Fate.ANSWER, before.state.value)
    if room:
        return Judged(Fate.MAKE, room)
    if before.instructions in (InstructionsState.NONE, InstructionsState.LEFT) and updates:
        return Judged(Fate.NEW, UNTOLD, told=True)
    if decision.reason is not Reason.UNCHANGED:
        recovered = decision.reason is Reason.RECOVERED  # the record is an old one, and the change was answered since
        return Judged(Fate.KEEP if recovered else Fate.ANSWER, decision.reason.value)
    if before.retry_at is not None:
        return Judged(Fate.ANSWER, WAITS) if before.retry_at <= now else Judged(Fate.LEAVE, WAITS)
    return Judged(Fate.LEAVE, AS_IT_SHOULD_BE)


def _with_alias(observation: Observation, before: Record | None, decision: Decision, *, updates: bool) -> Judged:
    """Judge a meeting that gets an alias, for the first time or another one."""
    accepted = observation.response is Response.ACCEPTED
    known = before is not None and before.alias_number is not None
    if decision.outcome is None:
        fate = {AliasSource.ROOM: Fate.ADOPT, AliasSource.DRAW: Fate.NEW}.get(
            decision.alias or AliasSource.RECORD, Fate.KEEP
        )
        return Judged(fate, decision.reason.value, told=fate is Fate.NEW and updates)
    if not updates and (known or not accepted):
        return Judged(Fate.LEAVE, UNANSWERED)
    if accepted and decision.alias in (AliasSource.DRAW, AliasSource.KIN):
        return Judged(Fate.NEW, decision.reason.value, told=updates)
    return Judged(Fate.ANSWER, decision.reason.value, told=updates)


def _without_room(observation: Observation, before: Record | None, decision: Decision, *, updates: bool) -> Judged:
    lives = before is not None and before.state in LIVING and decision.state is not None
    reason = decision.reason.value
    if decision.outcome is not None:
        return Judged(Fate.ANSWER, reason, told=True) if updates else Judged(Fate.LEAVE, UNANSWERED)
    if decision.retire or (lives and decision.reason is not Reason.OVER):
        return Judged(Fate.ANSWER, reason)
    if observation.response is Response.DECLINED or (before is not None and before.state is State.DECLINED):
        return Judged(Fate.LEAVE, _PLAIN.get(decision.reason, DECLINED_BEFORE))
    return Judged(Fate.LEAVE, _PLAIN.get(decision.reason, reason))
