"""Entra's access tokens: which are taken, which are refused and why, and that nothing of them is told."""

from functools import cache
from typing import Any

import pytest

from greenroom.web.identity import Refusal
from support.judged import Bad, World, assert_untold, common_bad_tokens
from support.tokens import CLIENT, PERSON, TENANT, put_together, signer

OTHER = "99999999-8888-4777-8666-555555555555"
OFFICE = "d3590ed6-52b3-4102-aeff-aad2292ab01c"

OWN: list[Bad] = [
    ("an ID token", Refusal.APP_ONLY, lambda w: w.entra.token(scp=None, azp=None, nonce="abc")),
    ("an application's own token", Refusal.APP_ONLY, lambda w: w.entra.token(scp=None, idtyp="app", roles=["All"])),
    ("an application's token with a scope", Refusal.APP_ONLY, lambda w: w.entra.token(idtyp="app")),
    ("a token of an odd kind", Refusal.APP_ONLY, lambda w: w.entra.token(idtyp=["user"])),
    ("an empty scope", Refusal.APP_ONLY, lambda w: w.entra.token(scp="")),
    ("another scope", Refusal.SCOPE, lambda w: w.entra.token(scp="User.Read profile")),
    ("a scope that begins like ours", Refusal.SCOPE, lambda w: w.entra.token(scp="Alias.Request.All")),
    ("our scope in other letters", Refusal.SCOPE, lambda w: w.entra.token(scp="alias.request")),
    ("scopes in a list", Refusal.MALFORMED, lambda w: w.entra.token(scp=["Alias.Request"])),
    ("Office's scope while that is off", Refusal.SCOPE, lambda w: w.entra.token(scp="access_as_user")),
    ("an audience in a list", Refusal.MALFORMED, lambda w: w.entra.token(aud=[CLIENT])),
    ("a token for Graph", Refusal.AUDIENCE, lambda w: w.entra.token(aud="00000003-0000-0000-c000-000000000000")),
    ("Graph's header nonce", Refusal.AUDIENCE, lambda w: _signed(w, nonce="abc")),
    ("the audience in capitals", Refusal.AUDIENCE, lambda w: w.entra.token(aud=f"API://{CLIENT}")),
    ("the audience with a slash", Refusal.AUDIENCE, lambda w: w.entra.token(aud=f"api://{CLIENT}/")),
    ("another tenant", Refusal.TENANT, lambda w: w.entra.token(iss=f"{w.entra.root}/{OTHER}/v2.0", tid=OTHER)),
    (
        "another tenant, version 1",
        Refusal.TENANT,
        lambda w: w.entra.plain_token(iss=f"https://sts.windows.net/{OTHER}/"),
    ),
    ("another tenant inside", Refusal.TENANT, lambda w: w.entra.token(tid=OTHER)),
    ("no tenant inside", Refusal.TENANT, lambda w: w.entra.token(tid=None)),
    ("common for a tenant", Refusal.TENANT, lambda w: w.entra.token(iss=f"{w.entra.root}/common/v2.0")),
    ("a slash after the issuer", Refusal.TENANT, lambda w: w.entra.token(iss=f"{w.entra.root}/{TENANT}/v2.0/")),
    ("an issuer in a list", Refusal.MALFORMED, lambda w: w.entra.token(iss=[f"{w.entra.root}/{TENANT}/v2.0"])),
    ("an issuer elsewhere", Refusal.ISSUER, lambda w: w.entra.token(iss=f"https://evil.example/{TENANT}/v2.0")),
    (
        "an issuer that looks like it",
        Refusal.ISSUER,
        lambda w: w.entra.token(iss=f"{w.entra.root}.evil.example/{TENANT}/v2.0"),
    ),
    (
        "an issuer that is an address to fetch",
        Refusal.ISSUER,
        lambda w: w.entra.token(iss="http://169.254.169.254/latest"),
    ),
    ("version 1 by the issuer of 2", Refusal.VERSION, lambda w: w.entra.token(ver="1.0")),
    ("version 2 by the issuer of 1", Refusal.VERSION, lambda w: w.entra.plain_token(ver="2.0")),
    ("version 3", Refusal.VERSION, lambda w: w.entra.token(ver="3.0")),
    ("a version that is a number", Refusal.MALFORMED, lambda w: w.entra.token(ver=2)),
    ("no version", Refusal.VERSION, lambda w: w.entra.token(ver=None)),
    ("another application", Refusal.CLIENT, lambda w: w.entra.token(azp=OTHER)),
    ("another application, version 1", Refusal.CLIENT, lambda w: w.entra.plain_token(appid=OTHER)),
    ("no application", Refusal.CLIENT, lambda w: w.entra.token(azp=None)),
    ("the application where version 1 has it", Refusal.CLIENT, lambda w: w.entra.token(azp=None, appid=CLIENT)),
    ("Office's application while it is not listed", Refusal.CLIENT, lambda w: w.entra.token(azp=OFFICE)),
    ("nobody", Refusal.USER, lambda w: w.entra.token(oid=None)),
    ("somebody who is a number", Refusal.MALFORMED, lambda w: w.entra.token(oid=5)),
    ("somebody endless", Refusal.MALFORMED, lambda w: w.entra.token(oid="x" * 513)),
    ("no beginning", Refusal.MALFORMED, lambda w: w.entra.token(nbf=None)),
    ("times written as texts", Refusal.MALFORMED, lambda w: w.entra.token(exp=str(4_000_000_000))),
    ("algorithm PS256", Refusal.ALGORITHM, lambda w: _by(w, "PS256")),
    ("algorithm ES256", Refusal.ALGORITHM, lambda w: _by(w, "ES256")),
    ("an AD FS key", Refusal.KEY_UNKNOWN, lambda w: _signed(w, kid=w.oidc.signer.kid)),
]
TABLE = common_bad_tokens("entra", "kid") + OWN


