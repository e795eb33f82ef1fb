"""Rooms that are late: when to try again as the start comes near, and the one mail that tells the organizer.

```
 first failure ──▶ pauses that grow ──▶ `warn_before` the start ──▶ a mail, once ──▶ tried every minute until it is over
```

The mail is a tentative answer: it needs no right beside those for replies, the calendar shows that nothing is settled yet, and the
accept that follows speaks for itself. It is sent at most once: that it is going out is stored before.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Reply, ReplyResult, Verdict
from greenroom.exchange.errors import ExchangeError, OutcomeUnknownError
from greenroom.meetings.admission import Admission
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import ROOM_LATE, timing
from greenroom.scheduler.case import Case, Clock, take_journal
from greenroom.scheduler.household import admission_of, times_of
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.line import ReplyLine
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_CLOSE = timedelta(minutes=1)
"""So often a room is tried for when somebody may want to dial it by now."""
_TRIES = 2
"""A platform that was restarted is back by the third try: that is worth nobody's mail."""


def hurried(integration: Integration, record: Record, admission: Admission, now: datetime, after: timedelta) -> Record:
    """Look again sooner than the pause says where the start is near; never sooner than the platform asked (`after`)."""
    starts = _next_start(admission, now)
    if starts is None or record.retry_at is None:
        return record
    near = starts - max(integration.policy.warn_before, integration.policy.before)
    due = near if now < near else now + _CLOSE
    return replace(record, retry_at=min(record.retry_at, max(due, now + after)))


async def warn_late(
    integration: Integration, storage: Storage, line: ReplyLine, cases: Sequence[Case], clock: Clock
) -> None:
    """Tell organizers whose room is late and whose meeting starts soon. Raises nothing: a warning is worth no meeting."""
    now = clock()
    late = [case for case in cases if integration.manner.updates and _is_worth_a_warning(integration, case, now)]
    late = late[: line.seize(len(late), now)]
    if not late:
        return
    for case in late:
        case.record = replace(case.record, warned_at=now)
    await _store(storage, late)
    replies = [_warning(integration, case) for case in late]
    try:
        results = await integration.mailbox.respond(replies)
    except ExchangeError as error:
        results = [ReplyResult(reply.ref, error) for reply in replies]
    for case, result in zip(late, results, strict=True):
        if result.error is None:
            case.note("replied", ROOM_LATE, now)
            continue
        case.note("replied", "late-untold", now, result.error.code)
        log.warning("organizer not warned", correlation=case.record.correlation_id, code=result.error.code)
        if not isinstance(result.error, OutcomeUnknownError):
            case.record = replace(case.record, warned_at=None)
    await _store(storage, late)


def _is_worth_a_warning(integration: Integration, case: Case, now: datetime) -> bool:
    record, policy = case.record, integration.policy
    waits = case.waiting and record.state is State.DEFECTIVE and record.attempts > _TRIES
    if not waits or record.warned_at is not None or not policy.warn_before:
        return False
    if record.room is not None and not _is_retimed(case):
        return False  # people get in; what could not be changed is not worth a mail
    admission = admission_of(integration, *times_of(record, lives=True))
    starts = _next_start(admission, now)
    return starts is not None and starts - policy.warn_before <= now


def _is_retimed(case: Case) -> bool:
    """Whether it takes place at another time than the organizer was told: the room may not be open then."""
    told = (case.record.replied or "").partition("#")[2].partition("@")[0]
    return told != timing(case.observation)


def _next_start(admission: Admission, now: datetime) -> datetime | None:
    """Return the start of what is running or comes next."""
    window = admission.at(now) or admission.following(now)
    return None if window is None else window.starts


def _warning(integration: Integration, case: Case) -> Reply:
    text = integration.say(ROOM_LATE, {"correlation_id": case.record.correlation_id})
    return Reply(case.observation.ref, Verdict.TENTATIVE, text)


async def _store(storage: Storage, cases: Sequence[Case]) -> None:
    async with storage.work() as work:
        await work.meetings.save([case.record for case in cases])
        await work.journal.append(take_journal(cases))
