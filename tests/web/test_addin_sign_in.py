"""The sign-in's second half: a code becomes an access token, for our own page alone, and nothing of either is kept or told."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, RedirectResponse, Response
from structlog.testing import capture_logs

from greenroom.web.addin_problems import ProblemError, RefusalLog
from greenroom.web.addin_sign_in import LARGEST, PATH, sign_in_router
from greenroom.web.identity import IdentityUnavailableError, OidcSignIn, Redeemed, oidc_provider, token_check
from support.judged import NOW, assert_untold
from support.tokens import OIDC_CLIENT, PUBLIC_URL, Issuers, addin_settings, encoded, issuers_served

VERIFIER = "v" * 43 + "._~-"
CHALLENGE = encoded(hashlib.sha256(VERIFIER.encode()).digest())
REDIRECT = f"{PUBLIC_URL}/addin/signed-in.html"


class Refusals(RefusalLog):
    """What would be stored, in a list."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, str, str, str]] = []

    async def note(self, problem: ProblemError, integration: int, correlation: str) -> None:
        self.kept.append((integration, problem.kind, problem.reason, correlation))


class Desk:
    """The route, with an AD FS behind it."""

    def __init__(self, issuers: Issuers | None = None, *, transport: Any = None, **options: Any) -> None:
        self.now = NOW
        self.issuers = issuers or Issuers()
        self.issuers.now_is(lambda: self.now)
        chosen = addin_settings(self.issuers, kinds="oidc").oidc
        assert chosen is not None
        http = transport or (None if issuers else self.issuers.transport())
        self.provider = oidc_provider(chosen, clock=lambda: self.now, http=http)
        self.redeemer = OidcSignIn(self.provider, PUBLIC_URL)
        self.app = FastAPI()
        self.refusals = Refusals()
        self.app.include_router(sign_in_router({1: self.redeemer}, self.refusals, lambda: self.now, **options))

    def code(self, redirect: str = REDIRECT) -> str:
        return self.issuers.oidc.code(CHALLENGE, redirect)

    async def post(self, body: Any = None, *, address: str = "192.0.2.1", **headers: str) -> httpx2.Response:
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        transport = httpx2.ASGITransport(app=self.app, client=(address, 4711))
        async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
            given_headers = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
            return await client.post(PATH, content=content, headers=given_headers)

    async def sign_in(self, code: str | None = None, **more: Any) -> httpx2.Response:
        return await self.post({"integration": 1, "code": code or self.code(), "verifier": VERIFIER, **more})


def is_problem(answer: httpx2.Response, status: int, code: str) -> bool:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "code", "correlation_id"}
    assert (document["status"], answer.headers["cache-control"]) == (status, "no-store")
    return bool(document["code"] == code)


async def test_a_code_becomes_an_access_token_and_nothing_else() -> None:
    desk = Desk()
    code = desk.code()
    with capture_logs() as logs:
        answer = await desk.sign_in(code)
    assert (answer.status_code, set(answer.json())) == (200, {"access_token", "expires_in"})
    assert answer.json()["expires_in"] == 3600
    assert answer.headers["cache-control"] == "no-store"
    assert not [name for name in answer.headers if "access-control" in name or "cookie" in name]
    assert_untold(answer.json()["access_token"], [str(logs), repr(desk.redeemer)])
    assert code not in str(logs)
    assert VERIFIER not in str(logs)


