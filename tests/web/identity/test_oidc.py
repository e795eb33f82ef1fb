"""Access tokens of OpenID Connect providers: which are taken, which are refused and why, and that nothing of them is told."""

from functools import cache
from typing import Any

import pytest
from starlette.responses import Response

from greenroom.web.identity import OidcAddresses, Refusal, oidc_provider
from support.judged import Bad, World, assert_untold, common_bad_tokens
from support.tokens import OIDC_AUDIENCE, OIDC_CLIENT, put_together, signer

STRICT = {"require_scope": "rooms", "require_groups": ["EXAMPLE\\Planners", "Planners"]}
GROUPS = ["Guests", "Planners"]

OWN: list[Bad] = [
    ("the issuer of the metadata", Refusal.ISSUER, lambda w: w.oidc.token(iss=f"{w.oidc.root}/adfs")),
    ("the issuer with https", Refusal.ISSUER, lambda w: w.oidc.token(iss=w.oidc.issuer.replace("http:", "https:"))),
    ("the issuer with a slash", Refusal.ISSUER, lambda w: w.oidc.token(iss=w.oidc.issuer + "/")),
    ("the issuer in capitals", Refusal.ISSUER, lambda w: w.oidc.token(iss=w.oidc.issuer.upper())),
    ("an issuer in a list", Refusal.MALFORMED, lambda w: w.oidc.token(iss=[w.oidc.issuer])),
    ("an inner address as issuer", Refusal.ISSUER, lambda w: w.oidc.token(iss="http://169.254.169.254/")),
    ("the client as audience", Refusal.AUDIENCE, lambda w: w.oidc.token(aud=OIDC_CLIENT)),
    ("other audiences", Refusal.AUDIENCE, lambda w: w.oidc.token(aud=["a", "b"])),
    ("no audiences", Refusal.AUDIENCE, lambda w: w.oidc.token(aud=[])),
    ("audiences in a list in a list", Refusal.MALFORMED, lambda w: w.oidc.token(aud=[[OIDC_AUDIENCE]])),
    ("times written as texts", Refusal.MALFORMED, lambda w: w.oidc.token(exp="4000000000")),
    ("an ID token", Refusal.MALFORMED, lambda w: w.oidc.token(at_hash="abc")),
    ("an ID token by code", Refusal.MALFORMED, lambda w: w.oidc.token(c_hash="abc")),
    ("an ID token that says so", Refusal.MALFORMED, lambda w: w.oidc.token(typ="ID")),
    ("a refresh token", Refusal.MALFORMED, lambda w: w.oidc.token(typ="Refresh")),
    ("another application", Refusal.CLIENT, lambda w: w.oidc.token(appid="other")),
    ("another application by azp", Refusal.CLIENT, lambda w: w.oidc.token(azp="other")),
    ("another application by client_id", Refusal.CLIENT, lambda w: w.oidc.token(client_id="other")),
    ("applications in a list", Refusal.MALFORMED, lambda w: w.oidc.token(azp=[OIDC_CLIENT])),
    ("an application's own token", Refusal.APP_ONLY, lambda w: w.oidc.token(sub=OIDC_CLIENT)),
    ("an application's own grant", Refusal.APP_ONLY, lambda w: w.oidc.token(gty="client-credentials")),
    ("nobody", Refusal.USER, lambda w: w.oidc.token(sub=None)),
    ("somebody who is a number", Refusal.MALFORMED, lambda w: w.oidc.token(sub=7)),
    ("no scope", Refusal.SCOPE, lambda w: w.oidc.token(scp=None)),
    ("another scope", Refusal.SCOPE, lambda w: w.oidc.token(scp="openid roomservice")),
    ("scopes that are a number", Refusal.MALFORMED, lambda w: w.oidc.token(scp=7)),
    ("scopes with one that is none", Refusal.MALFORMED, lambda w: w.oidc.token(scp=["rooms", 7])),
    ("no groups", Refusal.NOT_A_MEMBER, lambda w: w.oidc.token(scp="rooms")),
    ("other groups", Refusal.NOT_A_MEMBER, lambda w: w.oidc.token(groups=["Guests"])),
    ("a group that begins like ours", Refusal.NOT_A_MEMBER, lambda w: w.oidc.token(groups="Planners2")),
    ("groups that are an object", Refusal.MALFORMED, lambda w: w.oidc.token(groups={"Planners": True})),
    ("algorithm ES256 by an RSA key", Refusal.KEY_UNKNOWN, lambda w: _by(w, "ES256", w.oidc.signer.kid)),
    ("algorithm RS256 by an EC key", Refusal.KEY_UNKNOWN, lambda w: _by(w, "RS256", signer("oidc-ec", "EC").kid)),
    ("an algorithm the key is not for", Refusal.KEY_UNKNOWN, lambda w: _by(w, "PS256", w.oidc.signer.kid)),
    ("ES256 with zeroes", Refusal.SIGNATURE, lambda w: f"{_elliptic(w).rpartition('.')[0]}.{'A' * 86}"),
    ("algorithm EdDSA", Refusal.ALGORITHM, lambda w: _signed(w, alg="EdDSA")),
    ("algorithm ES384", Refusal.ALGORITHM, lambda w: _signed(w, alg="ES384")),
    ("Entra's key", Refusal.KEY_UNKNOWN, lambda w: _signed(w, kid=signer("entra").kid)),
]
TABLE = common_bad_tokens("oidc", "kid") + OWN


