"""The last step of a pass: reply, many in one request, and store what became of each.

Before replies go out their identities are stored as "about to be sent". If the answer gets lost, the next pass looks at the
calendar (`decision.settle`) instead of sending again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Reply, Verdict
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    NotPermittedError,
    OutcomeUnknownError,
    TryLaterError,
)
from greenroom.meetings.room import RoomSpec
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, Clock, Step, take_journal
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_LONGEST_WORK = timedelta(seconds=60)
"""Exchange ends a request by itself after about a minute: until then, one without an answer may still be carried out."""


async def answer(integration: Integration, storage: Storage, cases: Sequence[Case], clock: Clock, step: Step) -> None:
    """Send the replies that are due and bring every meeting that is done to its state.

    Raises nothing for single meetings; a fault of the whole request postpones all replies of it.
    """
    if not cases:
        return
    now = clock()
    due = [case for case in cases if case.outcome is not None and not case.waiting]
    replies = [(case, reply) for case in due if (reply := _written(integration, case, now)) is not None]
    if replies:
        await _intend(storage, [case for case, _ in replies], now)
        step("intent")
        await _send(integration, replies, clock)
        step("replies")
        now = clock()
    for case in cases:
        _finish(case, now)
    async with storage.work() as work:
        await work.meetings.save([case.record for case in cases])
        await work.journal.append(take_journal(cases))


async def _intend(storage: Storage, due: Sequence[Case], now: datetime) -> None:
    """Store what is about to be said, due at once: whoever comes after a crash looks what became of it."""
    for case in due:
        case.record = replace(
            case.record,
            replying=case.identity,
            answered_before=case.observation.replied_at,
            retry_at=now,
            updated_at=now,
        )
    async with storage.work() as work:
        await work.meetings.save([case.record for case in due])


async def _send(integration: Integration, due: Sequence[tuple[Case, Reply]], clock: Clock) -> None:
    try:
        results = await integration.mailbox.respond([reply for _, reply in due])
    except (TryLaterError, NotPermittedError) as error:
        for case, _ in due:
            _failed(case, error, clock())
        return
    now = clock()  # pauses begin when the request ended: it may have taken as long as Exchange lets it
    for (case, _), result in zip(due, results, strict=True):
        if result.error is None:
            case.record = replace(case.record, replied=case.identity, replying=None, answered_before=None, attempts=0)
            case.note("replied", case.outcome.value if case.outcome else "", now)
        else:
            _failed(case, result.error, now)


def _written(integration: Integration, case: Case, now: datetime) -> Reply | None:
    try:
        return _reply(integration, case)
    except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
        case.set_aside(error, now)
        return None


def _reply(integration: Integration, case: Case) -> Reply:
    outcome = case.outcome
    if outcome is None:
        raise ValueError("no reply is due")
    if outcome.accepts:
        if case.spec is None:
            raise ValueError("an accept needs its room")
        body = wording.acceptance_html(integration, outcome, case.observation, case.spec, case.instructions)
        return Reply(case.observation.ref, Verdict.ACCEPT, body, send=_is_wanted(case, case.spec))
    return Reply(case.observation.ref, Verdict.DECLINE, wording.refusal_html(integration, outcome, case.record))


def _is_wanted(case: Case, spec: RoomSpec) -> bool:
    """Whether an accept is mailed: where no answers were asked for, only one that tells what stands nowhere else."""
    return case.observation.response_requested or case.instructions is not None or spec.host_pin is not None


def _failed(case: Case, error: ExchangeError, now: datetime) -> None:
    """Keep the intent where the reply may have gone out, drop it where it surely has not, and try again later."""
    after = error.after if isinstance(error, TryLaterError) else None
    if isinstance(error, OutcomeUnknownError):
        after = max(_LONGEST_WORK, after or _LONGEST_WORK)
    else:
        case.record = replace(case.record, replying=None, answered_before=None)
    kind = {
        OutcomeUnknownError: "outcome-unknown",
        ItemGoneError: "item-gone",
        ItemBrokenError: "item-broken",
    }.get(type(error), "postponed")
    case.note("replied", kind, now, error.code)
    case.postpone(now, after)
    log.warning("reply not sent", correlation=case.record.correlation_id, outcome=kind, code=error.code)


def _finish(case: Case, now: datetime) -> None:
    state = case.decision.state
    if case.waiting or state is None:
        return
    case.record = replace(
        case.record, state=state, seen=case.observation.fingerprint, attempts=0, retry_at=None, updated_at=now
    )
