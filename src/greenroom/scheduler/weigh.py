"""The second step of a pass: decide, and store what was decided before anything is done.

Aliases are reserved here, in the same transaction: after a crash the same meeting goes on with the same alias.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from greenroom.meetings.decision import AliasSource, Decision, Evidence, Reason, TicketStatus, decide, settle
from greenroom.meetings.evidence import Holder, read_tickets, weigh_tickets
from greenroom.meetings.meeting import Observation
from greenroom.meetings.record import InstructionsState, Record, State
from greenroom.meetings.ticket import Ticket, TicketFault
from greenroom.scheduler import wording
from greenroom.scheduler.case import Case
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage, Work

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DRAWS = 20
NO_FREE_ALIAS = "no-free-alias"

log = structlog.get_logger(__name__)


async def weigh(
    integration: Integration, storage: Storage, observations: Sequence[Observation], now: datetime
) -> list[Case]:
    """Decide for each meeting and store the decisions; returns the meetings in the order given."""
    if not observations:
        return []
    found = {o.key: read_tickets(o.body_html, integration.ring) for o in observations}
    async with storage.work() as work:
        records = await work.meetings.by_keys(integration.number, {o.key for o in observations})
        holders = await _holders(integration, work, found.values())
        cases = []
        for observation in observations:
            evidence = weigh_tickets(found[observation.key], holders, observation.key)
            case = _case(integration, observation, records.get(observation.key), evidence, now)
            if case.decision.alias is not None and not case.waiting:
                await _reserve(integration, work, case, evidence, now)
            cases.append(case)
        await work.meetings.save([case.record for case in cases])
        await work.journal.append([entry for case in cases for entry in case.journal])
    for case in cases:
        case.journal.clear()
    return cases


async def redraw(integration: Integration, storage: Storage, case: Case, now: datetime) -> None:
    """Reserve another alias for a meeting whose drawn one turned out to be taken on the platform."""
    async with storage.work() as work:
        await _draw(integration, work, case, now)
        await work.meetings.save([case.record])


def _case(
    integration: Integration, observation: Observation, record: Record | None, evidence: Evidence, now: datetime
) -> Case:
    known = record
    if known is not None and _reply_under_way(observation, known, now):
        held = replace(known, ref=observation.ref)
        return Case(observation, held, Decision(Reason.UNCHANGED, None), waiting=True)
    record = _new_record(integration, observation, now) if known is None else settle(observation, known)
    case = Case(observation, record, Decision(Reason.UNCHANGED, None))
    try:
        case.decision = decide(observation, None if known is None else record, evidence, integration.policy, now)
        case.record = _decided(integration, case, now)
    except Exception as error:  # noqa: BLE001 (set_aside logs it; the other meetings go on)
        case.set_aside(error, now)
        return case
    decision = case.decision
    case.outcome = decision.outcome
    case.note("seen", observation.kind.value, now, f"ticket {evidence.status.value}")
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
    """Write into the record what was observed and decided; what was done comes later."""
    observation, record, decision = case.observation, case.record, case.decision
    revived = decision.provide and record.state in (State.ENDED, State.DECLINED, State.IGNORED)
    return replace(
        record,
        ref=observation.ref,
        kind=observation.kind,
        organizer=observation.organizer.address or record.organizer,
        span=observation.span or record.span,
        title=wording.title(integration, observation),
        updated_at=now,
        retry_at=None,
        reason=record.reason if record.reason and not _tells_something(decision) else decision.reason.value,
        state=State.PENDING if decision.provide and record.state is not State.SCHEDULED else record.state,
        replied=None if revived else record.replied,
    )


def _tells_something(decision: Decision) -> bool:
    """Whether a decision is worth remembering as the reason why the meeting stands where it stands."""
    return decision.state is not None and decision.reason is not Reason.UNCHANGED


def _new_record(integration: Integration, observation: Observation, now: datetime) -> Record:
    return Record(
        integration=integration.number,
        key=observation.key,
        correlation_id=_correlation_id(),
        state=State.PENDING,
        kind=observation.kind,
        organizer=observation.organizer.address,
        ref=observation.ref,
        created_at=now,
        updated_at=now,
    )


async def _holders(
    integration: Integration, work: Work, found: Iterable[Sequence[Ticket | TicketFault]]
) -> dict[int, Holder]:
    numbers = {ticket.number for tickets in found for ticket in tickets if isinstance(ticket, Ticket)}
    stored = await work.reservations.holders(integration.number, sorted(numbers)) if numbers else {}
    return {number: Holder(r.key, r.deleted_at is not None) for number, r in stored.items()}


async def _reserve(
    integration: Integration,
    work: Work,
    case: Case,
    evidence: Evidence,
    now: datetime,
) -> None:
    """Bind the alias the decision asks for to this meeting. Two meetings of one slice may bring the same ticket: first come."""
    ticket = evidence.ticket
    if case.decision.alias is AliasSource.TICKET and ticket is not None and evidence.status is TicketStatus.VALID:
        if await work.reservations.bind(integration.number, ticket.number, case.record.key, ticket.issued_at):
            case.record = replace(
                case.record,
                alias_number=ticket.number,
                alias_key=ticket.key_id,
                issued_at=ticket.issued_at,
                instructions=InstructionsState.PRESENT,
            )
            return
        case.decision = replace(case.decision, alias=AliasSource.DRAW, instruct=True)
        case.note("decided", "copy", now)
    if case.decision.alias is not AliasSource.RECORD:
        await _draw(integration, work, case, now)


async def _draw(integration: Integration, work: Work, case: Case, now: datetime) -> None:
    issued = now.replace(microsecond=0)
    for _ in range(_DRAWS):
        alias = integration.aliases.draw()
        if await work.reservations.bind(integration.number, alias.number, case.record.key, issued):
            case.record = replace(
                case.record,
                alias_number=alias.number,
                alias_key=integration.ring.current,
                issued_at=issued,
                instructions=InstructionsState.NONE,
            )
            return
    case.record = replace(case.record, state=State.DEFECTIVE, reason=NO_FREE_ALIAS)
    case.note("decided", NO_FREE_ALIAS, now)
    case.postpone(now)
    log.error("no free alias found: the alias plan has too few digits", integration=integration.name)


def _correlation_id() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
