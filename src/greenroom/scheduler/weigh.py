"""The second step of a pass: decide, and store what was decided before anything is done.

Aliases are reserved here, in the same transaction: after a crash the same meeting goes on with the same alias.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from greenroom.meetings.acceptance import is_resumed, was_not_kept
from greenroom.meetings.decision import Decision, decide, settle
from greenroom.meetings.evidence import read_tickets
from greenroom.meetings.kin import Kin
from greenroom.meetings.legacy_token import NO_TOKENS, LegacyTokens, find_legacy_tokens
from greenroom.meetings.meant import as_meant
from greenroom.meetings.meeting import Kind, MeetingKey, Observation, Response
from greenroom.meetings.reasons import AliasSource, Reason
from greenroom.meetings.record import Record, State
from greenroom.platforms.errors import PlatformError, PlatformSetupError, PlatformUnavailableError
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, new_record, take_journal
from greenroom.scheduler.household import stir, stir_records
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.reserve import Known, Tickets, part, reserve
from greenroom.scheduler.standing import Found, StandingRooms, may_stand
from greenroom.storage import Alarm, Storage, Work

_Brought = tuple[Tickets | Exception, LegacyTokens]
"""What an invitation's text carries: tickets, or why they cannot be read, and tokens of another system."""
ANSWERED = "answered"
"""Of a meeting that just came: somebody else had answered it before we saw it."""
MESSAGE = "message"
"""Of a meeting that just came: it was not in the calendar, and its request was read itself."""
_JUST_CAME = timedelta(minutes=10)
_LONGEST_CODE = 200
_CLOSED = (State.ENDED, State.DECLINED, State.IGNORED)


async def weigh(
    integration: Integration,
    storage: Storage,
    observations: Sequence[Observation],
    now: datetime,
    *,
    standing: StandingRooms | None = None,
) -> list[Case]:
    """Decide for each meeting and store the decisions; returns the meetings in the order given.

    `standing` remembers which rooms the platform has, from one slice to the next.
    """
    if not observations:
        return []
    found: dict[MeetingKey, _Brought] = {}
    for one in observations:
        found[one.key] = _brought(integration, one)
        await asyncio.sleep(0)  # callers who ask by policy do not wait for a hundred bodies
    readable = [tickets for tickets, _ in found.values() if not isinstance(tickets, Exception)]
    alone = [one for one in observations if _may_stand(one, found[one.key], now)]
    rooms = await (standing or StandingRooms()).of(integration, storage, alone, now)
    async with storage.work() as work:
        tokens = [tokens for _, tokens in found.values()]
        known = await Known.load(integration, work, found, readable, tokens, standing=rooms.aliases)
        before = dict(known.records)
        weighed: dict[MeetingKey, Case] = {}
        for observation in sorted(observations, key=_says_of_others, reverse=True):
            if observation.key in rooms.untold:
                case, kin = _waits_for(rooms.untold[observation.key], integration, observation, known, now), None
            else:
                case, kin = _case(integration, observation, known, found[observation.key], now)
            if case.decision.alias is not None and not case.waiting:
                await reserve(integration, work, case, kin, now)
                if case.decision.alias is AliasSource.RECORD and before[case.record.key].state in _CLOSED:
                    await part(integration, work, case)
            known.take(case.record)
            weighed[observation.key] = case
        cases = [weighed[observation.key] for observation in observations]
        await work.meetings.save([case.record for case in cases])
        await work.journal.append(take_journal(cases))
        await work.alarms.note(_alarms(integration, rooms, now))
        await _stir(integration, work, cases, before, now)
    return cases


def _may_stand(observation: Observation, brought: _Brought, now: datetime) -> bool:
    tickets, _ = brought
    return not isinstance(tickets, Exception) and may_stand(observation, tickets, now)


def _says_of_others(observation: Observation) -> bool:
    """Whether this concerns how another meeting is to be read: a message that cancels one occurrence of a series."""
    return observation.cancelled and observation.ref.is_message and observation.key.occurrence is not None


def _brought(integration: Integration, observation: Observation) -> _Brought:
    try:
        return read_tickets(observation.body_html, integration.ring), find_legacy_tokens(observation.body_html)
    except Exception as error:  # noqa: BLE001 (the case is set aside with it, which logs it; the other meetings go on)
        return error, NO_TOKENS


def _case(
    integration: Integration,
    observation: Observation,
    known: Known,
    brought: _Brought,
    now: datetime,
) -> tuple[Case, Kin | None]:
    tickets, tokens = brought
    record = known.records.get(observation.key)
    if record is not None and _reply_under_way(observation, record, now):
        return Case(observation, replace(record, ref=observation.ref), waiting=True), None
    begun = record or new_record(integration.number, observation.key, observation.ref, now)
    case = Case(observation, begun)
    if isinstance(tickets, Exception):
        case.set_aside(tickets, now)
        return case, None
    try:
        case.observation = observation = as_meant(observation, record, known.family(observation.key))
        case.evidence, kin = known.weigh(observation, tickets, integration.policy, now, tokens)
        settled = None if record is None else settle(observation, record)
        case.decision = decide(observation, settled, case.evidence, integration.policy, now, kin=kin)
        if case.decision.again is not None:
            _await(case, case.decision, now)
            return case, None
        if case.decision.state is not None:
            case.record = _decided(integration, replace(case, record=settled or begun), now)
    except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
        case.set_aside(error, now)
        return case, None
    decision = case.decision
    case.outcome = decision.outcome
    if decision.reason is Reason.UNCHANGED and decision.outcome is None and case.record.state is begun.state:
        return case, kin  # series are looked at once a day: a look that found nothing is no part of their story
    case.note("seen", observation.kind.value, now, f"ticket {case.evidence.status.value}")
    if record is None and decision.reason is not Reason.RECOVERED and _came_answered(observation, now):
        case.note("seen", ANSWERED, now, observation.response.value)
    if record is None and observation.ref.is_message and not observation.cancelled:
        case.note("seen", MESSAGE, now)
    case.note("decided", decision.reason.value, now, decision.outcome.value if decision.outcome else "silence")
    if decision.held is not None:
        case.note("decided", "held", now)
    return case, kin


