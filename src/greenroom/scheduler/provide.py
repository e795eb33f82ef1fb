"""The third step of a pass: rooms, and joining instructions in the organizers' own meetings.

The room comes first: an accept always means that it exists. Rooms carry the meeting's mark and instructions their ticket, so
both are looked for before they are made again.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import Invitation, UpdateResult
from greenroom.exchange.errors import MisconfiguredError, NotPermittedError, SignInError, TryLaterError
from greenroom.meetings.admission import Admission
from greenroom.meetings.decision import Decision, once
from greenroom.meetings.evidence import TicketStatus
from greenroom.meetings.instructions import replace_block, with_instructions, with_location
from greenroom.meetings.meeting import Kind
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.reply import Outcome
from greenroom.meetings.room import RoomSpec
from greenroom.meetings.ticket import Ticket
from greenroom.meetings.ticket_finder import find_tickets
from greenroom.platforms.errors import (
    AliasTakenError,
    PlatformError,
    PlatformSetupError,
    PlatformUnavailableError,
    RoomRefusedError,
)
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, Step, place_of, take_journal
from greenroom.scheduler.household import Household, forget_told, lives_on, note_told, still_needed, stir
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.late import hurried
from greenroom.scheduler.reserve import redraw
from greenroom.scheduler.routing import update_invitation
from greenroom.storage import Alarm, Side, Storage

log = structlog.get_logger(__name__)

_AT_ONCE = 4
_REDRAWS = 5
_PATIENCE = 5
_LONGEST_CODE = 200
_PLATFORM_FAILS = ("unavailable", "needs-setup")
_SEND_LIMIT = "send-limit"
"""Code of a TryLaterError that says: this organizer's own mailbox has sent as many messages as it may in a minute."""
_SEND_WINDOW = timedelta(minutes=1)


async def provide_rooms(
    integration: Integration, storage: Storage, cases: Sequence[Case], now: datetime, step: Step
) -> None:
    """Make rooms as decided, and retire those that should let nobody in. What fails for now is postponed, not declined."""
    concerned = [case for case in cases if not case.waiting and _concerns_room(case.decision)]
    if not concerned:
        return
    household = await Household.of(integration, storage, concerned)
    opened = {case.record.key: household.admission(integration, case, cases) for case in concerned}
    before = {case.record.key: case.record.room for case in concerned}
    # What was decided just now took its state: only the attempts tell that it waited for its room.
    tried = {case.record.key: case.record.attempts > 0 for case in concerned}
    # Told afresh, too: where that fails for now, the next try must not take for told what was told in an earlier life.
    afresh = integration.manner.afresh
    changing = [case for case in concerned if afresh or _changes(integration, case, opened[case.record.key])]
    await forget_told(storage, changing, household)
    if integration.manner.afresh:  # an adapter that remembers what it told would not tell it again
        async with storage.work() as work:
            await work.housing.forget_told(integration.number, {case.record.mark for case in concerned}, now)
    # Whoever leaves may have left its room before a crash, and its record still says that it lives.
    leaving = [case.record for case in cases if not lives_on(case) and case.decision.held is None]
    needed = await still_needed(integration, storage, leaving)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Case) -> None:
        async with gate:
            try:
                if case.decision.retire:
                    await _retire(integration, case, now, leave=case.record.mark in needed)
                else:
                    await _ensure(integration, storage, case, opened[case.record.key], now)
            except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
                case.set_aside(error, now)
            step("room")

    await asyncio.gather(*(one(case) for case in concerned))
    await _store(storage, concerned, _alarms(integration, concerned, now))
    told = [case.record for case in concerned if case.record.room is not None]
    changed = [record for record in told if afresh or record.room != before[record.key]]
    if changed:
        await note_told(integration, storage, changed)
    if any(tried[record.key] and record.attempts == 0 for record in changed):
        async with storage.work() as work:  # the platform is back: the others that wait for it need not sleep on
            await work.meetings.hasten(integration.number, State.DEFECTIVE, now)