def _signed(world: World, **header: Any) -> str:
    return put_together(world.oidc.header(**header), world.oidc.claims(), world.oidc.signer)


def _by(world: World, algorithm: str, kid: str) -> str:
    key = signer("oidc-ec", "EC") if algorithm == "ES256" else world.oidc.signer
    return put_together(world.oidc.header(alg=algorithm, kid=kid), world.oidc.claims(), key, algorithm)


def _elliptic(world: World) -> str:
    return _by(world, "ES256", signer("oidc-ec", "EC").kid)


@cache
def _shared_world() -> World:
    """One for the whole table: no token changes it."""
    return World(kinds="oidc", oidc=STRICT)


@pytest.mark.parametrize(("expected", "made"), [bad[1:] for bad in TABLE], ids=[bad[0] for bad in TABLE])
async def test_a_bad_token_is_refused_with_its_reason(
    expected: Refusal, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    world = _shared_world()
    token = made(world)
    error = await world.refusal(token)
    assert error.reason is expected, error.detail
    assert_untold(token, [record.getMessage() for record in caplog.records])
    assert set(world.issuers.asked) <= {"/adfs/.well-known/openid-configuration", "/adfs/discovery/keys"}


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 40
    assert len({name for name, _, _ in TABLE}) == len(TABLE)


async def test_a_good_token_of_an_ad_fs_is_taken() -> None:
    world = World(kinds="oidc", oidc=STRICT)
    caller = await world.caller(world.oidc.token(groups=GROUPS))
    assert (caller.kind, len(caller.user), caller.email) == ("oidc", 32, None)
    assert await world.caller(world.oidc.token(groups="Planners", aud=[OIDC_AUDIENCE, "other"], nbf=None)) == caller
    assert await world.caller(world.oidc.token(groups=GROUPS, scp=None, scope="a rooms", typ="Bearer")) == caller
    assert await world.caller(world.oidc.token(groups=GROUPS, scp=["rooms"], appid=None)) == caller


async def test_elliptic_keys_are_taken() -> None:
    world = World(kinds="oidc")
    assert (await world.caller(_elliptic(world))).kind == "oidc"


async def test_pss_is_taken_where_the_key_does_not_say_otherwise() -> None:
    world = World(kinds="oidc")
    world.oidc.jwks = lambda: {"keys": [world.oidc.signer.jwk()]}
    assert (await world.caller(_by(world, "PS256", world.oidc.signer.kid))).kind == "oidc"


async def test_a_person_is_named_by_the_claim_that_is_set() -> None:
    world = World(kinds="oidc", oidc={"user_claim": "http://schemas.example.org/upn"})
    claims = {"http://schemas.example.org/upn": "ada@example.org"}
    caller = await world.caller(world.oidc.token(**claims))
    assert (await world.caller(world.oidc.token(**claims, sub="other"))) == caller
    assert (await world.refusal(world.oidc.token())).reason is Refusal.USER


@pytest.mark.parametrize(
    ("believed", "claims", "address"),
    [
        (False, {}, None),
        (False, {"email_verified": False}, None),
        (False, {"email_verified": 1.5}, None),
        (False, {"email_verified": True}, "ada@example.org"),
        (True, {}, "ada@example.org"),
        (True, {"email": "ada"}, None),
        (True, {"email": None}, None),
    ],
)
async def test_an_address_counts_only_if_somebody_vouches_for_it(
    believed: bool, claims: dict[str, Any], address: str | None
) -> None:
    world = World(kinds="oidc", oidc={"email_is_verified": believed})
    assert (await world.caller(world.oidc.token(**claims))).email == address


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/keys",
        "http://issuer.example.org/adfs/discovery/keys",
        "https://issuer.example.org.evil.example/keys",
        "https://issuer.example.org@evil.example/keys",
        "https://evil.example\\@issuer.example.org/keys",
        "file:///etc/passwd",
        "//evil.example/keys",
        "https://issuer.example.org:x/keys",
        "https://[issuer.example.org/keys",
        "",
        None,
        7,
        ["https://issuer.example.org/adfs/discovery/keys"],
        "https://issuer.example.org/" + "k" * 4_000,
    ],
)
async def test_keys_are_fetched_from_the_providers_own_host_alone(address: Any) -> None:
    world = World(kinds="oidc")
    hostile = {**world.oidc.metadata(), "jwks_uri": address}
    world.oidc.metadata = lambda: hostile
    assert await world.unavailable(world.oidc.token()) == "foreign-keys"
    assert list(world.issuers.asked) == ["/adfs/.well-known/openid-configuration"]