def _came_answered(observation: Observation, now: datetime) -> bool:
    """Whether a meeting that we had no time to answer shows an answer: Exchange gave it, or a delegate."""
    came, answered = observation.received_at, observation.response in (Response.ACCEPTED, Response.DECLINED)
    return answered and came is not None and now - came < _JUST_CAME and not observation.cancelled


def _await(case: Case, decision: Decision, now: datetime) -> None:
    """Decide nothing yet, and look again after a moment."""
    if case.record.retry_at is None:
        case.note("decided", decision.reason.value, now)
    assert decision.again is not None, "the caller asked"
    case.record = replace(case.record, retry_at=now + decision.again, updated_at=now)
    case.waiting = True


def _waits_for(
    error: PlatformError, integration: Integration, observation: Observation, known: Known, now: datetime
) -> Case:
    """Give no other alias to a meeting whose room may stand, while the platform cannot say whether it does."""
    record = known.records.get(observation.key)
    case = Case(observation, record or new_record(integration.number, observation.key, observation.ref, now))
    case.note("room", _code(error), now, str(error)[:_LONGEST_CODE])
    case.postpone(now, error.after if isinstance(error, PlatformUnavailableError) else None)
    return case


def _code(error: PlatformError) -> str:
    return "needs-setup" if isinstance(error, PlatformSetupError) else "unavailable"


def _alarms(integration: Integration, rooms: Found, now: datetime) -> list[Alarm]:
    """Say once for all of them what these meetings wait for, as for rooms that cannot be made."""
    errors = list(rooms.untold.values())[:1]
    return [
        Alarm(
            integration.number,
            f"platform-{_code(e)}",
            str(e)[:_LONGEST_CODE] or "no answer",
            len(rooms.untold),
            now,
            now,
        )
        for e in errors
    ]


def _reply_under_way(observation: Observation, record: Record, now: datetime) -> bool:
    """Whether Exchange may still be working on a reply whose outcome we do not know: it shows no answer, but time is not up.

    To send another before would give the organizer two. A cancellation needs no reply and does not wait.
    """
    if record.replying is None or record.retry_at is None or now >= record.retry_at or observation.cancelled:
        return False
    return settle(observation, record).replied != record.replying


def _decided(integration: Integration, case: Case, now: datetime) -> Record:
    """Write into the record what was observed and decided; what was done comes later.

    A retry that is due stays due until everything is done: after a crash nothing else would bring the meeting back.
    """
    observation, record, decision = case.observation, case.record, case.decision
    again = decision.provide and record.state in _CLOSED
    resumed = again and is_resumed(observation, record)
    quiet = decision.reason is Reason.UNCHANGED or (decision.reason is Reason.OVER and decision.state is record.state)
    untold = observation.cancelled and observation.series is None
    old = decision.reason is Reason.RECOVERED and record.replied is not None  # it comes from an old backup
    if old or (decision.reason is Reason.UNCHANGED and was_not_kept(observation, record)):
        # At once, with its rule: after a crash nothing else would tell that all this was answered before.
        moved = () if observation.series is None else observation.series.moved
        due = record.retry_at or now
        record = replace(record, seen=observation.fingerprint, handled=moved, retry_at=due)
    return replace(
        record,
        ref=observation.ref,
        kind=observation.kind,
        organizer=observation.organizer.address or record.organizer,
        span=observation.span or record.span,
        series=record.series if untold else observation.series,
        held=decision.held,
        # Exchange puts a word of its own language before the subject of a cancelled meeting.
        title=record.title if observation.cancelled and record.title else wording.title(integration, observation),
        updated_at=now,
        reason=record.reason if record.reason and quiet and not again else decision.reason.value,
        state=State.PENDING if decision.provide and record.state is not State.SCHEDULED else record.state,
        replied=None if again and not resumed else record.replied,
    )


async def _stir(
    integration: Integration, work: Work, cases: Sequence[Case], before: Mapping[MeetingKey, Record], now: datetime
) -> None:
    """Have those looked at again whose meeting depends on one that changed: single occurrences, and mates in a room."""
    here = {case.record.key for case in cases}
    changed = {case.record.key for case in cases if not case.waiting and _is_news(case, before.get(case.record.key))}
    lone = [one for one in before.values() if one.key.occurrence is not None and one.key.clean in changed]
    called_off = {case.record.key.clean for case in cases if _is_called_off(case)}
    whole = [one for one in before.values() if one.key in called_off]
    await stir_records(work, [*lone, *whole], but=here, now=now)
    marks = {case.record.mark for case in cases if case.decision.retire and not case.waiting}
    marks |= {case.leaves_room for case in cases if case.leaves_room is not None}
    await stir(integration, work, marks, but=here, now=now)


def _is_news(case: Case, before: Record | None) -> bool:
    """Whether single occurrences of this series may be concerned."""
    return case.record.kind is Kind.SERIES and (before is None or before.series != case.record.series)


def _is_called_off(case: Case) -> bool:
    """Whether a message cancelled one occurrence, of which the item of its series does not know."""
    alone = case.record.key.occurrence is not None and case.observation.ref.is_message
    return alone and case.decision.reason is Reason.CANCELLED