def _changes(integration: Integration, case: Case, admission: Admission) -> bool:
    """Whether the platform is going to be told something new about a room; what fails here is told where it is done."""
    if case.decision.retire:
        return True
    if case.record.room is None or case.record.span is None:
        return True
    try:
        spec = wording.room_spec(integration, case.observation, admission, case.record)
    except Exception:  # noqa: BLE001 (the same fails again in a moment, and is logged there)
        return False
    return case.record.room != spec.fingerprint


def _concerns_room(decision: Decision) -> bool:
    return decision.retire or decision.provide or decision.held is not None


async def write_instructions(
    integration: Integration, storage: Storage, cases: Sequence[Case], now: datetime, step: Step
) -> None:
    """Put the joining instructions into the organizers' own meetings, once each; where that is refused, into every reply.

    Where an organizer's mailbox may send no more for now, that organizer's other meetings wait without a call of their own.
    """
    held: dict[str, timedelta | None] = {}
    for case in cases:
        if case.waiting or case.spec is None:
            continue
        left, manner = case.record.instructions is InstructionsState.LEFT, integration.manner
        if left and manner.updates and (case.outcome is not None or manner.untold):
            case.record = replace(case.record, instructions=InstructionsState.NONE)
        missing = case.record.instructions is InstructionsState.NONE or _is_promised_again(case)
        if missing and manner.updates:
            try:
                if case.record.organizer in held:
                    _await_turn(case, now, held[case.record.organizer])
                else:
                    await _instruct(integration, storage, case, case.spec, now, held=held)
            except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
                case.set_aside(error, now)
            if left and manner.untold:
                _tell_by_answer(case)
            step("instructions")
            await _store(storage, [case])
        elif missing or (left and not manner.updates):
            case.note("instructions", "left", now)
        by_answer = case.record.instructions is InstructionsState.LEFT and case.outcome is not None
        if case.record.instructions is InstructionsState.IN_REPLY or by_answer:
            case.instructions = wording.instructions_html(
                integration, case.spec, wording.ticket_of(integration, case.record)
            )


def _tell_by_answer(case: Case) -> None:
    """Answer once more where only an answer can tell of an alias; until that went out the organizer counts as left untold."""
    if case.waiting or case.outcome is not None or case.record.instructions is not InstructionsState.IN_REPLY:
        return
    series = case.observation.kind is Kind.SERIES
    case.outcome = Outcome.ACCEPT_NEW_SERIES if series else Outcome.ACCEPT_NEW_SINGLE
    case.record = replace(case.record, instructions=InstructionsState.LEFT)


async def _ensure(integration: Integration, storage: Storage, case: Case, admission: Admission, now: datetime) -> None:
    """Make the room as it should be. Where it is kept only for a running occurrence, nothing else follows from it."""
    if case.record.span is None:
        return
    for _ in range(_REDRAWS):
        spec = wording.room_spec(integration, case.observation, admission, case.record)
        if case.record.room == spec.fingerprint and not integration.manner.afresh:
            case.spec = spec if case.decision.provide else None
            return
        try:
            await integration.platform.ensure(spec)
        except AliasTakenError:
            if await _takes_another(integration, storage, case, now):
                continue
        except RoomRefusedError as error:
            log.warning("room refused", correlation=case.record.correlation_id, code=_code(error))
            await _refuse(
                integration, storage, case, Reason.ROOM_REFUSED, Outcome.DECLINE_ERROR, now=now, detail=_code(error)
            )
        except (PlatformUnavailableError, PlatformSetupError) as error:
            case.record = replace(case.record, state=State.DEFECTIVE)
            # What only an administrator can mend waits like an outage: nobody's meeting is declined for it.
            after = error.after if isinstance(error, PlatformUnavailableError) else None
            needs_somebody = isinstance(error, PlatformSetupError)
            case.note("room", "needs-setup" if needs_somebody else "unavailable", now, _code(error))
            case.postpone(now, after)
            case.record = hurried(integration, case.record, admission, now, after or timedelta())
            log.warning(
                "platform needs an administrator" if needs_somebody else "platform unavailable",
                correlation=case.record.correlation_id,
                error=type(error).__name__,
                code=_code(error),
            )
        else:
            code = "created" if case.record.room is None else "changed"
            case.made_at = now if case.record.room is None else None
            case.record = replace(case.record, room=spec.fingerprint, attempts=0, warned_at=None)
            case.spec = spec if case.decision.provide else None
            case.note("room", code, now)
        return
    await _refuse(integration, storage, case, Reason.ALIAS_CONFLICT, Outcome.DECLINE_ERROR, now=now)