async def test_the_provider_is_asked_as_a_public_client_with_the_fixed_address() -> None:
    asked: list[httpx2.Request] = []

    async def provider(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        document = Issuers().oidc.metadata()
        return httpx2.Response(
            200, json=document if request.method == "GET" else {"access_token": "a", "token_type": "Bearer"}
        )

    desk = Desk(transport=httpx2.MockTransport(provider))
    assert (await desk.sign_in("a+b&c=d%")).json() == {"access_token": "a", "expires_in": 3600}
    assert {name: values[0] for name, values in parse_qs(asked[-1].content.decode()).items()} == {
        "grant_type": "authorization_code",
        "client_id": OIDC_CLIENT,
        "code": "a+b&c=d%",
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    assert "authorization" not in asked[-1].headers


async def test_a_code_is_good_once_and_only_with_its_verifier() -> None:
    desk = Desk()
    code = desk.code()
    assert (await desk.sign_in(code)).status_code == 200
    with capture_logs() as logs:
        assert is_problem(await desk.sign_in(code), 401, "token-refused")
        assert is_problem(await desk.sign_in(verifier="w" * 43), 401, "token-refused")
        assert is_problem(
            await desk.sign_in(desk.code("https://evil.example/addin/signed-in.html")), 401, "token-refused"
        )
    assert [kept[:3] for kept in desk.refusals.kept] == [(1, "sign-in", "invalid_grant")] * 3
    assert code not in str(logs)


async def test_our_own_redirect_address_may_be_named_and_no_other() -> None:
    desk = Desk()
    assert (await desk.sign_in(redirect_uri=REDIRECT)).status_code == 200
    for other in ("https://evil.example/addin/signed-in.html", REDIRECT + "?x", REDIRECT.upper(), ""):
        assert is_problem(await desk.sign_in(redirect_uri=other), 422, "invalid-request")


async def test_an_integration_without_such_a_sign_in_is_none() -> None:
    desk = Desk()
    for number in (0, 2, -1, 10**30):
        assert is_problem(await desk.sign_in(integration=number), 404, "no-such-integration")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"code=1", 400),
        (b"[" * 10_000, 400),
        (b"[]", 422),
        (b"null", 422),
        ({}, 422),
        ({"integration": 1}, 422),
        ({"integration": "1", "code": "a", "verifier": VERIFIER}, 422),
        ({"integration": True, "code": "a", "verifier": VERIFIER}, 422),
        ({"integration": 1.0, "code": "a", "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": "", "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": "a b", "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": "a\r\nb", "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": "\u00e9", "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": "a" * 8_193, "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": ["a"], "verifier": VERIFIER}, 422),
        ({"integration": 1, "code": "a", "verifier": "v" * 42}, 422),
        ({"integration": 1, "code": "a", "verifier": "v" * 129}, 422),
        ({"integration": 1, "code": "a", "verifier": "v" * 43 + "+"}, 422),
        ({"integration": 1, "code": "a", "verifier": "v" * 43 + "\n"}, 422),
        ({"integration": 1, "code": "a", "verifier": VERIFIER, "redirect_uri": 5}, 422),
        ({"integration": 1, "code": "a", "verifier": VERIFIER, "client_secret": "a"}, 422),
        (b" " * (LARGEST + 1), 413),
    ],
)
async def test_what_is_not_asked_rightly_reaches_nobody(body: Any, status: int) -> None:
    desk = Desk()
    assert is_problem(await desk.post(body), status, "invalid-request")
    assert not desk.issuers.asked


@settings(max_examples=40)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered_with_a_problem(body: bytes) -> None:
    assert _LOOP.run(_desk().post(body)).status_code in (400, 422)


_LOOP = asyncio.Runner()


@cache
def _desk() -> Desk:
    return Desk(per_minute=1_000)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "invalid-request"),
        ({"content_type": "text/plain"}, 415, "invalid-request"),
        ({"content_encoding": "gzip"}, 415, "invalid-request"),
        ({"origin": "https://evil.example"}, 403, "not-allowed"),
        ({"origin": "null"}, 403, "not-allowed"),
        ({"sec_fetch_site": "cross-site"}, 403, "not-allowed"),
        ({"sec_fetch_site": "same-site"}, 403, "not-allowed"),
    ],
)
async def test_other_sites_get_nothing(headers: dict[str, str], status: int, code: str) -> None:
    desk = Desk()
    body = {"integration": 1, "code": desk.code(), "verifier": VERIFIER}
    assert is_problem(await desk.post(body, **headers), status, code)
    assert not desk.issuers.asked
    ours = await desk.post(
        body, origin=PUBLIC_URL, sec_fetch_site="same-origin", content_type="application/json; charset=utf-8"
    )
    assert ours.status_code == 200


async def test_an_address_may_ask_so_often_in_a_minute() -> None:
    desk = Desk(per_minute=3)
    for _ in range(3):
        assert (await desk.sign_in()).status_code == 200
    refused = await desk.sign_in()
    assert is_problem(refused, 429, "too-many")
    assert refused.headers["retry-after"] == "60"
    body = {"integration": 1, "code": desk.code(), "verifier": VERIFIER}
    assert (await desk.post(body, address="192.0.2.2")).status_code == 200
    desk.now += timedelta(seconds=61)
    assert (await desk.sign_in()).status_code == 200


async def test_neighbours_within_an_ipv6_network_are_one() -> None:
    desk = Desk(per_minute=1)
    assert (await desk.post({}, address="2001:db8::1")).status_code == 422
    assert (await desk.post({}, address="2001:db8::ffff:1")).status_code == 429
    assert (await desk.post({}, address="2001:db8:0:1::1")).status_code == 422


async def test_who_comes_from_ever_new_addresses_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.web.addin_sign_in._REMEMBERED", 3)
    desk = Desk(per_minute=1)
    for number in range(4):
        assert (await desk.post({}, address=f"192.0.2.{number}")).status_code == 422
    assert (await desk.post({}, address="192.0.2.3")).status_code == 429
    assert (await desk.post({}, address="192.0.2.0")).status_code == 422  # forgotten


class Waiting:
    """A provider that takes its time."""

    redirect_uri = REDIRECT

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def redeem(self, code: str, verifier: str) -> Redeemed:
        await self.gate.wait()
        return Redeemed(code + verifier[:1], 5)


