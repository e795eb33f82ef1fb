"""The last step of a pass: reply, many in one request, and store what became of each.

Before replies go out their identities are stored as "about to be sent". If the answer gets lost, the next pass looks at the
calendar (`decision.settle`) instead of sending again.

Where Exchange lets a mailbox send only so many messages a minute, replies wait in line (`ReplyLine`), the soonest meetings first:

```
 due ──┬── only marked in the calendar ───────────────────┐
       └── mailed ──▶ line ──┬── whose turn it is ────────┴──▶ intent ──▶ replies ──▶ stored, with journal
                             └── the others: stored, to be looked at after their turn; answered from memory before
```
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Reply, ReplyResult, Verdict
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    NotPermittedError,
    OutcomeUnknownError,
    TryLaterError,
)
from greenroom.meetings.acceptance import handled_by, next_review, shown_to
from greenroom.meetings.admission import Admission
from greenroom.meetings.meeting import Response
from greenroom.meetings.record import InstructionsState, Record
from greenroom.meetings.reply import facts_of
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, Clock, Step, postponed, take_journal
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.line import ReplyLine
from greenroom.scheduler.waiting import MARKED, OUTCOME_UNKNOWN, queue_up, whose_turn
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_LONGEST_WORK = timedelta(seconds=60)
"""Exchange ends a request by itself after about a minute: until then, one without an answer may still be carried out."""
_TOGETHER = 4
"""Replies in one request where they are counted: a slow one must not take the turn of many others with it."""
_PAUSE = timedelta(seconds=15)
_TRIES = 4
"""So often an occurrence that is broken is tried again."""

_Written = list[tuple[Case, Reply]]


async def answer(
    integration: Integration,
    storage: Storage,
    line: ReplyLine,
    cases: Sequence[Case],
    clock: Clock,
    *,
    step: Step,
    hold: bool = False,
) -> None:
    """Send the replies that are due and whose turn it is, and bring every meeting that is done to its state.

    Those of `cases` whose turn is later wait; some that waited before may be answered now, unless the line is on `hold`. Raises
    nothing for single meetings; a fault of the whole request postpones all replies of it.
    """
    now = clock()
    if not integration.manner.updates:
        for case in cases:
            case.outcome = None
    due = [case for case in cases if case.outcome is not None and not case.waiting]
    mailed = [case for case in due if _is_mailed(case)]
    queue_up(line, mailed)
    decided = {case.record.key for case in mailed}
    ready = [] if hold else await whose_turn(integration, storage, line, decided, now)
    waiting = [case for case in mailed if line.get(case.record.key) is case]
    for case in waiting:
        case.await_turn(line.turn(case.record.key, now), now)
    marked = [case for case in due if not _is_mailed(case) and not _is_shown(case)]
    replies = [(case, reply) for case in (*marked, *ready) if (reply := _written(integration, case, now)) is not None]
    if replies or waiting:
        await _intend(storage, [case for case, _ in replies], waiting, now)
        step("intent" if replies else "waits")
    if replies:
        await _send(integration, line, replies, clock)
        step("replies")
        now = clock()
    stored = {id(case) for case in waiting}
    through = list({id(case): case for case in (*cases, *ready) if id(case) not in stored}.values())
    for case in through:
        _finish(integration, case, now)
    if through:
        async with storage.work() as work:
            await work.meetings.save([case.record for case in through])
            await work.journal.append(take_journal(through))


async def _intend(storage: Storage, due: Sequence[Case], waiting: Sequence[Case], now: datetime) -> None:
    """Store what is about to be said, due at once: whoever comes after a crash looks what became of it. And who waits."""
    for case in due:
        case.record = replace(
            case.record,
            replying=case.identity,
            answered_before=case.answered_at,
            retry_at=now,
            updated_at=now,
        )
    async with storage.work() as work:
        await work.meetings.save([case.record for case in (*due, *waiting)])
        await work.journal.append(take_journal(waiting))


async def _send(integration: Integration, line: ReplyLine, due: _Written, clock: Clock) -> None:
    size = len(due) if line.per_minute is None else _TOGETHER
    for start in range(0, len(due), size):
        part, rest = due[start : start + size], due[start + size :]
        try:
            results = await integration.mailbox.respond([reply for _, reply in part])
        except (TryLaterError, NotPermittedError) as error:
            results = [ReplyResult(reply.ref, error) for _, reply in part]
        now = clock()  # pauses begin when the request ended: it may have taken as long as Exchange lets it
        line.left(_mails([*part, *rest]), now)
        for (case, reply), result in zip(part, results, strict=True):
            if result.error is None:
                told = case.record.instructions is InstructionsState.LEFT and case.instructions is not None
                case.record = replace(
                    case.record,
                    replied=case.identity,
                    replying=None,
                    answered_before=None,
                    attempts=0,
                    instructions=InstructionsState.IN_REPLY if told else case.record.instructions,
                )
                mailed = reply.send and result.mailed
                case.note("replied", case.outcome.value if case.outcome else "", now, "" if mailed else MARKED)
            else:
                _failed(line, case, reply, result.error, now)
        faults = [result.error for result in results]
        pauses = [_after(fault) or _PAUSE for fault in faults if isinstance(fault, TryLaterError | NotPermittedError)]
        if pauses and line.per_minute is not None:
            line.close(now + max(_PAUSE, *pauses))
            _put_back(line, rest, now)
            return


def _put_back(line: ReplyLine, unsent: _Written, now: datetime) -> None:
    """Let replies wait again whose turn had come and that were not tried, because those before them failed."""
    for case, reply in unsent:
        case.record = replace(case.record, replying=None, answered_before=None)
        if reply.send:
            line.put([case])
            case.await_turn(line.turn(case.record.key, now), now)
        else:
            case.postpone(now)


def _mails(due: _Written) -> int:
    return sum(reply.send for _, reply in due)


def _written(integration: Integration, case: Case, now: datetime) -> Reply | None:
    try:
        return _reply(integration, case, now)
    except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
        case.set_aside(error, now)
        return None


def _reply(integration: Integration, case: Case, now: datetime) -> Reply:
    outcome = case.outcome
    if outcome is None:
        raise ValueError("no reply is due")
    if outcome.accepts:
        if case.spec is None:
            raise ValueError("an accept needs its room")
        latency = integration.platform.capabilities.latency
        ready_in = _ready_in(case.made_at, latency, case.spec.admission, now)
        body = wording.acceptance_html(
            integration, outcome, case.times, case.spec, case.instructions, ready_in=ready_in
        )
        return Reply(case.target, Verdict.ACCEPT, body, send=_is_mailed(case))
    body = wording.refusal_html(integration, outcome, case.record)
    return Reply(case.observation.ref, Verdict.DECLINE, body, send=_is_mailed(case))


def _ready_in(made_at: datetime | None, latency: timedelta, admission: Admission, now: datetime) -> int | None:
    """In how many seconds a room that was just made can be dialled; None where that is before anybody is let in."""
    ready = None if made_at is None else made_at + latency
    if ready is None or ready <= now:
        return None
    coming = admission.following(now)
    if not admission.is_open(now) and (coming is None or coming.opens >= ready):
        return None
    return math.ceil((ready - now).total_seconds())


def _is_mailed(case: Case) -> bool:
    """Whether a reply is mailed: where no answers were asked for or policy wants none, only what stands nowhere else."""
    if case.outcome is None or not case.outcome.accepts:
        return case.decision.mail
    if case.spec is None:
        return False  # a fault, which is told where the reply is written
    carries = case.instructions is not None or case.spec.host_pin is not None
    if not carries and not case.observation.response_requested:
        return False
    # Instructions and PINs come from the alias: only with another one are they news.
    return case.decision.mail or (carries and not facts_of(case.record.replied or ""))


def _is_shown(case: Case) -> bool:
    """Whether the calendar shows already what would only be marked in it."""
    accepts = case.outcome is not None and case.outcome.accepts
    wanted = Response.ACCEPTED if accepts else Response.DECLINED
    shown = shown_to(case.observation, case.decision.answers_occurrence)
    return not case.decision.mail and case.spec is not None and shown is not None and shown[0] is wanted


def _failed(line: ReplyLine, case: Case, reply: Reply, error: ExchangeError, now: datetime) -> None:
    """Keep the intent where the reply may have gone out, drop it where it surely has not, and try again later.

    What surely did not happen goes back into the line where there is one: nobody needs to look at the meeting again for that.
    """
    after = _after(error)
    if isinstance(error, OutcomeUnknownError):
        after = max(_LONGEST_WORK, after or _LONGEST_WORK)
    else:
        case.record = replace(case.record, replying=None, answered_before=None)
    if _gives_up(case, error):
        case.note("replied", "item-broken", now, error.code)
        return
    kind = {
        OutcomeUnknownError: OUTCOME_UNKNOWN,
        ItemGoneError: "item-gone",
        ItemBrokenError: "item-broken",
    }.get(type(error), "postponed")
    case.note("replied", kind, now, error.code)
    case.postpone(now, after)
    if kind == "postponed" and reply.send and line.per_minute is not None:
        line.put([case], not_before=case.record.retry_at)
    log.warning("reply not sent", correlation=case.record.correlation_id, outcome=kind, code=error.code)


def _gives_up(case: Case, error: ExchangeError) -> bool:
    """Whether an occurrence is left unanswered that could not be answered again and again: others of its series wait behind it."""
    broken = isinstance(error, ItemBrokenError) and case.decision.answers_occurrence is not None
    return broken and case.record.attempts >= _TRIES


def _after(error: ExchangeError) -> timedelta | None:
    return error.after if isinstance(error, TryLaterError) else None


def _finish(integration: Integration, case: Case, now: datetime) -> None:
    decision = case.decision
    if case.waiting:
        return
    if decision.state is None:
        if _is_due(case.record, now):  # nothing was decided: without a pause the next pass would look again, for ever
            case.record = postponed(case.record, now)
        return
    held, closed = decision.held, not decision.provide
    handled, more = handled_by(case.observation, case.record, decision, now)
    again = now if case.outcome is not None else postponed(case.record, now).retry_at
    case.record = replace(
        case.record,
        state=decision.state,
        seen=case.observation.fingerprint,
        handled=handled,
        # Where another occurrence waits and nothing was answered, something keeps it from its turn: the next pass is too soon.
        attempts=case.record.attempts + 1 if more and case.outcome is None else 0,
        # What is only kept for a running occurrence, and what has another occurrence to answer, is looked at again.
        retry_at=held[1] + integration.policy.after if held and closed else again if more else None,
        review_at=next_review(case.observation, case.record, decision, integration.policy, now),
        updated_at=now,
    )


def _is_due(record: Record, now: datetime) -> bool:
    """Whether the next pass looks at this meeting by itself."""
    return any(at is not None and at <= now for at in (record.retry_at, record.review_at))
