"""Exchange's identity tokens: which are taken, which are refused and why, and that nothing of them is told."""

import json
from functools import cache
from typing import Any

import pytest

from greenroom.web.identity import Refusal
from support.judged import Bad, World, assert_untold, common_bad_tokens
from support.tokens import EXCHANGE_SERVICE, PUBLIC_URL, REALM, put_together, signer

SCHEME = "Exchange"


def _with(world: World, **context: Any) -> str:
    return str(world.exchange.token(appctx=json.dumps(world.exchange.context(**context))))


def _amurl(address: str) -> Any:
    return lambda world: _with(world, amurl=address)


OWN: list[Bad] = [
    ("no context", Refusal.MALFORMED, lambda w: w.exchange.token(appctx=None)),
    ("a context that is no JSON", Refusal.MALFORMED, lambda w: w.exchange.token(appctx="{")),
    ("a context that is a list", Refusal.MALFORMED, lambda w: w.exchange.token(appctx="[]")),
    ("a context that is a number", Refusal.MALFORMED, lambda w: w.exchange.token(appctx=1)),
    ("a context in a text in a text", Refusal.MALFORMED, lambda w: w.exchange.token(appctx=json.dumps("{}"))),
    ("a context too deep", Refusal.MALFORMED, lambda w: w.exchange.token(appctx="[" * 3_000)),
    ("a name twice in the context", Refusal.MALFORMED, lambda w: w.exchange.token(appctx='{"amurl":"a","amurl":"b"}')),
    ("another version", Refusal.VERSION, lambda w: _with(w, version="ExIdTok.V2")),
    ("no version", Refusal.VERSION, lambda w: _with(w, version=None)),
    ("a version that is a number", Refusal.MALFORMED, lambda w: _with(w, version=1)),
    ("no address", Refusal.METADATA_ADDRESS, lambda w: _with(w, amurl=None)),
    ("an address elsewhere", Refusal.METADATA_ADDRESS, _amurl("https://evil.example/autodiscover/metadata/json/1")),
    ("an inner address", Refusal.METADATA_ADDRESS, _amurl("http://169.254.169.254/latest/meta-data")),
    ("our address, http", Refusal.METADATA_ADDRESS, _amurl("http://issuer.example.org/autodiscover/metadata/json/1")),
    (
        "our address, another port",
        Refusal.METADATA_ADDRESS,
        _amurl("https://issuer.example.org:8443/autodiscover/metadata/json/1"),
    ),
    (
        "our address, another path",
        Refusal.METADATA_ADDRESS,
        _amurl("https://issuer.example.org/autodiscover/metadata/json/2"),
    ),
    (
        "our address, a query",
        Refusal.METADATA_ADDRESS,
        _amurl("https://issuer.example.org/autodiscover/metadata/json/1?x"),
    ),
    (
        "our address and a name",
        Refusal.METADATA_ADDRESS,
        _amurl("https://a@issuer.example.org/autodiscover/metadata/json/1"),
    ),
    (
        "our address with a bad port",
        Refusal.METADATA_ADDRESS,
        _amurl("https://issuer.example.org:x/autodiscover/metadata/json/1"),
    ),
    (
        "an address with dots",
        Refusal.METADATA_ADDRESS,
        _amurl("https://issuer.example.org/a/../autodiscover/metadata/json/1"),
    ),
    ("an address that is a list", Refusal.MALFORMED, lambda w: _with(w, amurl=["x"])),
    ("nobody", Refusal.USER, lambda w: _with(w, msexchuid=None)),
    ("an empty somebody", Refusal.USER, lambda w: _with(w, msexchuid="")),
    ("somebody who is a number", Refusal.MALFORMED, lambda w: _with(w, msexchuid=5)),
    ("another realm", Refusal.ISSUER, lambda w: w.exchange.token(iss=f"{EXCHANGE_SERVICE}@evil.example")),
    (
        "another service",
        Refusal.ISSUER,
        lambda w: w.exchange.token(iss=f"00000003-0000-0ff1-ce00-000000000000@{REALM}"),
    ),
    ("no realm", Refusal.ISSUER, lambda w: w.exchange.token(iss=EXCHANGE_SERVICE)),
    ("another page", Refusal.AUDIENCE, lambda w: w.exchange.token(aud=f"{PUBLIC_URL}/addin/2/taskpane.html")),
    (
        "our page with a query",
        Refusal.AUDIENCE,
        lambda w: w.exchange.token(aud=f"{PUBLIC_URL}/addin/1/taskpane.html?x"),
    ),
    (
        "an audience in a list",
        Refusal.MALFORMED,
        lambda w: w.exchange.token(aud=[f"{PUBLIC_URL}/addin/1/taskpane.html"]),
    ),
    ("no beginning", Refusal.MALFORMED, lambda w: w.exchange.token(nbf=None)),
    ("a signed expiry", Refusal.MALFORMED, lambda w: w.exchange.token(exp="+4000000000")),
    ("an expiry in other digits", Refusal.MALFORMED, lambda w: w.exchange.token(exp="\u0664\u0660\u0660\u0660\u0660")),
    ("an endless expiry", Refusal.MALFORMED, lambda w: w.exchange.token(exp="4" * 40)),
    ("expired, as a text", Refusal.EXPIRED, lambda w: w.exchange.token(exp=str(int(w.now.timestamp()) - 400))),
    ("algorithm PS256", Refusal.ALGORITHM, lambda w: _by(w, "PS256")),
    ("named by kid alone", Refusal.KEY_UNKNOWN, lambda w: _named(w, kid=w.exchange.signer.x5t, x5t=None)),
    ("Entra's key", Refusal.KEY_UNKNOWN, lambda w: _named(w, x5t=signer("entra").x5t)),
]
TABLE = common_bad_tokens("exchange", "x5t") + OWN


