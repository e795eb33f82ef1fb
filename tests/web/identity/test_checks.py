"""One door for all kinds of tokens: the scheme and the issuer choose the rules, and weaken none."""

import asyncio
import contextlib
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.web.identity import Caller, IdentityUnavailableError, Refusal, TokenRefusedError
from support.judged import World
from support.tokens import put_together


@pytest.mark.parametrize("header", [None, ""])
async def test_without_a_header_the_token_is_missing(header: str | None) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        await World().check.check(header)
    assert refused.value.reason is Refusal.MISSING


@pytest.mark.parametrize(
    ("kinds", "scheme"),
    [
        ("entra", "Exchange"),
        ("oidc", "Exchange"),
        ("exchange", "Bearer"),
        ("", "Bearer"),
        ("", "Exchange"),
        ("entra exchange oidc", "Basic"),
        ("entra exchange oidc", "Negotiate"),
        ("entra exchange oidc", ""),
        ("entra exchange oidc", "Bearer\t"),
    ],
)
async def test_a_kind_that_is_not_set_up_is_refused_unread(kinds: str, scheme: str) -> None:
    world = World(kinds=kinds)
    for token in (world.entra.token(), world.exchange.token(), "x"):
        assert (await world.refusal(token, scheme)).reason is Refusal.SCHEME
    assert not world.issuers.asked


async def test_what_is_too_long_is_refused_unread() -> None:
    world = World()
    for scheme in ("Bearer", "Exchange", "Basic"):
        assert (await world.refusal("x" * 17_000, scheme)).reason is Refusal.TOO_LONG
    assert (await world.refusal("x" * 16_390)).reason is Refusal.TOO_LONG


async def test_a_token_counts_only_under_its_own_scheme() -> None:
    world = World()
    assert (await world.refusal(world.exchange.token())).reason is Refusal.ISSUER
    assert (await world.refusal(world.entra.token(), "Exchange")).reason is Refusal.MALFORMED
    assert (await world.refusal(world.oidc.token(), "Exchange")).reason is Refusal.MALFORMED


async def test_naming_another_issuer_opens_no_other_door() -> None:
    world = World()
    kid = world.oidc.signer.kid
    lent = put_together(world.entra.header(kid=kid), world.entra.claims(), world.oidc.signer)
    assert (await world.refusal(lent)).reason is Refusal.KEY_UNKNOWN
    lent = put_together(world.oidc.header(kid=world.entra.signer.kid), world.oidc.claims(), world.entra.signer)
    assert (await world.refusal(lent)).reason is Refusal.KEY_UNKNOWN
    lent = put_together(world.oidc.header(), world.entra.claims(iss=world.oidc.issuer), world.oidc.signer)
    assert (await world.refusal(lent)).reason is Refusal.AUDIENCE
    lent = put_together(world.entra.header(alg="PS256"), world.entra.claims(), world.entra.signer, "PS256")
    assert (await world.refusal(lent)).reason is Refusal.ALGORITHM
    stranger = await world.refusal(world.entra.token(iss="https://evil.example"))
    assert (stranger.reason, "evil.example" in stranger.detail) == (Refusal.ISSUER, True)


async def test_a_closed_door_tells_to_come_later() -> None:
    world = World()
    await world.caller(world.entra.token())
    await world.check.close()
    await world.check.close()
    for token, scheme in ((world.entra, "Bearer"), (world.exchange, "Exchange"), (world.oidc, "Bearer")):
        assert await world.unavailable(token.token(), scheme) == "closed"


async def test_judging_a_token_takes_well_under_a_millisecond() -> None:
    world = World()
    for token, scheme in ((world.entra, "Bearer"), (world.exchange, "Exchange"), (world.oidc, "Bearer")):
        header = f"{scheme} {token.token()}"
        await world.check.check(header)
        began = time.process_time()
        for _ in range(50):
            await world.check.check(header)
        assert (time.process_time() - began) / 50 < 0.003  # of processor time; three times the aim, for slow machines


_LOOP = asyncio.Runner()
_SCHEMES = {"entra": "Bearer", "exchange": "Exchange", "oidc": "Bearer"}


@cache
def _world() -> World:
    """One for all examples, made when the first needs it."""
    return World()


@cache
def _good(kind: str) -> str:
    return str(getattr(_world(), kind).token())


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= +/\u00e9"


@given(data=st.data(), kind=st.sampled_from(sorted(_SCHEMES)))
def test_a_good_token_changed_anywhere_is_never_taken(data: st.DataObject, kind: str) -> None:
    scheme, good = _SCHEMES[kind], _good(kind)
    text = list(good)
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(text) - 1))
        deed = data.draw(st.sampled_from(["change", "drop", "add", "swap", "cut", "again"]))
        if deed == "change":
            text[where] = data.draw(st.sampled_from(_LETTERS))
        elif deed == "drop":
            del text[where]
        elif deed == "add":
            text.insert(where, data.draw(st.sampled_from(_LETTERS)))
        elif deed == "swap":
            other = data.draw(st.integers(0, len(text) - 1))
            text[where], text[other] = text[other], text[where]
        elif deed == "cut":
            del text[where : where + data.draw(st.integers(1, 60))]
        else:
            text[where:where] = text[where : where + 60]
        text = text or ["."]
    changed = "".join(text)
    if changed.strip(" ") != good:
        _refused(f"{scheme} {changed}")


@settings(max_examples=40)
@given(scheme=st.sampled_from(["Bearer", "Exchange"]), text=st.text(max_size=200))
def test_any_text_at_all_is_refused(scheme: str, text: str) -> None:
    _refused(f"{scheme} {text}")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=8), parts, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(data=st.data(), kind=st.sampled_from(sorted(_SCHEMES)))
def test_any_claim_or_header_that_is_signed_raises_nothing_else(data: st.DataObject, kind: str) -> None:
    """Even who holds the key only gets in or is refused."""
    issuer = getattr(_world(), kind)
    claims, header = issuer.claims(), issuer.header()
    for part in (claims, header):
        for name in data.draw(st.lists(st.sampled_from([*sorted(part), "appctx", "groups", "crit"]), max_size=2)):
            part[name] = data.draw(_JSON)
    with contextlib.suppress(TokenRefusedError, IdentityUnavailableError):
        _judged(f"{_SCHEMES[kind]} {put_together(header, claims, issuer.signer)}")


def _refused(authorization: str) -> None:
    with pytest.raises((TokenRefusedError, IdentityUnavailableError)):
        _judged(authorization)


def _judged(authorization: str) -> Caller:
    return _LOOP.run(_world().check.check(authorization))