async def _takes_another(integration: Integration, storage: Storage, case: Case, now: datetime) -> bool:
    """Deal with an alias that leads to another room: whether the meeting has another alias now."""
    if case.record.adopted is not None:
        # Its room stands there and may still get our mark: nobody's meeting is declined for what is half taken over.
        case.record = replace(case.record, state=State.DEFECTIVE)
        case.note("room", "alias-held", now)
        case.postpone(now)
        log.warning("alias held by a room without our mark", correlation=case.record.correlation_id)
        return False
    untold = case.record.instructions in (InstructionsState.NONE, InstructionsState.LEFT)
    if not untold or not case.decision.provide:
        await _refuse(integration, storage, case, Reason.ALIAS_CONFLICT, Outcome.DECLINE_ALIAS_CONFLICT, now=now)
        return False
    await redraw(integration, storage, case, now)  # nobody has read this alias yet
    return not case.waiting


async def retire(integration: Integration, record: Record) -> bool:
    """Close a meeting's room; False if that could not be done now, which is logged. It never raises for a platform's fault."""
    try:
        await integration.platform.retire(record.mark)
    except Exception as error:  # noqa: BLE001 (it is logged, and the caller tries again later)
        log.warning(
            "room not retired", correlation=record.correlation_id, error=type(error).__name__, where=place_of(error)
        )
        return False
    return True


async def _retire(integration: Integration, case: Case, now: datetime, *, leave: bool = False) -> None:
    """Close the room, or `leave` it to others who use it."""
    if leave or await retire(integration, case.record):
        case.record = replace(case.record, room=None)
        case.note("room", "retired", now, case.decision.reason.value)
    else:
        case.note("room", "unavailable", now)
        case.postpone(now)


async def _refuse(
    integration: Integration,
    storage: Storage,
    case: Case,
    reason: Reason,
    outcome: Outcome,
    *,
    now: datetime,
    detail: str = "",
) -> None:
    """Turn a decision into a decline because the platform will not have this room; one from before is closed, or left to others."""
    refused = Decision(reason, State.DECLINED, outcome=outcome)
    case.decision = once(refused, case.observation, case.record)
    case.outcome = case.decision.outcome
    case.record = replace(case.record, reason=reason.value)
    case.note("room", reason.value, now, detail)
    if case.record.room is not None:
        mark = case.record.mark
        leave = mark in await still_needed(integration, storage, [case.record])
        await _retire(integration, case, now, leave=leave)
        if leave:
            async with storage.work() as work:
                await stir(integration, work, {mark}, but={case.record.key}, now=now)


def _code(error: PlatformError) -> str:
    return str(error)[:_LONGEST_CODE]


