"""Changing an organizer's meeting where the organizer is: on this side of a hybrid organisation, or on the other.

Each organizer's side is asked for once and remembered for a month. A side that does not know the organizer says ELSEWHERE for
the price of one call; whatever else it says (also "no such meeting"), the mailbox is there. "No right" of a side that is not
remembered may hide that the organizer is elsewhere: then the other side is asked once, before the first one is believed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.contract import InvitationEdit, OrganizerCalendars, UpdateResult
from greenroom.exchange.errors import MisconfiguredError, SignInError
from greenroom.meetings.meeting import MeetingKey
from greenroom.scheduler.integration import Integration
from greenroom.storage import Side, Storage

log = structlog.get_logger(__name__)

_REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of an update, and the side that said so (the integration's own where both say ELSEWHERE)."""

    result: UpdateResult
    side: Side = Side.FIRST


async def update_invitation(
    integration: Integration, storage: Storage, organizer: str, key: MeetingKey, edit: InvitationEdit, *, now: datetime
) -> Routed:
    """Change the organizer's meeting on the side that knows the organizer: the remembered one, else ours, then the other.

    Raises what the asked side raises: after a TryLaterError the other side is not tried, for nobody said ELSEWHERE. Only that
    the second Exchange refuses our sign-in or is set up wrongly is logged and taken for REFUSED: the mailbox that we attend
    must not stand still for it.
    """
    if integration.elsewhere is None:
        return Routed(await integration.mailbox.update_invitation(organizer, key, edit))
    sides: dict[Side, OrganizerCalendars] = {Side.FIRST: integration.mailbox, Side.SECOND: integration.elsewhere}
    known = await _remembered(integration, storage, organizer, now)
    order = (Side.SECOND, Side.FIRST) if known is Side.SECOND else (Side.FIRST, Side.SECOND)
    refused: Side | None = None
    for side in order:
        try:
            result = await sides[side].update_invitation(organizer, key, edit)
        except (SignInError, MisconfiguredError) as error:
            if side is Side.FIRST:
                raise
            log.warning("second exchange refuses us", integration=integration.name, code=error.code)
            return Routed(UpdateResult.REFUSED, side)
        if result is UpdateResult.REFUSED and known is None:
            refused = refused or side
        elif result is not UpdateResult.ELSEWHERE:
            if side is not known:
                await _learn(integration, storage, organizer, side, now)
            return Routed(result, side)
    if refused is not None:
        await _learn(integration, storage, organizer, refused, now)
        return Routed(UpdateResult.REFUSED, refused)
    if known is not None:
        await _forget(integration, storage, organizer)
    return Routed(UpdateResult.ELSEWHERE)


async def _remembered(integration: Integration, storage: Storage, organizer: str, now: datetime) -> Side | None:
    async with storage.reading() as work:
        route = await work.routes.get(integration.number, organizer)
    return None if route is None or now - route.learned_at >= _REMEMBERED else route.side


async def _learn(integration: Integration, storage: Storage, organizer: str, side: Side, now: datetime) -> None:
    async with storage.work() as work:
        await work.routes.learn(integration.number, organizer, side, now)


async def _forget(integration: Integration, storage: Storage, organizer: str) -> None:
    async with storage.work() as work:
        await work.routes.forget(integration.number, organizer)
