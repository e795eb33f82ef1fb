"""The second step of a pass: decide, and store what was decided before anything is done.

Aliases are reserved here, in the same transaction: after a crash the same meeting goes on with the same alias.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from greenroom.meetings.decision import AliasSource, Evidence, Reason, TicketStatus, decide, settle
from greenroom.meetings.evidence import Holder, read_tickets, weigh_tickets
from greenroom.meetings.meeting import Observation
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import Ticket, TicketFault
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case, new_record, take_journal
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage, Work

_DRAWS = 20
NO_FREE_ALIAS = "no-free-alias"

log = structlog.get_logger(__name__)

Tickets = Sequence[Ticket | TicketFault]


async def weigh(
    integration: Integration, storage: Storage, observations: Sequence[Observation], now: datetime
) -> list[Case]:
    """Decide for each meeting and store the decisions; returns the meetings in the order given."""
    if not observations:
        return []
    found = {o.key: _tickets(integration, o) for o in observations}
    async with storage.work() as work:
        records = await work.meetings.by_keys(integration.number, {o.key for o in observations})
        holders = await _holders(integration, work, found.values())
        cases = []
        for observation in observations:
            tickets = found[observation.key]
            worth = tickets if isinstance(tickets, Exception) else weigh_tickets(tickets, holders, observation.key)
            case = _case(integration, observation, records.get(observation.key), worth, now)
            if case.decision.alias is not None and not case.waiting:
                await _reserve(integration, work, case, now)
            cases.append(case)
        await work.meetings.save([case.record for case in cases])
        await work.journal.append(take_journal(cases))
    return cases


async def redraw(integration: Integration, storage: Storage, case: Case, now: datetime) -> None:
    """Reserve another alias for a meeting whose drawn one turned out to be taken on the platform."""
    async with storage.work() as work:
        await _draw(integration, work, case, now)
        await work.meetings.save([case.record])


def _tickets(integration: Integration, observation: Observation) -> Tickets | Exception:
    try:
        return read_tickets(observation.body_html, integration.ring)
    except Exception as error:  # noqa: BLE001 (the case is set aside with it, which logs it; the other meetings go on)
        return error


def _case(
    integration: Integration, observation: Observation, known: Record | None, worth: Evidence | Exception, now: datetime
) -> Case:
    if known is not None and _reply_under_way(observation, known, now):
        return Case(observation, replace(known, ref=observation.ref), waiting=True)
    begun = known or new_record(integration.number, observation.key, observation.ref, now)
    case = Case(observation, begun)
    if isinstance(worth, Exception):
        case.set_aside(worth, now)
        return case
    case.evidence = worth
    try:
        settled = None if known is None else settle(observation, known)
        case.decision = decide(observation, settled, worth, integration.policy, now)
        if case.decision.state is not None:
            case.record = _decided(integration, replace(case, record=settled or begun), now)
    except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
        case.set_aside(error, now)
        return case
    decision = case.decision
    case.outcome = decision.outcome
    case.note("seen", observation.kind.value, now, f"ticket {case.evidence.status.value}")
    case.note("decided", decision.reason.value, now, decision.outcome.value if decision.outcome else "silence")
    return case


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
    revived = decision.provide and record.state in (State.ENDED, State.DECLINED, State.IGNORED)
    quiet = decision.reason is Reason.UNCHANGED or (decision.reason is Reason.OVER and decision.state is record.state)
    return replace(
        record,
        ref=observation.ref,
        kind=observation.kind,
        organizer=observation.organizer.address or record.organizer,
        span=observation.span or record.span,
        # Exchange puts a word of its own language before the subject of a cancelled meeting.
        title=record.title if observation.cancelled and record.title else wording.title(integration, observation),
        updated_at=now,
        reason=record.reason if record.reason and quiet else decision.reason.value,
        state=State.PENDING if decision.provide and record.state is not State.SCHEDULED else record.state,
        replied=None if revived else record.replied,
    )


async def _holders(integration: Integration, work: Work, found: Iterable[Tickets | Exception]) -> dict[int, Holder]:
    genuine = (t for tickets in found if not isinstance(tickets, Exception) for t in tickets if isinstance(t, Ticket))
    numbers = sorted({ticket.number for ticket in genuine})
    stored = await work.reservations.holders(integration.number, numbers) if numbers else {}
    return {number: Holder(r.key, r.deleted_at is not None) for number, r in stored.items()}


async def _reserve(integration: Integration, work: Work, case: Case, now: datetime) -> None:
    """Bind the alias the decision asks for to this meeting. Two meetings of one slice may bring the same ticket: first come."""
    ticket = case.evidence.ticket
    if case.decision.alias is AliasSource.TICKET and ticket is not None and case.evidence.status is TicketStatus.VALID:
        if await work.reservations.bind(integration.number, ticket.number, case.record.key, ticket.issued_at):
            _take(case, ticket.number, ticket.key_id, ticket.issued_at, InstructionsState.PRESENT)
            return
        case.decision = replace(case.decision, alias=AliasSource.DRAW)
        case.note("decided", "copy", now)
    if case.decision.alias is not AliasSource.RECORD:
        await _draw(integration, work, case, now)


async def _draw(integration: Integration, work: Work, case: Case, now: datetime) -> None:
    issued = now.replace(microsecond=0)
    for _ in range(_DRAWS):
        number = integration.aliases.draw().number
        # Reserved first: binding alone would also take a number that a ticket on its way to us was issued for.
        if await work.reservations.reserve(integration.number, number, issued):
            await work.reservations.bind(integration.number, number, case.record.key, issued)
            _take(case, number, integration.ring.current, issued, InstructionsState.NONE)
            return
    case.record = replace(case.record, state=State.DEFECTIVE, reason=NO_FREE_ALIAS)
    case.note("decided", NO_FREE_ALIAS, now)
    case.postpone(now)
    log.error("no free alias found: the alias plan has too few digits", integration=integration.name)


def _take(case: Case, number: int, key: int, issued: datetime, instructions: InstructionsState) -> None:
    """Give the meeting this alias. A reply that told of another one counts no more, also after a crash."""
    record = case.record
    replied = record.replied
    if record.alias_number not in (None, number) and replied is not None:
        replied = f"{replied.partition(':')[0]}:"
    case.record = replace(
        record,
        alias_number=number,
        alias_key=key,
        issued_at=issued,
        instructions=instructions,
        replied=replied,
        seen=record.seen if replied == record.replied else None,
    )