async def test_keys_may_be_on_another_port_of_that_host() -> None:
    world = World(kinds="oidc")
    moved = {**world.oidc.metadata(), "jwks_uri": "https://issuer.example.org:8443/adfs/discovery/keys"}
    world.oidc.metadata = lambda: moved
    assert (await world.caller(world.oidc.token())).kind == "oidc"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("https://issuer.example.org/adfs/oauth2/authorize/", True),
        ("https://sign-in.example.net/authorize", True),
        ("http://issuer.example.org/authorize", False),
        ("javascript:alert(1)", False),
        ("https://a:b@issuer.example.org/authorize", False),
        ("https://issuer.example.org/authorize#here", False),
        (None, False),
    ],
)
async def test_the_page_is_told_where_to_sign_in(written: Any, told: bool) -> None:
    world = World(kinds="oidc")
    metadata = {**world.oidc.metadata(), "authorization_endpoint": written}
    world.oidc.metadata = lambda: metadata
    assert world.settings.oidc is not None
    provider = oidc_provider(world.settings.oidc, clock=lambda: world.now, http=world.issuers.transport())
    expected = OidcAddresses(written) if told else None
    assert [await provider.oidc_addresses(), await provider.oidc_addresses()] == [expected, expected]
    assert world.issuers.asked.total() == 1
    await provider.close()


async def test_while_the_provider_is_away_no_address_is_known() -> None:
    world = World(kinds="oidc")
    world.issuers.instead = Response(status_code=503)
    assert world.settings.oidc is not None
    provider = oidc_provider(world.settings.oidc, clock=lambda: world.now, http=world.issuers.transport())
    assert await provider.oidc_addresses() is None
    assert await provider.oidc_addresses() is None
    assert world.issuers.asked.total() == 1
    world.issuers.instead = None
    world.later(seconds=15)
    assert await provider.oidc_addresses() is not None