async def _instruct(
    integration: Integration,
    storage: Storage,
    case: Case,
    spec: RoomSpec,
    now: datetime,
    *,
    held: dict[str, timedelta | None],
) -> None:
    record = case.record
    ticket = wording.ticket_of(integration, record)
    block = wording.instructions_html(integration, spec, ticket)
    place = wording.location_text(integration, spec)

    def edit(invitation: Invitation) -> Invitation | None:
        old = _ticket_to_replace(integration, invitation.body_html, ticket)
        if old is None:
            body = with_instructions(invitation.body_html, block, ticket)
        else:
            body = replace_block(invitation.body_html, old, block, ticket)
        return None if body is None else Invitation(body, with_location(invitation.location, place))

    try:
        routed = await update_invitation(integration, storage, record.organizer, record.key, edit, now=now)
    except TryLaterError as error:
        if error.code == _SEND_LIMIT:
            held[record.organizer] = error.after
            _await_turn(case, now, error.after)
            return
        case.note("instructions", "postponed", now, error.code)
        if record.attempts < _PATIENCE:
            case.postpone(now, error.after)
            return
        # People wait for their answer; if it was written after all, it stands in both places.
        case.record = replace(record, instructions=InstructionsState.IN_REPLY)
        case.note("instructions", "given-up", now, error.code)
        return
    except (NotPermittedError, SignInError, MisconfiguredError) as error:
        log.warning("organizer's meeting not changed", correlation=record.correlation_id, code=error.code)
        case.record = replace(record, instructions=InstructionsState.IN_REPLY)
        case.note("instructions", UpdateResult.REFUSED.value, now, error.code)
        return
    where = {
        UpdateResult.WRITTEN: InstructionsState.WRITTEN,
        UpdateResult.PRESENT: InstructionsState.PRESENT,
    }.get(routed.result, InstructionsState.IN_REPLY)
    case.record = replace(record, instructions=where)
    case.note("instructions", routed.result.value, now, "second exchange" if routed.side is Side.SECOND else "")
    if case.observation.ref.is_message and where is InstructionsState.WRITTEN:
        # Without a calendar item the request itself is answered, and our update has just replaced it by a newer one.
        case.postpone(now)


def _await_turn(case: Case, now: datetime, after: timedelta | None) -> None:
    """Wait until the organizer's mailbox may send again. That is no fault: it wears out nobody's patience."""
    if case.record.retry_at is None:  # one line in the journal is enough, however long it takes
        case.note("instructions", "postponed", now, _SEND_LIMIT)
    case.record = replace(case.record, retry_at=now + (after or _SEND_WINDOW), updated_at=now)
    case.waiting = True


def _is_promised_again(case: Case) -> bool:
    """Whether an update from a stale copy may have put the promise back where the joining instructions stood."""
    done = case.record.instructions in (InstructionsState.WRITTEN, InstructionsState.PRESENT)
    return done and case.evidence.status is TicketStatus.OFFLINE


def _ticket_to_replace(integration: Integration, text: str, ours: str) -> str | None:
    """Return the genuine ticket whose block has to go: the last promise, else that of a meeting this one was copied from."""
    ring = integration.ring
    judged = {text: ring.verify(text) for text in find_tickets(text, ring.prefix) if text != ours}
    others = {text: ticket for text, ticket in judged.items() if isinstance(ticket, Ticket) and not ticket.is_personal}
    promises = [text for text, ticket in others.items() if ticket.is_promise]
    return next(reversed(promises or list(others)), None)


def _alarms(integration: Integration, cases: Sequence[Case], now: datetime) -> list[Alarm]:
    """Say what keeps rooms from being made, once for all meetings that wait for it: `greenroom status` shows it."""
    told = [entry for case in cases for entry in case.journal if entry.step == "room" and entry.code in _PLATFORM_FAILS]
    failures = Counter((entry.code, entry.detail or "no answer") for entry in told)
    return [
        Alarm(integration.number, f"platform-{code}", detail, count, now, now)
        for (code, detail), count in failures.items()
    ]


async def _store(storage: Storage, cases: Sequence[Case], alarms: Sequence[Alarm] = ()) -> None:
    async with storage.work() as work:
        await work.meetings.save([case.record for case in cases])
        await work.journal.append(take_journal(cases))
        await work.alarms.note(alarms)
