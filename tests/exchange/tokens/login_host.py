"""A login host for users: the simulator's, with what a person does at its pages."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from exchange.graph.papers import NOW
from exchange.scripted import Clock
from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph.sign_in import Certificate, Secret
from greenroom.exchange.tokens import BrowserFlow, DeviceCode, Grant, KeptSignIn, Registration, UserSignIn
from support.simulator import CLIENT_ID, CLIENT_SECRET, PASSWORD, SMALL_WORLD, RunningSimulator

USER = "svc@sim.test"
PUBLIC = "7c1d0e55-0000-4000-8000-000000000007"
WORLD: Mapping[str, Any] = {
    **SMALL_WORLD,
    "accounts": [
        {"login": USER, "password": PASSWORD, "impersonate": "everybody"},
        {"login": "other@sim.test", "password": PASSWORD},
    ],
    "applications": [
        {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": "everybody", "ews": True},
        {"client_id": PUBLIC, "public": True},
    ],
}


def user(
    sim: RunningSimulator,
    *,
    client_id: str = PUBLIC,
    tenant: str = "",
    resource: str = "",
    proof: Certificate | Secret | None = None,
    clock: Callable[[], datetime] | None = None,
    http: httpx2.BaseTransport | None = None,
) -> UserSignIn:
    """The way to sign in at the simulator."""
    at = Registration(sim.login_url, tenant or sim.tenant, client_id, resource or "https://127.0.0.1", proof)
    return UserSignIn(at, clock or Clock(NOW), http=http)


async def type_code(code: DeviceCode, *, login: str = USER, password: str = PASSWORD, answer: str = "allow") -> int:
    """Do what a person does at another device."""
    form = {"user_code": code.user_code, "login": login, "password": password, "answer": answer}
    async with httpx2.AsyncClient() as client:
        return (await client.post(code.page, data=form)).status_code


async def use_browser(page: str, *, login: str = USER, answer: str = "allow", follow: bool = True) -> tuple[str, int]:
    """Do what a person does in a browser; returns the address it goes back to, and how it was answered there."""
    async with httpx2.AsyncClient() as client:
        assert (await client.get(page)).status_code == 200
        posted = await client.post(page, data={"login": login, "password": PASSWORD, "answer": answer})
        back = posted.headers["location"]
        if not follow:
            return back, 0
        return back, (
            await client.get(back.replace("localhost", "127.0.0.1"), headers={"Host": urlsplit(back).netloc})
        ).status_code


def told_in(address: str) -> dict[str, str]:
    """What a browser brings back."""
    return dict(parse_qsl(urlsplit(address).query))


async def granted(signs_in: UserSignIn, **person: str) -> Grant:
    """Sign in by a code."""
    code = await signs_in.device_code()
    assert await type_code(code, **person) == 200
    grant, _ = await signs_in.typed(code)
    assert grant is not None
    return grant


@dataclass
class Kept:
    """A `Keeper` in memory, which counts."""

    kept: KeptSignIn
    refusals: list[str] = field(default_factory=list)
    renewals: int = 0
    reads: int = 0
    fails: bool = False
    meanwhile: Callable[["Kept"], Awaitable[None]] | None = None
    clock: Clock = field(default_factory=lambda: Clock(NOW))

    @classmethod
    def of(cls, grant: Grant, clock: Clock | None = None) -> "Kept":
        return cls(KeptSignIn(grant.account, "0", "first", grant.refresh_token), clock=clock or Clock(NOW))

    async def read(self) -> KeptSignIn:
        self.reads += 1
        return self.kept

    async def renewed(self, before: KeptSignIn, refresh_token: str) -> None:
        if self.fails:
            raise TryLaterError("no database", code="database")
        if before.mark == self.kept.mark:
            self.renewals += 1
            self.kept = KeptSignIn(before.account, str(self.renewals), before.sign_in, refresh_token)

    async def refused(self, before: KeptSignIn, code: str) -> None:
        if before.mark == self.kept.mark:
            self.refusals.append(code)
            self.kept = KeptSignIn(before.account, before.mark, before.sign_in, before.refresh_token, self.clock())


def flow_of(asked: BrowserFlow) -> dict[str, str]:
    """What the address of a sign-in asks for."""
    return dict(parse_qsl(urlsplit(asked.page).query))
