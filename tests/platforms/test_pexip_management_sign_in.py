"""Signing in: by account and by OAuth2 client; refused credentials rest, so that no account is locked."""

import asyncio
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from greenroom.platforms.errors import PlatformMisconfiguredError, PlatformSignInError, PlatformUnavailableError
from greenroom.platforms.pexip.management import Basic, OAuth2
from platforms.scripted_pexip import CONFERENCES, NOW, URL, Node, Seen, Time, answer, client, limits, listed

KEY = ec.generate_private_key(ec.SECP256R1())
TOKEN = f"{URL}/oauth/token/"


def pem(key: Any, password: bytes | None = None) -> bytes:
    hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    told: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)
    return told


def oauth(**more: Any) -> OAuth2:
    return OAuth2(**{"client_id": "greenroom", "private_key_pem": pem(KEY), **more})


def token(value: str = "t1", **more: Any) -> Any:
    return answer(200, {"access_token": value, "expires_in": 3600, "token_type": "Bearer", **more})


def assertion(seen: Seen, audience: str = TOKEN) -> dict[str, Any]:
    """The claims of an assertion, by another implementation that checks signature and audience."""
    told: dict[str, Any] = jwt.decode(
        seen.form["client_assertion"],
        KEY.public_key(),
        algorithms=["ES256"],
        audience=audience,
        options={"verify_exp": False, "verify_iat": False},
    )
    return told


async def test_a_client_proves_itself_by_a_signed_assertion() -> None:
    node = Node(token(), listed(), listed())
    there = client(node, oauth())
    await there.find_by_tag("x")
    await there.find_by_tag("x")
    asked, first, second = node.seen
    assert (asked.method, asked.raw) == ("POST", TOKEN)
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in asked.headers
    form = {name: value for name, value in asked.form.items() if name != "client_assertion"}
    assert form == {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": "is_admin use_api",
    }
    claims = assertion(asked)
    assert (claims["iss"], claims["sub"], claims["iat"]) == ("greenroom", "greenroom", int(NOW.timestamp()))
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    assert claims["jti"]
    assert [s.headers["authorization"] for s in (first, second)] == ["Bearer t1", "Bearer t1"]


async def test_the_node_may_have_another_name_for_itself_and_another_place_for_tokens() -> None:
    node = Node(token(), listed(limit=2))
    await client(node, oauth(audience="https://mgr.internal/oauth/token/")).ping()
    assert node.seen[0].raw == TOKEN
    assert assertion(node.seen[0], "https://mgr.internal/oauth/token/")
    node = Node(token(), listed(limit=2))
    await client(node, oauth(token_url="https://login.example.com/t/")).ping()
    assert node.seen[0].raw == "https://login.example.com/t/"
    assert assertion(node.seen[0], "https://login.example.com/t/")


async def test_a_token_is_renewed_shortly_before_its_end() -> None:
    clock = Time()
    node = Node(token("t1"), listed(), listed(), token("t2"), listed())
    there = client(node, oauth(), clock=clock)
    await there.find_by_tag("x")
    clock.passes(minutes=54)
    await there.find_by_tag("x")
    clock.passes(minutes=2)
    await there.find_by_tag("x")
    assert [s.headers.get("authorization") for s in node.seen] == [None, "Bearer t1", "Bearer t1", None, "Bearer t2"]
    assert assertion(node.seen[0])["jti"] != assertion(node.seen[3])["jti"]


async def test_many_who_need_a_token_ask_for_one() -> None:
    node = Node(token(), *[listed() for _ in range(6)])
    there = client(node, oauth())
    await asyncio.gather(*(there.find_by_tag("x") for _ in range(6)))
    assert [s.path for s in node.seen].count("/oauth/token/") == 1


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    node = Node(token("t1"), answer(401), token("t2"), answer(204), answer(401), token("t3"), answer(401))
    clock = Time()
    there = client(node, oauth(), clock=clock)
    await there.update(f"{CONFERENCES}1/", {})
    assert [s.headers.get("authorization") for s in node.seen] == [None, "Bearer t1", None, "Bearer t2"]
    with pytest.raises(PlatformSignInError, match="http-401"):
        await there.update(f"{CONFERENCES}1/", {})
    assert len(node.seen) == 7
    with pytest.raises(PlatformSignInError, match="refused-before"):
        await there.update(f"{CONFERENCES}1/", {})
    assert len(node.seen) == 7