def _signed(world: World, **header: Any) -> str:
    return put_together(world.entra.header(**header), world.entra.claims(), world.entra.signer)


def _by(world: World, algorithm: str) -> str:
    key = world.entra.signer if algorithm == "PS256" else signer("oidc-ec", "EC")
    return put_together(world.entra.header(alg=algorithm), world.entra.claims(), key, algorithm)


@cache
def _shared_world() -> World:
    """One for the whole table: no token changes it."""
    return World(kinds="entra")


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


def test_every_reason_is_in_the_table() -> None:
    assert len(TABLE) >= 40
    assert len({name for name, _, _ in TABLE}) == len(TABLE)


async def test_a_good_token_is_taken() -> None:
    world = World()
    caller = await world.caller(world.entra.token())
    assert (caller.kind, len(caller.user), caller.email) == ("entra", 32, "ada@example.org")
    assert "ada" not in repr(caller)
    assert caller == await world.caller(world.entra.token(sub="other", iat=1), "bearer")


async def test_who_somebody_is_follows_from_tenant_and_object_id_alone() -> None:
    world = World()
    usual = await world.caller(world.entra.token())
    assert (await world.caller(world.entra.plain_token())).user == usual.user
    assert (await world.caller(world.entra.token(oid=PERSON[::-1]))).user != usual.user
    assert (await world.caller(world.entra.token(preferred_username="eve@example.org"))).user == usual.user


async def test_a_token_of_version_1_is_taken() -> None:
    world = World()
    assert (await world.caller(world.entra.plain_token(aud=CLIENT))).kind == "entra"
    assert (await world.caller(world.entra.plain_token())).kind == "entra"


async def test_the_api_may_be_a_registration_of_its_own() -> None:
    world = World(entra={"api_client_id": OTHER})
    assert (await world.caller(world.entra.token(aud=OTHER))).kind == "entra"
    assert (await world.caller(world.entra.token(aud=f"api://{OTHER}"))).kind == "entra"
    error = await world.refusal(world.entra.token())
    assert error.reason is Refusal.AUDIENCE
    assert CLIENT in error.detail
    assert OTHER in error.detail


async def test_offices_older_sign_in_is_taken_where_it_is_on() -> None:
    uri = f"api://meet.example.org/{CLIENT}"
    world = World(entra={"legacy_sso": True, "more_clients": [OFFICE], "application_id_uri": uri})
    token = world.entra.token(aud=CLIENT, scp="access_as_user", azp=OFFICE)
    assert (await world.caller(token)).kind == "entra"
    assert (await world.caller(world.entra.plain_token(aud=uri, scp="openid access_as_user", appid=OFFICE))).user


@pytest.mark.parametrize("seconds", [-299, 0, 3_600])
async def test_clocks_may_be_off_by_five_minutes(seconds: int) -> None:
    world = World()
    now = int(world.now.timestamp())
    await world.caller(world.entra.token(exp=now + seconds, iat=now + 299, nbf=now + 299))