def _by(world: World, algorithm: str) -> str:
    issuer = world.exchange
    return put_together(issuer.header(alg=algorithm), issuer.claims(), issuer.signer, algorithm)


def _named(world: World, **header: Any) -> str:
    return put_together(world.exchange.header(**header), world.exchange.claims(), world.exchange.signer)


@cache
def _shared_world() -> World:
    """One for the whole table: no token changes it."""
    return World(kinds="exchange")


@pytest.mark.parametrize(("expected", "made"), [bad[1:] for bad in TABLE], ids=[bad[0] for bad in TABLE])
async def test_a_bad_token_is_refused_with_its_reason(
    expected: Refusal, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    world = _shared_world()
    token = made(world)
    error = await world.refusal(token, SCHEME)
    assert error.reason is expected, error.detail
    assert_untold(token, [record.getMessage() for record in caplog.records])
    assert set(world.issuers.asked) <= {"/autodiscover/metadata/json/1"}


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 40
    assert len({name for name, _, _ in TABLE}) == len(TABLE)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("scheme", ["Exchange", "exchange"])
async def test_a_good_token_is_taken_however_its_context_is_written(text: bool, scheme: str) -> None:
    world = World()
    context = world.exchange.context()
    caller = await world.caller(world.exchange.token(appctx=json.dumps(context) if text else context), scheme)
    assert (caller.kind, len(caller.user), caller.email) == ("exchange", 32, None)


async def test_times_may_be_numbers() -> None:
    world = World()
    now = int(world.now.timestamp())
    assert (await world.caller(world.exchange.token(nbf=now, exp=now + 100), SCHEME)).user


async def test_who_somebody_is_follows_from_the_mailbox_and_its_exchange() -> None:
    other = "https://mail.example.net/autodiscover/metadata/json/1"
    world = World(exchange_tokens={"metadata_urls": ["https://issuer.example.org/autodiscover/metadata/json/1", other]})
    usual = await world.caller(world.exchange.token(), SCHEME)
    assert await world.caller(world.exchange.token(nbf="0"), SCHEME) == usual
    elsewhere = await world.caller(_with(world, amurl=other), SCHEME)
    someone_else = await world.caller(_with(world, msexchuid="53e925fa"), SCHEME)
    assert len({usual.user, elsewhere.user, someone_else.user}) == 3


@pytest.mark.parametrize(
    "written",
    [
        "https://issuer.example.org:443/autodiscover/metadata/json/1",
        "https://ISSUER.example.org/autodiscover/metadata/json/1",
    ],
)
async def test_the_usual_port_and_the_hosts_letter_case_make_no_difference(written: str) -> None:
    world = World()
    usual = await world.caller(world.exchange.token(), SCHEME)
    assert await world.caller(_with(world, amurl=written), SCHEME) == usual


async def test_a_wrong_audience_is_told_beside_the_expected_one() -> None:
    world = World()
    error = await world.refusal(
        world.exchange.token(aud="https://old.example.org/addin/1/taskpane.html\n\x1b[31m"), SCHEME
    )
    assert error.reason is Refusal.AUDIENCE
    assert '"https://old.example.org/addin/1/taskpane.html??[31m"' in error.detail
    assert f'"{PUBLIC_URL}/addin/1/taskpane.html"' in error.detail


@pytest.mark.parametrize("header", ["Exchange", "Exchange ", "exchange    ", "Bearer "])
async def test_an_empty_token_is_a_missing_one(header: str) -> None:
    world = World()
    assert (await world.refusal("", header)).reason is Refusal.MISSING


async def test_the_thumbprint_may_be_written_in_either_base64() -> None:
    world = World()
    plain = world.exchange.metadata()
    plain["keys"][0]["keyinfo"]["x5t"] = world.exchange.signer.x5t.replace("-", "+").replace("_", "/") + "="
    world.exchange.metadata = lambda: plain
    assert (await world.caller(world.exchange.token(), SCHEME)).user


@pytest.mark.parametrize("realm", ["example.org", "example.net"])
async def test_where_the_metadata_names_no_realm_any_counts(realm: str) -> None:
    world = World()
    plain = {name: part for name, part in world.exchange.metadata().items() if name not in ("realm", "issuer")}
    world.exchange.metadata = lambda: plain
    assert (await world.caller(world.exchange.token(iss=f"{EXCHANGE_SERVICE}@{realm}"), SCHEME)).user
    refused = await world.refusal(world.exchange.token(iss=f"00000003-0000-0ff1-ce00-000000000000@{realm}"), SCHEME)
    assert refused.reason is Refusal.ISSUER


@pytest.mark.parametrize(
    "change",
    [
        {"keys": None},
        {"keys": {}},
        {"keys": [None, 1, "key", []]},
        {"keys": [{"usage": "signing"}]},
        {"keys": [{"usage": "signing", "keyinfo": {"x5t": 5}, "keyvalue": {"value": 5}}]},
        {"keys": [{"usage": "signing", "keyinfo": {"x5t": "a"}, "keyvalue": {"value": "AAAA"}}]},
        {"keys": [{"usage": "signing", "keyinfo": {"x5t": "a"}, "keyvalue": {"value": "\u00e9"}}]},
    ],
)
async def test_metadata_without_a_key_that_can_be_used_is_no_metadata(change: dict[str, Any]) -> None:
    world = World()
    plain = {**world.exchange.metadata(), **change}
    world.exchange.metadata = lambda: plain
    assert await world.unavailable(world.exchange.token(), SCHEME) == "no-keys"


async def test_a_key_for_another_use_signs_nothing() -> None:
    world = World()
    plain = world.exchange.metadata()
    other = {**plain["keys"][0], "usage": "encryption", "keyinfo": {"x5t": "other"}}
    plain["keys"].append(other)
    world.exchange.metadata = lambda: plain
    refused = await world.refusal(_named(world, x5t="other"), SCHEME)
    assert refused.reason is Refusal.KEY_UNKNOWN


async def test_a_weak_key_signs_nothing() -> None:
    world = World()
    weak = signer("weak", bits=1_024)
    world.exchange.signer = weak
    world.exchange.published.append(weak)
    assert (await world.refusal(world.exchange.token(), SCHEME)).reason is Refusal.KEY_UNKNOWN
