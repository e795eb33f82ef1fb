"""People's own rooms, as the add-in offers them and writes them into meetings: `web.addin_contract.PersonalRooms`.

```
 address that somebody vouches for ──▶ platform lists its rooms ──▶ id, name, description
                     id given back ──▶ listed again, compared   ──▶ how to join
```

Nothing is kept here, and an id is worth nothing to anybody but its owner.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

import structlog

from greenroom.meetings.alias import Alias
from greenroom.meetings.dialling import Ways
from greenroom.meetings.instructions import instructions_block, text_block
from greenroom.meetings.plain_text import as_text
from greenroom.meetings.reserving import Instructions, Kind, NoSuchRoomError, NotPossibleError, PersonalRoomEntry
from greenroom.meetings.ticket import NUMBER_LIMIT, PERSONAL
from greenroom.platforms.contract import PersonalRoom
from greenroom.platforms.errors import PlatformError, PlatformSetupError, PlatformUnavailableError
from greenroom.scheduler import wording
from greenroom.scheduler.case import Clock
from greenroom.scheduler.integration import Integration

MOST_ROOMS: Final = 50
_ID_LENGTH: Final = 32
_OF_OUR_PAGE: Final = "{join_id}"

log = structlog.get_logger(__name__)


class Owner(Protocol):
    """Who asks: all that is looked at is the address that somebody vouches for."""

    @property
    def email(self) -> str | None:
        """The address, or None where nobody does."""
        ...


class OwnRooms:
    """The permanent rooms of people on the platform of one integration.

    `host_pin` says whether the host's PIN is given away where a room lets nobody in without one.
    """

    def __init__(self, integration: Integration, clock: Clock, *, host_pin: bool = False) -> None:
        self._integration = integration
        self._clock = clock
        self._host_pin = host_pin

    async def of(self, caller: Owner) -> Sequence[PersonalRoomEntry]:
        """Return the rooms of this person, at most 50; none where nobody vouches for an address. Raises NotPossibleError."""
        return [
            PersonalRoomEntry(self._id(caller, room), self._say("name", room), self._say("description", room))
            for room in await self._rooms(caller)
        ]

    async def instructions(self, caller: Owner, room_id: str) -> Instructions:
        """Return what to write for one of these rooms. Raises NoSuchRoomError and NotPossibleError."""
        given = room_id.encode(errors="replace")
        rooms = await self._rooms(caller)
        room = next((one for one in rooms if hmac.compare_digest(self._id(caller, one).encode(), given)), None)
        if room is None:
            raise NoSuchRoomError
        ring = self._integration.ring
        ticket = ring.issue(secrets.randbelow(NUMBER_LIMIT), self._clock(), PERSONAL)
        ways = self._ways(room)
        pin = _pin(room, host_pin=self._host_pin)
        told = _facts(room) | wording.ways_in(ways) | pin | {"ticket": ticket}
        html = self._integration.say("personal_instructions", told)
        return Instructions(
            Kind.PERSONAL,
            ticket,
            instructions_block(html, ticket),
            text_block(as_text(html), ticket),
            location=self._say("location", room),
            join_url=ways.web_app or "",
            alias=_dialled(room),
            numeric_alias=_keyed_in(room),
        )

    async def _rooms(self, caller: Owner) -> Sequence[PersonalRoom]:
        owner = (caller.email or "").strip()
        if not owner:
            return ()
        name = self._integration.name
        try:
            return list(await self._integration.platform.personal_rooms(owner))[:MOST_ROOMS]
        except PlatformError as error:
            log.warning(
                "personal rooms not listed", integration=name, error=type(error).__name__, code=str(error)[:200]
            )
            if isinstance(error, PlatformUnavailableError):
                raise NotPossibleError("platform-unavailable", error.after) from error
            code = "platform-needs-setup" if isinstance(error, PlatformSetupError) else "platform-refuses"
            raise NotPossibleError(code) from error

    def _id(self, caller: Owner, room: PersonalRoom) -> str:
        ring = self._integration.ring
        what = f"{(caller.email or '').strip().casefold()}\0{room.ref}"
        return hmac.new(ring.secret(ring.current, "personal"), what.encode(), "sha256").hexdigest()[:_ID_LENGTH]

    def _say(self, what: str, room: PersonalRoom) -> str:
        variables = _facts(room) | {"web_app_url": self._ways(room).web_app}
        return self._integration.say(f"personal_{what}", variables)

    def _ways(self, room: PersonalRoom) -> Ways:
        """Say how the room is entered: as rooms of meetings are, but without what leads over our join page."""
        ways = self._integration.links.ways
        alias = Alias(0, _dialled(room), _keyed_in(room))
        return replace(
            ways,
            web_app=ways.web_app if alias.name and _OF_OUR_PAGE not in (ways.web_app or "") else None,
            dial=tuple((label, pattern) for label, pattern in ways.dial if alias.name and _OF_OUR_PAGE not in pattern),
            phone=ways.phone if alias.numeric and _OF_OUR_PAGE not in ways.phone else "",
        ).of(alias, "")


def _facts(room: PersonalRoom) -> dict[str, object]:
    return {
        "name": room.name,
        "description": room.description,
        "alias": _dialled(room),
        "numeric_alias": _keyed_in(room),
        "domain_aliases": list(room.domain_aliases),
        "other_aliases": list(room.other_aliases),
        "numeric_aliases": list(room.numeric_aliases),
    }


def _dialled(room: PersonalRoom) -> str:
    return next(iter((*room.domain_aliases, *room.other_aliases, *room.numeric_aliases)), "")


def _keyed_in(room: PersonalRoom) -> str:
    return next(iter(room.numeric_aliases), "")


def _pin(room: PersonalRoom, *, host_pin: bool) -> dict[str, object]:
    """Choose the PIN to give away: the guests', and the host's only where all need it and the settings say so."""
    if room.allow_guests:
        return {"pin": room.guest_pin, "asks_pin": False}
    return {"pin": room.pin if host_pin else None, "asks_pin": room.pin is not None and not host_pin}