async def test_only_so_many_sign_in_at_once() -> None:
    desk, waiting = Desk(), Waiting()
    desk.app = FastAPI()
    desk.app.include_router(sign_in_router({1: waiting}, desk.refusals, lambda: desk.now, at_once=2))
    both = [asyncio.create_task(desk.sign_in("a")) for _ in range(2)]
    await asyncio.sleep(0.05)
    refused = await desk.sign_in("b")
    assert is_problem(refused, 503, "unavailable")
    assert refused.headers["retry-after"]
    waiting.gate.set()
    assert {(await one).status_code for one in both} == {200}
    assert (await desk.sign_in("c")).json() == {"access_token": "cv", "expires_in": 5}


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    desk = Desk(patience=0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(1)

    transport = httpx2.ASGITransport(app=desk.app)
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        answer = await client.post(PATH, content=slowly(), headers={"content-type": "application/json"})
    assert is_problem(answer, 408, "invalid-request")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Response(status_code=503), 503, "unavailable"),
        (Response(status_code=429), 503, "unavailable"),
        (RedirectResponse("https://evil.example/token", 307), 503, "unavailable"),
        (Response("<html>"), 503, "unavailable"),
        (Response(b" " * 600_000), 503, "unavailable"),
        (JSONResponse({"access_token": "a", "token_type": "mac"}), 503, "unavailable"),
        (JSONResponse({"access_token": "a b\u00e9", "token_type": "bearer"}), 503, "unavailable"),
        (JSONResponse({"access_token": ["a"], "token_type": "bearer"}), 503, "unavailable"),
        (JSONResponse({"access_token": "a" * 20_000, "token_type": "bearer"}), 503, "unavailable"),
        (JSONResponse({"token_type": "bearer"}), 503, "unavailable"),
        (JSONResponse({"error": "invalid_client"}, 401), 401, "token-refused"),
        (JSONResponse({"error": "<script>Zimtschnecken"}, 400), 401, "token-refused"),
        (JSONResponse({"error": {"a": 1}}, 400), 401, "token-refused"),
    ],
)
async def test_a_provider_that_answers_oddly_is_told_apart_from_one_that_refuses(
    answer: Response, status: int, code: str
) -> None:
    desk = Desk()
    await desk.provider.metadata()
    desk.issuers.instead = answer
    with capture_logs() as logs:
        given_answer = await desk.sign_in()
    assert is_problem(given_answer, status, code)
    ((integration, kind, reason, correlation),) = desk.refusals.kept
    assert (integration, kind, correlation) == (1, "sign-in", given_answer.json()["correlation_id"])
    assert "Zimtschnecken" not in reason + str(logs) + given_answer.text


@pytest.mark.parametrize(
    ("life", "seconds"), [("600", 600), (None, 3_600), (10**9, 86_400), (-5, 0), (True, 3_600), ("x", 3_600)]
)
async def test_how_long_a_token_lasts_is_taken_with_care(life: Any, seconds: int) -> None:
    desk = Desk()
    await desk.provider.metadata()
    desk.issuers.instead = JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": life})
    assert (await desk.sign_in()).json() == {"access_token": "a", "expires_in": seconds}


async def test_codes_go_to_the_providers_own_host_alone() -> None:
    desk = Desk()
    hostile = {**desk.issuers.oidc.metadata(), "token_endpoint": "https://evil.example/token"}
    desk.issuers.oidc.metadata = lambda: hostile  # type: ignore[method-assign]  # this provider alone
    assert is_problem(await desk.sign_in(), 503, "unavailable")
    assert list(desk.issuers.asked) == ["/adfs/.well-known/openid-configuration"]


async def test_the_token_that_comes_back_is_one_the_judge_takes() -> None:
    """The whole way over real connections: sign in, redeem, ask."""
    with issuers_served() as issuers:
        desk = Desk(issuers)
        addresses = await desk.provider.oidc_addresses()
        assert addresses is not None
        query = {"client_id": OIDC_CLIENT, "redirect_uri": REDIRECT, "code_challenge": CHALLENGE, "state": "s"}
        async with httpx2.AsyncClient() as browser:
            back = await browser.get(addresses.authorize_url, params=query)
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        token = (await desk.sign_in(code)).json()["access_token"]
        addin = addin_settings(issuers, kinds="oidc")
        check = token_check(
            addin, public_url=PUBLIC_URL, integration_number=1, clock=lambda: desk.now, provider=desk.provider
        )
        assert (await check.check(f"Bearer {token}")).kind == "oidc"
        assert issuers.asked["/adfs/.well-known/openid-configuration"] == 1
        await check.close()
        with pytest.raises(IdentityUnavailableError):
            await desk.redeemer.redeem("a", VERIFIER)
