"""Keys and metadata are fetched once for all, again when they change, and never more than is good for the provider."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from structlog.testing import capture_logs

from greenroom.settings.addin import Addin
from greenroom.web.identity import IdentityUnavailableError, Refusal, fetching, token_check
from greenroom.web.identity.kept import Kept
from greenroom.web.identity.keys import keys_of_jwks
from support import certificates
from support.judged import World
from support.tokens import PUBLIC_URL, Issuers, addin_settings, issuers_served, put_together, signer

KINDS = [("entra", "Bearer", 1), ("exchange", "Exchange", 1), ("oidc", "Bearer", 2)]
"""Kind, scheme, and how many documents it needs."""

kinds = pytest.mark.parametrize(("kind", "scheme", "documents"), KINDS, ids=[kind[0] for kind in KINDS])


def _issuer(world: World, kind: str) -> Any:
    return getattr(world, kind)


def _with_key(world: World, kind: str, name: str) -> str:
    issuer = _issuer(world, kind)
    header = issuer.header(**{"x5t" if kind == "exchange" else "kid": name})
    return put_together(header, issuer.claims(), issuer.signer)


@kinds
async def test_documents_are_fetched_once_for_everybody(kind: str, scheme: str, documents: int) -> None:
    world = World()
    token = _issuer(world, kind).token()
    callers = await asyncio.gather(*(world.caller(token, scheme) for _ in range(50)))
    assert len({caller.user for caller in callers}) == 1
    world.later(minutes=59)
    await world.caller(_issuer(world, kind).token(), scheme)
    assert world.issuers.asked.total() == documents


@kinds
async def test_a_new_key_is_learned_with_the_first_token_it_signs(kind: str, scheme: str, documents: int) -> None:
    world = World()
    issuer = _issuer(world, kind)
    await world.caller(issuer.token(), scheme)
    issuer.signer = signer("next")
    issuer.published.append(issuer.signer)
    callers = await asyncio.gather(*(world.caller(issuer.token(), scheme) for _ in range(20)))
    assert len(callers) == 20
    assert world.issuers.asked.total() == documents + 1


@kinds
async def test_a_flood_of_unknown_keys_causes_one_fetch_a_minute(kind: str, scheme: str, documents: int) -> None:
    world = World()
    for minute in range(1, 4):
        refusals = await asyncio.gather(
            *(world.refusal(_with_key(world, kind, f"unknown-{minute}-{number}"), scheme) for number in range(8))
        )
        refusals.append(await world.refusal(_with_key(world, kind, "unknown"), scheme))
        assert {error.reason for error in refusals} == {Refusal.KEY_UNKNOWN}
        assert world.issuers.asked.total() == documents + minute
        world.later(seconds=61)


@kinds
async def test_a_key_that_is_withdrawn_counts_no_more_soon_after(kind: str, scheme: str, documents: int) -> None:
    world = World()
    issuer = _issuer(world, kind)
    old = issuer.signer
    await world.caller(issuer.token(), scheme)
    issuer.published[:] = [signer("next")]
    world.later(minutes=121)
    assert (await world.refusal(issuer.token(), scheme)).reason is Refusal.KEY_UNKNOWN
    assert old is issuer.signer
    assert world.issuers.asked.total() <= 2 * documents + 1


async def test_after_an_hour_keys_are_fetched_anew_while_nobody_waits() -> None:
    world = World()
    await world.caller(world.entra.token())
    world.later(minutes=61)
    await world.caller(world.entra.token())
    assert world.issuers.asked.total() == 1
    await asyncio.sleep(0.05)
    await world.caller(world.entra.token())
    assert world.issuers.asked.total() == 2


@kinds
async def test_while_the_provider_is_away_what_is_kept_counts_on_for_a_day(
    kind: str, scheme: str, documents: int
) -> None:
    world = World()
    await world.caller(_issuer(world, kind).token(), scheme)
    world.issuers.instead = Response(status_code=503)
    asked = documents
    for hours in (1.5, 3, 8, 11):
        world.later(hours=hours)
        await world.caller(_issuer(world, kind).token(), scheme)
        await asyncio.sleep(0.01)
        await world.caller(_issuer(world, kind).token(), scheme)
        asked += documents
        assert world.issuers.asked.total() <= asked
    world.later(hours=1)
    assert await world.unavailable(_issuer(world, kind).token(), scheme) == "status-503"
    world.issuers.instead = None
    world.later(seconds=15)
    await world.caller(_issuer(world, kind).token(), scheme)


@kinds
async def test_an_unknown_key_waits_while_the_provider_is_away(kind: str, scheme: str, documents: int) -> None:
    world = World()
    await world.caller(_issuer(world, kind).token(), scheme)
    world.issuers.instead = Response(status_code=500)
    for _ in range(3):
        assert await world.unavailable(_with_key(world, kind, "unknown"), scheme) == "status-500"
    assert world.issuers.asked.total() == documents + 1
    await world.caller(_issuer(world, kind).token(), scheme)


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(1_000):
        yield b"[" * 65_536


ANSWERS = [
    ("an error", lambda: Response(status_code=500), "status-500"),
    ("not found", lambda: Response(status_code=404), "status-404"),
    ("nothing", Response, "unreadable"),
    ("no content", lambda: Response(status_code=204), "status-204"),
    ("a page", lambda: Response("<html>", media_type="text/html"), "unreadable"),
    ("a list", lambda: JSONResponse([]), "unreadable"),
    ("deep", lambda: Response("[" * 100_000), "unreadable"),
    ("a huge number", lambda: Response('{"keys": ' + "9" * 5_000 + "}"), "unreadable"),
    ("a redirect", lambda: RedirectResponse("https://evil.example/keys", 302), "redirected"),
    ("a redirect for good", lambda: RedirectResponse("/elsewhere", 308), "redirected"),
    ("huge", lambda: Response(b" " * (513 * 1_024)), "too-long"),
    ("compressed", lambda: Response(b"x", headers={"Content-Encoding": "gzip"}), "compressed"),
]


@kinds
@pytest.mark.parametrize(("answer", "code"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
async def test_an_answer_that_is_none_makes_it_unavailable(
    kind: str, scheme: str, documents: int, answer: Any, code: str
) -> None:
    world = World()
    world.issuers.instead = answer()
    with capture_logs() as logs:
        assert await world.unavailable(_issuer(world, kind).token(), scheme) == code
    assert [line["code"] for line in logs if line["event"] == "identity.unavailable"][-1] == code
    assert await world.unavailable(_issuer(world, kind).token(), scheme) == code  # and is left alone for a while
    assert world.issuers.asked.total() == 1
    assert documents


async def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    with issuers_served() as issuers:
        settings = addin_settings(issuers)
        check = token_check(settings, public_url=PUBLIC_URL, integration_number=1, clock=lambda: datetime.now(UTC))
        for kind, scheme, _ in KINDS:
            issuers.instead = StreamingResponse(_endless())
            with pytest.raises(IdentityUnavailableError, match="too-long"):
                await check.check(f"{scheme} {getattr(issuers, kind).token()}")
        await check.close()


def _hostile() -> list[Any]:
    good = signer("entra").jwk
    return [
        {"keys": [None, 1, [], {}]},
        {"keys": "all"},
        {"keys": [{"kty": "oct", "k": "AAAA", "kid": "a"}]},
        {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}]},
        {"keys": [{"kty": "RSA", "n": "x" * 100_000, "e": "AQAB", "kid": "a"}]},
        {"keys": [{"kty": "RSA", "n": 5, "e": None, "kid": "a"}]},
        {"keys": [{"kty": ["RSA"], "n": "AQAB", "e": "AQAB", "kid": "a"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "a"}]},
        {"keys": [{"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "a"}]},
        {"keys": [good(use="enc")]},
        {"keys": [good(key_ops=["encrypt"])]},
        {"keys": [good(key_ops="verify")]},
        {"keys": [good(alg="RS512")]},
        {"keys": [good(alg=["RS256"])]},
        {"keys": [good(kid=None)]},
        {"keys": [good(kid=["a"])]},
        {"keys": [good(e="A" * 1_000 + "B")]},
        {"keys": [signer("weak", bits=1_024).jwk()]},
    ]


def test_keys_that_cannot_be_used_are_left_out() -> None:
    for document in [*_hostile(), None, [], "keys", 5]:
        assert not keys_of_jwks(document)
    good = signer("entra").jwk()
    everything = [part for document in _hostile() if isinstance(document["keys"], list) for part in document["keys"]]
    assert keys_of_jwks({"keys": [*everything, good]}).find(signer("entra").kid, "RS256") is not None
    assert not keys_of_jwks({"keys": [{}] * 100 + [good]})  # no more are looked at


async def test_of_two_keys_of_one_name_the_first_counts() -> None:
    world = World()
    other = signer("somebody else")
    keys = [world.entra.signer.jwk(), other.jwk(kid=world.entra.signer.kid)]
    world.entra.jwks = lambda: {"keys": keys}
    forged = put_together(world.entra.header(), world.entra.claims(), other)
    assert (await world.refusal(forged)).reason is Refusal.SIGNATURE
    assert (await world.caller(world.entra.token())).kind == "entra"


async def test_a_provider_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", 0.2)
    with _dripping() as port:
        settings = Addin.model_validate(
            {"exchange_tokens": {"metadata_urls": [f"http://127.0.0.1:{port}/autodiscover/metadata/json/1"]}}
        )
        issuers = Issuers(f"http://127.0.0.1:{port}")
        check = token_check(settings, public_url=PUBLIC_URL, integration_number=1, clock=lambda: datetime.now(UTC))
        began = asyncio.get_running_loop().time()
        with pytest.raises(IdentityUnavailableError, match="timeout"):
            await check.check(f"Exchange {issuers.exchange.token()}")
        assert asyncio.get_running_loop().time() - began < 3
        await check.close()


@contextmanager
def _dripping() -> Iterator[int]:
    """Answer with a byte now and then, for ever."""
    listener, done = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not done.wait(0.02):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        thread.join(5)
        listener.close()


async def test_a_certificate_is_trusted_only_by_whoever_was_told_to(tmp_path: Path) -> None:
    identity = certificates.of_this_machine(tmp_path)
    with issuers_served(identity) as issuers:
        trusting: dict[str, Any] = {
            "entra": {"ca_file": identity.certificate},
            "exchange_tokens": {"ca_file": tmp_path / "missing.pem"},
        }
        settings = addin_settings(issuers, **trusting)
        check = token_check(settings, public_url=PUBLIC_URL, integration_number=1, clock=lambda: datetime.now(UTC))
        assert (await check.check(f"Bearer {issuers.entra.token()}")).kind == "entra"
        with pytest.raises(IdentityUnavailableError, match="ca-file"):
            await check.check(f"Exchange {issuers.exchange.token()}")
        with pytest.raises(IdentityUnavailableError, match="tls"):
            await check.check(f"Bearer {issuers.oidc.token()}")
        await check.close()


async def test_where_nobody_is_nobody_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    issuers = Issuers(f"http://127.0.0.1:{port}")
    settings = addin_settings(issuers)
    check = token_check(settings, public_url=PUBLIC_URL, integration_number=1, clock=lambda: datetime.now(UTC))
    with pytest.raises(IdentityUnavailableError, match="unreachable"):
        await check.check(f"Bearer {issuers.entra.token()}")
    await check.close()


async def test_whoever_gives_up_waiting_leaves_the_fetch_to_the_others() -> None:
    world, gate = World(), asyncio.Event()

    async def slow(_request: httpx2.Request) -> httpx2.Response:
        await gate.wait()
        return httpx2.Response(200, json=world.entra.jwks())

    check = token_check(
        world.settings,
        public_url=PUBLIC_URL,
        integration_number=1,
        clock=lambda: world.now,
        http=httpx2.MockTransport(slow),
    )
    token = f"Bearer {world.entra.token()}"
    first, second = (asyncio.create_task(check.check(token)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    assert (await second).kind == "entra"


async def test_whoever_waits_at_closing_is_told_to_come_later() -> None:
    world = World()

    async def never(_request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        raise AssertionError

    check = token_check(
        world.settings,
        public_url=PUBLIC_URL,
        integration_number=1,
        clock=lambda: world.now,
        http=httpx2.MockTransport(never),
    )
    waiting = asyncio.create_task(check.check(f"Bearer {world.entra.token()}"))
    await asyncio.sleep(0.01)
    await check.close()
    with pytest.raises(IdentityUnavailableError, match="closed"):
        await waiting


async def test_a_fetch_that_fails_in_a_new_way_is_told_and_leaves_what_is_kept() -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    results: list[Any] = ["first", KeyError("Zimtschnecken"), "second"]

    async def fetch() -> str:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return str(result)

    kept = Kept("document", fetch, lambda: now)
    assert await kept.get() == "first"
    now += timedelta(hours=3)
    with capture_logs() as logs:
        assert await kept.get() == "first"
    assert [line["event"] for line in logs] == ["identity.fetch-failed", "identity.unavailable"]
    assert "Zimtschnecken" not in str(logs)
    now += timedelta(seconds=15)
    assert await kept.get() == "second"


async def test_a_clock_that_is_set_back_holds_nothing_for_years() -> None:
    now = datetime(2037, 3, 1, tzinfo=UTC)
    count = 0

    async def fetch() -> int:
        nonlocal count
        count += 1
        return count

    kept = Kept("document", fetch, lambda: now)
    assert await kept.get() == 1
    now = datetime(2027, 3, 1, tzinfo=UTC)
    assert await kept.get() == 2