@pytest.mark.parametrize(
    ("claims", "address"),
    [
        ({}, "ada@example.org"),
        ({"preferred_username": "ada_home.example#EXT#@example.onmicrosoft.com"}, None),
        ({"upn": "ada_home.example#EXT#@example.onmicrosoft.com"}, None),
        ({"idp": f"https://sts.windows.net/{OTHER}/"}, None),
        ({"idp": "live.com"}, None),
        ({"idp": f"https://sts.windows.net/{TENANT}/"}, "ada@example.org"),
        ({"acct": 1}, None),
        ({"acct": 0}, "ada@example.org"),
        ({"preferred_username": "+46 70 000 00 00"}, None),
        ({"preferred_username": "ada@example.org\r\nbcc: eve@evil.example"}, None),
        ({"preferred_username": ["ada@example.org"]}, None),
        ({"preferred_username": None, "email": "ada@example.org", "email_verified": True}, None),
    ],
)
async def test_an_address_is_taken_only_from_the_claim_that_is_set_and_never_of_guests(
    claims: dict[str, Any], address: str | None
) -> None:
    world = World()
    assert (await world.caller(world.entra.token(**claims))).email == address


@pytest.mark.parametrize(
    ("claims", "address"),
    [
        ({}, None),
        ({"xms_edov": False}, None),
        ({"xms_edov": "0"}, None),
        ({"xms_edov": True}, "ada@other.example"),
        ({"xms_edov": "1"}, "ada@other.example"),
        ({"email_verified": True}, "ada@other.example"),
        ({"email_verified": "no"}, None),
    ],
)
async def test_a_mail_claim_counts_only_if_its_domain_is_verified(claims: dict[str, Any], address: str | None) -> None:
    world = World(entra={"email_claim": "email"})
    assert (await world.caller(world.entra.token(email="ada@other.example", **claims))).email == address


@pytest.mark.parametrize("roles", [None, [], ["Guest"], "planner"])
async def test_only_who_has_a_required_role_may_ask(roles: Any) -> None:
    world = World(entra={"require_roles": ["Planner", "Assistant"]})
    assert (await world.caller(world.entra.token(roles=["Assistant", "Guest"]))).kind == "entra"
    assert (await world.refusal(world.entra.token(roles=roles))).reason is Refusal.NOT_A_MEMBER


async def test_only_members_of_a_required_group_may_ask() -> None:
    world = World(entra={"require_groups": [OTHER]})
    assert (await world.caller(world.entra.token(groups=[TENANT, OTHER]))).kind == "entra"
    refused = await world.refusal(world.entra.token(groups=[TENANT]))
    assert (refused.reason, refused.detail) == (Refusal.NOT_A_MEMBER, "none of the required groups")
    assert "no groups claim" in (await world.refusal(world.entra.token())).detail
    assert (await world.refusal(world.entra.token(groups=[1]))).reason is Refusal.MALFORMED
    assert (await world.refusal(world.entra.token(groups={OTHER: 1}))).reason is Refusal.MALFORMED


async def test_who_is_in_too_many_groups_is_told_what_an_administrator_can_do() -> None:
    world = World(entra={"require_groups": [OTHER]})
    elsewhere = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://evil.example"}}}
    refused = await world.refusal(world.entra.token(**elsewhere))
    assert refused.reason is Refusal.NOT_A_MEMBER
    assert "require_roles" in refused.detail
    assert sum(world.issuers.asked.values()) == 1  # nothing but the keys


async def test_several_tenants_have_their_own_keys() -> None:
    world = World(entra={"tenants": [TENANT, OTHER]})
    await world.caller(world.entra.token())
    stolen = world.entra.token(iss=f"{world.entra.root}/{OTHER}/v2.0", tid=OTHER)
    assert await world.unavailable(stolen) == "no-keys"
    world.entra.tenant = OTHER
    world.later(minutes=1)
    assert (await world.caller(world.entra.token())).kind == "entra"


async def test_a_key_for_personal_accounts_counts_for_no_tenant() -> None:
    world = World(kinds="entra")
    other = signer("somebody else")
    keys = world.entra.jwks()["keys"]
    keys.append(other.jwk(issuer="https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"))
    world.entra.jwks = lambda: {"keys": keys}
    token = put_together(world.entra.header(kid=other.kid), world.entra.claims(), other)
    assert (await world.refusal(token)).reason is Refusal.KEY_UNKNOWN
    assert (await world.caller(world.entra.token())).kind == "entra"


async def test_the_chinese_cloud_has_another_issuer_for_version_1() -> None:
    world = World(kinds="entra", entra={"login_url": "https://login.partner.microsoftonline.cn"})
    assert (await world.refusal(world.entra.plain_token())).reason is Refusal.ISSUER
    token = world.entra.plain_token(iss=f"https://sts.chinacloudapi.cn/{TENANT}/")
    assert (await world.caller(token)).kind == "entra"
