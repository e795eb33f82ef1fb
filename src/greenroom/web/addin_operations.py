"""What can be asked of the add-in's API: one table, from which both the answers and the OpenAPI document are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from greenroom.web.addin_contract import NoSuchRoomError, PersonalRooms, Reserving
from greenroom.web.addin_models import (
    AheadAnswer,
    AheadRequest,
    Asked,
    MailboxAnswer,
    PersonalRoomAnswer,
    PersonalRoomRequest,
    PersonalRoomsAnswer,
    ReservationAnswer,
    ReserveRequest,
    TicketRequest,
)
from greenroom.web.identity.contract import Caller, TokenCheck

BASE: Final = "/addin/api/v1"

_MOST_AHEAD = 5


@dataclass(frozen=True, slots=True)
class AddinDesk:
    """What stands behind the API for one integration.

    `mailbox` is the address to invite. `per_minute` is how many rooms one person may ask for in a minute; of
    everything else ten times as much.
    """

    check: TokenCheck
    reserving: Reserving
    mailbox: str
    mailbox_name: str = ""
    personal: PersonalRooms | None = None
    per_minute: int = 12

    @property
    def invite(self) -> MailboxAnswer:
        """Whom to invite."""
        return MailboxAnswer(address=self.mailbox, name=self.mailbox_name or self.mailbox)


Done = tuple[int, BaseModel | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked: below `BASE`, with a model of what is asked, and one of what is answered for each status.

    `rooms` says how many rooms a request asks for; None for one that asks for none. `problems` are statuses that only this has.
    """

    method: str
    path: str
    name: str
    summary: str
    asks: type[Asked]
    answers: dict[int, type[BaseModel] | None]
    do: Callable[[AddinDesk, Caller, Asked], Awaitable[Done]]
    problems: tuple[int, ...] = ()
    rooms: Callable[[Asked], int] | None = None


async def _reserve(desk: AddinDesk, caller: Caller, asked: Asked) -> Done:
    assert isinstance(asked, ReserveRequest)
    told = await desk.reserving.reserve(caller, asked.request_id)
    return 200 if told.repeated else 201, ReservationAnswer.of(told, desk.invite)


async def _refresh(desk: AddinDesk, caller: Caller, asked: Asked) -> Done:
    assert isinstance(asked, TicketRequest)
    return 200, ReservationAnswer.of(await desk.reserving.refresh(caller, asked.ticket), desk.invite)


async def _release(desk: AddinDesk, caller: Caller, asked: Asked) -> Done:
    assert isinstance(asked, TicketRequest)
    await desk.reserving.release(caller, asked.ticket)
    return 204, None


async def _ahead(desk: AddinDesk, caller: Caller, asked: Asked) -> Done:
    assert isinstance(asked, AheadRequest)
    return 200, AheadAnswer.of(await desk.reserving.ahead(caller, asked.count), desk.invite)


async def _personal(desk: AddinDesk, caller: Caller, _asked: Asked) -> Done:
    found = () if desk.personal is None else await desk.personal.of(caller)
    return 200, PersonalRoomsAnswer(rooms=[PersonalRoomAnswer.of(one) for one in found])


async def _personal_instructions(desk: AddinDesk, caller: Caller, asked: Asked) -> Done:
    assert isinstance(asked, PersonalRoomRequest)
    if desk.personal is None:
        raise NoSuchRoomError
    return 200, ReservationAnswer.of(await desk.personal.instructions(caller, asked.id), desk.invite)


def _ahead_rooms(asked: Asked) -> int:
    return max(1, min(asked.count, _MOST_AHEAD)) if isinstance(asked, AheadRequest) else 1


OPERATIONS: Final = (
    Operation(
        "POST",
        "/reservations",
        "reserve",
        "Set a room aside for a meeting that is being written",
        ReserveRequest,
        {201: ReservationAnswer, 200: ReservationAnswer},
        _reserve,
        problems=(409,),
        rooms=lambda _asked: 1,
    ),
    Operation(
        "POST",
        "/reservations/refresh",
        "refresh",
        "Get the instructions of a ticket anew, and keep its reservation longer",
        TicketRequest,
        {200: ReservationAnswer},
        _refresh,
        problems=(409, 410),
    ),
    Operation(
        "POST",
        "/reservations/release",
        "release",
        "Give a reservation back that no invitation has brought; what is not one stays as it is",
        TicketRequest,
        {204: None},
        _release,
    ),
    Operation(
        "POST",
        "/reservations/ahead",
        "ahead",
        "Set rooms aside to keep, for the time that nobody answers here",
        AheadRequest,
        {200: AheadAnswer},
        _ahead,
        rooms=_ahead_rooms,
    ),
    Operation(
        "GET",
        "/personal-rooms",
        "personalRooms",
        "List the caller's own rooms",
        Asked,
        {200: PersonalRoomsAnswer},
        _personal,
    ),
    Operation(
        "POST",
        "/personal-rooms/instructions",
        "personalInstructions",
        "Get the instructions of one of the caller's own rooms",
        PersonalRoomRequest,
        {200: ReservationAnswer},
        _personal_instructions,
    ),
)
