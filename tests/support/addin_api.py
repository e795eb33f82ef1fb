"""The add-in's API with people who are believed by name, and a page that asks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI

from greenroom.storage import Refused, Storage
from greenroom.web.addin_api import AddinDesk, addin_api_router
from greenroom.web.addin_contract import Instructions, Kind, NoSuchRoomError, PersonalRoomEntry
from greenroom.web.addin_limits import BadTokens
from greenroom.web.app import create_app
from greenroom.web.identity.contract import Caller, IdentityUnavailableError, Refusal, TokenRefusedError
from support.join_rooms import PLACES, RoomsInMemory
from support.reserved import ADA, BOB, Desk, asked_at

BASE = "/addin/api/v1"
PUBLIC = "https://meet.example"
TOKENS = {"Bearer ada-planted-secret": ADA, "Exchange bob-planted-secret": BOB}
BEARER = {"Authorization": "Bearer ada-planted-secret"}
REQUEST = "request-0123456789"


@dataclass
class FakeCheck:
    """Believes two tokens; says why it does not believe another, if told."""

    refusal: Refusal = Refusal.SIGNATURE
    unavailable: bool = False
    asked: int = 0

    async def check(self, authorization: str | None) -> Caller:
        self.asked += 1
        if self.unavailable:
            raise IdentityUnavailableError("keys-unreachable")
        if authorization not in TOKENS:
            raise TokenRefusedError(self.refusal, "expected a, received b")
        return TOKENS[authorization]

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class FakePersonalRooms:
    """Ada has one room, Bob none."""

    broken: bool = False

    async def of(self, caller: Caller) -> Sequence[PersonalRoomEntry]:
        if self.broken:
            raise ValueError("planted-secret")
        return [PersonalRoomEntry("r1", "Ada's room", "the small one")] if caller == ADA else []

    async def instructions(self, caller: Caller, room_id: str) -> Instructions:
        if caller != ADA or room_id != "r1":
            raise NoSuchRoomError
        return Instructions(Kind.PERSONAL, "GRM-X", "<p>room</p>", "room", alias="ada@video.example")


@dataclass
class Page:
    """The page in Outlook, and what is behind the API."""

    app: FastAPI
    desk: Desk
    check: FakeCheck
    personal: FakePersonalRooms
    client: httpx2.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.at("203.0.113.9")

    def at(self, address: str) -> None:
        """Ask from another address."""
        transport = httpx2.ASGITransport(app=self.app, client=(address, 40_000))
        self.client = httpx2.AsyncClient(transport=transport, base_url=PUBLIC)

    async def post(
        self, path: str, asked: object = None, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """Ask as the page does, unless told otherwise."""
        if asked is not None:
            more["json"] = asked
        return await self.client.post(BASE + path, headers=BEARER if headers is None else headers, **more)

    async def reserve(self, request_id: str = REQUEST, **more: Any) -> httpx2.Response:
        return await self.post("/reservations", {"integration": 1, "request_id": request_id}, **more)

    async def get(self, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        return await self.client.get(BASE + path, headers=BEARER if headers is None else headers, **more)

    async def refused(self, answer: httpx2.Response) -> list[Refused]:
        """What is stored behind an answer's id."""
        async with self.desk.storage.reading() as work:
            return await work.refusals.by_correlation(answer.json()["correlation_id"])


@asynccontextmanager
async def page(
    storage: Storage | None = None, *, per_minute: int = 600, unclaimed: int = 50, ahead: int = 2, bad_tokens: int = 120
) -> AsyncIterator[Page]:
    """A page, and all of ours behind it."""
    check, personal = FakeCheck(), FakePersonalRooms()
    async with asked_at(storage, unclaimed=unclaimed, ahead=ahead) as desk:
        behind = AddinDesk(check, desk.reserving, "vmr@greenroom.example", "Video room", personal, per_minute)
        router = addin_api_router(
            {1: behind}, desk.storage, desk.clock, origin=PUBLIC, bad_tokens=BadTokens(bad_tokens)
        )
        app = create_app(RoomsInMemory(), desk.clock, PLACES, more=[router])
        yield Page(app, desk, check, personal)