@pytest.mark.parametrize(
    ("told", "kind", "code"),
    [
        (
            answer(401, {"error": "invalid_client", "error_description": "invalid_claim"}),
            PlatformSignInError,
            "invalid_client",
        ),
        (answer(400, {"error": "invalid_grant"}), PlatformSignInError, "invalid_grant"),
        (answer(400, {"error": "secret stuff"}), PlatformSignInError, "http-400"),
        (answer(401, b"no"), PlatformSignInError, "http-401"),
        (answer(404), PlatformMisconfiguredError, "no-oauth"),
        (answer(302, location="/login/"), PlatformMisconfiguredError, "no-oauth"),
        (answer(500), PlatformUnavailableError, "http-500"),
        (answer(503, retry_after="9"), PlatformUnavailableError, "http-503"),
    ],
)
async def test_a_client_that_gets_no_token_is_told_why(told: Any, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as caught:
        await client(Node(told), oauth()).create({})
    assert str(caught.value) == code


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b"[]",
        {},
        {"access_token": 5},
        {"access_token": ""},
        {"access_token": "a b"},
        {"access_token": "a\r\nX: y"},
        {"access_token": "x" * 20_000},
        {"access_token": "x", "token_type": "MAC"},
    ],
    ids=range(10),
)
async def test_what_cannot_be_a_token_is_not_used(body: Any) -> None:
    node = Node(answer(200, body))
    with pytest.raises(PlatformUnavailableError):
        await client(node, oauth()).create({})


@pytest.mark.parametrize("lasts", [None, "x", -1, 0, True, 1e300, 10**12])
async def test_a_token_without_a_sensible_end_is_used_for_the_usual_time(lasts: Any) -> None:
    node = Node(token(expires_in=lasts), listed(), listed())
    clock = Time()
    there = client(node, oauth(), clock=clock)
    await there.find_by_tag("x")
    clock.passes(minutes=50)
    await there.find_by_tag("x")


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"no key",
        pem(KEY, b"locked"),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
        KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["nothing", "text", "encrypted", "p384", "rsa", "public"],
)
async def test_a_key_that_cannot_sign_is_said_when_it_is_needed(key: bytes) -> None:
    node = Node()
    with pytest.raises(PlatformMisconfiguredError, match="private-key"):
        await client(node, oauth(private_key_pem=key)).ping()
    with pytest.raises(PlatformMisconfiguredError):
        await client(node, oauth(token_url="http://login.example.com/")).ping()
    assert node.seen == []


async def test_a_wrong_password_is_tried_ever_more_seldom() -> None:
    clock = Time()
    shared = limits(clock)
    node = Node(answer(401), forever=True)
    one, two = client(node, clock=clock, shared=shared), client(node, clock=clock, shared=shared)
    with pytest.raises(PlatformSignInError, match="http-401"):
        await one.create({})
    tried: list[int] = []
    for _ in range(24 * 12):
        clock.passes(minutes=5)
        for there in (one, two):
            with pytest.raises(PlatformSignInError):
                await there.find_by_tag("x")
        if len(node.seen) - 1 > len(tried):
            tried.append(round((clock.now - NOW).total_seconds() / 60))
    assert tried == [15, 75, 315, 675, 1035, 1395]


async def test_many_who_come_at_once_try_a_password_once() -> None:
    clock = Time()
    shared = limits(clock)
    node = Node(answer(401), forever=True)
    all_of_them = [client(node, clock=clock, shared=shared).ping() for _ in range(20)]
    told = await asyncio.gather(*all_of_them, return_exceptions=True)
    assert all(isinstance(error, PlatformSignInError) for error in told)
    assert len(node.seen) == 1


async def test_another_password_is_tried_at_once_and_a_good_one_is_used_side_by_side() -> None:
    clock = Time()
    shared = limits(clock)

    def door(seen: Seen) -> Any:
        return answer(401) if seen.headers["authorization"] == "Basic YXBpOnNlY3JldA==" else listed()

    node = Node(door, forever=True)
    with pytest.raises(PlatformSignInError):
        await client(node, clock=clock, shared=shared).find_by_tag("x")
    there = client(node, Basic("api", "better: \u00e4"), clock=clock, shared=shared)
    await asyncio.gather(*(there.find_by_tag("x") for _ in range(5)))
    assert node.seen[-1].headers["authorization"] == "Basic YXBpOmJldHRlcjogw6Q="


async def test_a_busy_sign_in_leaves_the_node_alone() -> None:
    node = Node(answer(429, retry_after="12"))
    there = client(node, oauth())
    for _ in range(2):
        with pytest.raises(PlatformUnavailableError) as caught:
            await there.ping()
        assert caught.value.after is not None
        assert caught.value.after > timedelta(seconds=11)
    assert len(node.seen) == 1


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Basic("api", "secret"))
    assert "PRIVATE" not in repr(oauth())
    assert Basic("a", "b").mark != Basic("ab", "").mark != oauth().mark
