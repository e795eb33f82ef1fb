"""Rooms that stand on the platform while nobody remembers their meeting: the database was lost, or is an old one.

People were told of such a room in a reply that we cannot read any more, and no ticket in the calendar tells its alias. But the room
carries the meeting's mark, so the platform tells it. It is asked when such a meeting turns up: for all rooms at once, as there may
be thousands of such meetings.

The alias comes back as it was. What follows from alias and key (PINs, the join link) does too if the key is still the current one.
A room whose alias our plan does not spell keeps it as one that was taken over (`Record.adopted`): it has no PIN.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from greenroom.meetings.acceptance import is_unknown
from greenroom.meetings.alias import MAX_DIGITS, Alias
from greenroom.meetings.decision import last_end
from greenroom.meetings.evidence import TicketStatus, weigh_tickets
from greenroom.meetings.meeting import MeetingKey, Observation, Response
from greenroom.meetings.ticket import Ticket, TicketFault
from greenroom.platforms.errors import PlatformError
from greenroom.scheduler.integration import Integration
from greenroom.storage import Storage, Work

log = structlog.get_logger(__name__)

UNTOLD = (TicketStatus.NONE, TicketStatus.OFFLINE)
"""What tickets are worth where they tell no alias: a promise stays in the text for good if nobody may write there."""
_KEPT = timedelta(hours=1)
_PAUSE = timedelta(seconds=15)
_DRAWS = 20
_GAP = "\n"


@dataclass(frozen=True, slots=True)
class Found:
    """By what the rooms of some meetings are dialled, and of which meetings the platform could not tell it for now."""

    aliases: Mapping[MeetingKey, tuple[str, ...]] = field(default_factory=dict)
    untold: Mapping[MeetingKey, PlatformError] = field(default_factory=dict)


class StandingRooms:
    """What the platform of one integration told of its rooms: aliases by mark, no more. It is asked again after an hour."""

    def __init__(self) -> None:
        self._rooms: dict[str, str] = {}
        self._asked_at: datetime | None = None
        self._error: PlatformError | None = None

    async def of(
        self, integration: Integration, storage: Storage, observations: Sequence[Observation], now: datetime
    ) -> Found:
        """Look for the rooms of those meetings of which nothing is remembered. Where the platform does not list, there are none.

        `observations` are such that `may_stand` says yes. Raises StorageError.
        """
        self._forget(now)
        if not observations or not integration.platform.capabilities.lists:
            return Found()
        async with storage.reading() as work:
            known = await work.meetings.by_keys(integration.number, [one.key for one in observations])
        wanted = [one.key for one in observations if is_unknown(known.get(one.key))]
        if not wanted:
            return Found()
        if self._asked_at is None:
            await self._ask(integration, now)
        if self._error is not None:
            return Found(untold=dict.fromkeys(wanted, self._error))
        dialled = {key: self._rooms.get(key.digest, "") for key in wanted}
        return Found({key: tuple(text.split(_GAP)) for key, text in dialled.items() if text})

    def forget(self) -> None:
        """Ask again when it is needed."""
        self._rooms, self._asked_at, self._error = {}, None, None

    def _forget(self, now: datetime) -> None:
        kept = _KEPT if self._error is None else _PAUSE
        if self._asked_at is not None and not timedelta() <= now - self._asked_at < kept:
            self.forget()

    async def _ask(self, integration: Integration, now: datetime) -> None:
        rooms: dict[str, str] = {}
        try:
            async for room in integration.platform.owned():
                rooms[room.mark] = _GAP.join(alias for alias in room.aliases if alias)
        except PlatformError as error:
            log.warning("rooms cannot be listed", integration=integration.name, error=type(error).__name__)
            self._error, rooms = error, {}
        else:
            log.info("rooms listed", integration=integration.name, rooms=len(rooms))
        self._rooms, self._asked_at = rooms, now


def may_stand(observation: Observation, tickets: Iterable[Ticket | TicketFault], now: datetime) -> bool:
    """Whether a meeting of which nothing is remembered may have a room nevertheless: we accepted it, and no ticket tells which."""
    if observation.response is not Response.ACCEPTED or observation.cancelled:
        return False
    if observation.is_organizer or observation.informational_copy:
        return False
    end = last_end(observation.kind, observation.span)
    over = end is not None and end <= now
    return not over and weigh_tickets(tickets, {}, observation.key).status in UNTOLD


async def claim(
    integration: Integration, work: Work, key: MeetingKey, dialled: Sequence[str], issued: datetime
) -> Alias | None:
    """Bind a standing room's alias to its meeting; None if another meeting has it.

    It is the plan's own alias where that spells it (`integration.aliases.alias` of its number), else one of its own.
    """
    spelled = integration.aliases.number_of(dialled)
    if spelled is not None:
        bound = await work.reservations.bind(integration.number, spelled, key, issued)
        return None if bound is None else integration.aliases.alias(spelled)
    name = next((text for text in dialled if not _is_number(text)), dialled[0])
    numeric = next((text for text in dialled if _is_number(text)), "".join(filter(_is_number, name)))
    number = await _number(integration, work, key, numeric, issued)
    return None if number is None else Alias(number, name, numeric or str(number))


async def _number(integration: Integration, work: Work, key: MeetingKey, numeric: str, issued: datetime) -> int | None:
    """Bind a number that is a mere key to a meeting: what callers key in where that is free, else any."""
    wanted = int(numeric) if 0 < len(numeric) <= MAX_DIGITS else None
    if wanted is not None and await work.reservations.bind(integration.number, wanted, key, issued):
        return wanted
    for _ in range(_DRAWS):
        number = integration.aliases.draw().number
        if await work.reservations.reserve(integration.number, number, issued):
            await work.reservations.bind(integration.number, number, key, issued)
            return number
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
