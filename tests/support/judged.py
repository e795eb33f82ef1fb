"""Tokens before the judge, in a world of their own; of what is refused no part may show anywhere."""

import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from greenroom.outside import causes_of
from greenroom.web.identity import Caller, IdentityUnavailableError, Refusal, TokenCheck, TokenRefusedError, token_check
from support.tokens import PUBLIC_URL, Issuers, Signer, addin_settings, encoded, put_together, signer

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
Bad = tuple[str, Refusal, Callable[["World"], str]]
"""A bad token: what is wrong with it, the reason expected, and how it is made."""

_LONG_ENOUGH = 20


class World:
    """Issuers, a clock, and the judge of integration 1."""

    def __init__(self, *, kinds: str = "entra exchange oidc", **settings: Any) -> None:
        self.now = NOW
        self.issuers = Issuers()
        self.issuers.now_is(lambda: self.now)
        self.settings = addin_settings(self.issuers, kinds=kinds, **settings)
        self.check: TokenCheck = token_check(
            self.settings,
            public_url=PUBLIC_URL,
            integration_number=1,
            clock=lambda: self.now,
            http=self.issuers.transport(),
        )

    @property
    def entra(self) -> Any:
        return self.issuers.entra

    @property
    def exchange(self) -> Any:
        return self.issuers.exchange

    @property
    def oidc(self) -> Any:
        return self.issuers.oidc

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def caller(self, token: str, scheme: str = "Bearer") -> Caller:
        return await self.check.check(f"{scheme} {token}")

    async def refusal(self, token: str, scheme: str = "Bearer") -> TokenRefusedError:
        """Return how a token is refused, after looking through everything that was said about it."""
        with capture_logs() as logs, pytest.raises(TokenRefusedError) as refused:
            await self.caller(token, scheme)
        error = refused.value
        told = [json.dumps(logs, default=repr), error.detail, str(error), repr(error)]
        told += [text for cause in causes_of(error) for text in (str(cause), repr(cause), repr(vars(cause)))]
        assert_untold(token, told)
        assert len(error.detail) < 1_500
        assert error.detail.isprintable()
        return error

    async def unavailable(self, token: str, scheme: str = "Bearer") -> str:
        with pytest.raises(IdentityUnavailableError) as raised:
            await self.caller(token, scheme)
        return str(raised.value)


def assert_untold(token: str, lines: list[str]) -> None:
    """No segment of a token may stand in what was told, nor what people are called in it."""
    secrets = [part for part in token.split(".") if len(part) >= _LONG_ENOUGH]
    secrets += ["Apfelkern", "Ada@Example.org", "ada@example.org"]
    for secret in secrets:
        assert not [line for line in lines if secret in line], "a part of the token was told"


def with_secret(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """Sign with HMAC, as who takes a public key for a secret."""
    parts = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{parts}.{encoded(hmac.digest(secret, parts.encode(), 'sha256'))}"


def swapped(token: str, number: int, segment: str) -> str:
    """Put another segment into a token, which keeps its signature."""
    parts = token.split(".")
    parts[number] = segment
    return ".".join(parts)


def respelled(token: str) -> str:
    """Spell a token another way that careless decoders read the same: the unused bits of its last letter differ."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


def twice(claims: Mapping[str, Any], name: str, first: Any) -> bytes:
    """Write claims as JSON in which a name comes twice, the good value last."""
    whole = json.dumps({key: value for key, value in claims.items() if value is not None})
    return f'{{"{name}": {json.dumps(first)}, {whole[1:]}'.encode()


def deep(claims: Mapping[str, Any], levels: int) -> bytes:
    """Write claims as JSON with one that is nested very deeply."""
    return f'{json.dumps(dict(claims))[:-1]}, "more": {"[" * levels}{"]" * levels}}}'.encode()


def common_bad_tokens(issuer: str, key: str, scheme_algorithms: Refusal = Refusal.ALGORITHM) -> list[Bad]:
    """What is wrong with tokens of every kind alike. `issuer` is which of the world's, `key` the header that names the key."""

    def of(world: World) -> Any:
        return getattr(world, issuer)

    def signed(world: World, **header: Any) -> str:
        return put_together(of(world).header(**header), _plain(of(world)), of(world).signer)

    def claimed(world: World, claims: bytes | Mapping[str, Any]) -> str:
        return put_together(of(world).header(), claims, of(world).signer)

    def whole(world: World) -> str:
        return str(of(world).token())

    return [
        ("nothing but a word", Refusal.MALFORMED, lambda _: "token"),
        ("two parts", Refusal.MALFORMED, lambda w: whole(w).rpartition(".")[0]),
        ("no signature", Refusal.MALFORMED, lambda w: whole(w).rpartition(".")[0] + "."),
        ("four parts", Refusal.MALFORMED, lambda w: whole(w) + ".AAAA"),
        ("five parts as of an encrypted one", Refusal.MALFORMED, lambda w: whole(w) + ".AAAA.AAAA"),
        ("padding", Refusal.MALFORMED, lambda w: whole(w) + "=="),
        ("a line break in it", Refusal.MALFORMED, lambda w: whole(w)[:60] + "\n" + whole(w)[60:]),
        ("a space in it", Refusal.MALFORMED, lambda w: whole(w)[:60] + " " + whole(w)[60:]),
        ("another character set", Refusal.MALFORMED, lambda w: whole(w)[:-1] + "\u0430"),
        ("the signature spelled otherwise", Refusal.MALFORMED, lambda w: respelled(whole(w))),
        ("a header that is no JSON", Refusal.MALFORMED, lambda w: put_together(b"{", _plain(of(w)), of(w).signer)),
        ("a header that is a list", Refusal.MALFORMED, lambda w: put_together(b"[]", _plain(of(w)), of(w).signer)),
        ("claims that are no JSON", Refusal.MALFORMED, lambda w: claimed(w, b"\x00\x01")),
        ("claims that are a text", Refusal.MALFORMED, lambda w: claimed(w, b'"claims"')),
        ("claims in Latin-1", Refusal.MALFORMED, lambda w: claimed(w, b'{"name": "J\xf6rg"}')),
        ("claims in UTF-16", Refusal.MALFORMED, lambda w: claimed(w, '{"a": 1}'.encode("utf-16"))),
        ("half a character", Refusal.MALFORMED, lambda w: claimed(w, {**_plain(of(w)), "x": "\ud800"})),
        ("not a number", Refusal.MALFORMED, lambda w: claimed(w, b'{"exp": NaN}')),
        ("a claim twice", Refusal.MALFORMED, lambda w: claimed(w, twice(_plain(of(w)), "aud", "other"))),
        ("a claim deep inside twice", Refusal.MALFORMED, lambda w: claimed(w, b'{"a": {"b": 1, "b": 2}}')),
        ("claims nested too deep", Refusal.MALFORMED, lambda w: claimed(w, deep(_plain(of(w)), 40))),
        ("claims nested absurdly deep", Refusal.MALFORMED, lambda w: claimed(w, deep(_plain(of(w)), 5_000))),
        ("too long", Refusal.TOO_LONG, lambda w: of(w).token(more="x" * 16_384)),
        ("no algorithm", scheme_algorithms, lambda w: signed(w, alg=None)),
        ("algorithm none", scheme_algorithms, lambda w: signed(w, alg="none")),
        ("algorithm nOnE", scheme_algorithms, lambda w: signed(w, alg="nOnE")),
        ("algorithm none, nothing signed", Refusal.MALFORMED, lambda w: _unsigned(of(w))),
        ("algorithm RS512", scheme_algorithms, lambda w: signed(w, alg="RS512")),
        ("algorithms in a list", scheme_algorithms, lambda w: signed(w, alg=["RS256"])),
        ("HS256 with the public key, PEM", scheme_algorithms, lambda w: _confused(of(w), of(w).signer.pem)),
        ("HS256 with the public key, DER", scheme_algorithms, lambda w: _confused(of(w), of(w).signer.spki)),
        ("HS256 with nothing", scheme_algorithms, lambda w: _confused(of(w), b"")),
        ("header crit", Refusal.MALFORMED, lambda w: signed(w, crit=["exp"], exp=1)),
        ("header jku", Refusal.MALFORMED, lambda w: signed(w, jku="https://evil.example/keys")),
        ("header x5u", Refusal.MALFORMED, lambda w: signed(w, x5u="https://evil.example/cert")),
        ("header jwk with its own key", Refusal.MALFORMED, lambda w: _brings_key(of(w))),
        ("header b64", Refusal.MALFORMED, lambda w: signed(w, b64=False)),
        ("another typ", Refusal.MALFORMED, lambda w: signed(w, typ="logout+jwt")),
        ("a header twice", Refusal.MALFORMED, lambda w: _header_twice(of(w), key)),
        ("no key named", Refusal.KEY_UNKNOWN, lambda w: signed(w, **{key: None})),
        ("a key named by a number", Refusal.KEY_UNKNOWN, lambda w: signed(w, **{key: 5})),
        ("an unknown key", Refusal.KEY_UNKNOWN, lambda w: signed(w, **{key: "../../keys"})),
        ("a very long key name", Refusal.KEY_UNKNOWN, lambda w: signed(w, **{key: "k" * 4_000})),
        ("signed with another key", Refusal.SIGNATURE, lambda w: _forged(of(w))),
        ("claims changed after signing", Refusal.SIGNATURE, lambda w: _changed(of(w))),
        ("a signature of zeroes", Refusal.SIGNATURE, lambda w: swapped(whole(w), 2, encoded(bytes(256)))),
        ("a short signature", Refusal.SIGNATURE, lambda w: swapped(whole(w), 2, encoded(b"abc"))),
        ("a long signature", Refusal.SIGNATURE, lambda w: swapped(whole(w), 2, encoded(bytes(900)))),
        ("no issuer", Refusal.ISSUER, lambda w: of(w).token(iss=None)),
        ("no expiry", Refusal.MALFORMED, lambda w: of(w).token(exp=None)),
        ("expiry is a truth value", Refusal.MALFORMED, lambda w: of(w).token(exp=True)),
        ("expiry is a word", Refusal.MALFORMED, lambda w: of(w).token(exp="never")),
        ("expiry is a fraction", Refusal.MALFORMED, lambda w: of(w).token(exp=4e9 + 0.5)),
        ("expiry is infinite", Refusal.MALFORMED, lambda w: of(w).token(exp=float("1e300"))),
        ("expiry is a huge number", Refusal.MALFORMED, lambda w: of(w).token(exp=10**400)),
        ("expiry is negative", Refusal.MALFORMED, lambda w: of(w).token(exp=-1)),
        ("expiry is in a list", Refusal.MALFORMED, lambda w: of(w).token(exp=[4_000_000_000])),
        ("expired six minutes ago", Refusal.EXPIRED, lambda w: of(w).token(exp=_at(w, -360))),
        ("expired in 1970", Refusal.EXPIRED, lambda w: of(w).token(exp=0)),
        ("begins in six minutes", Refusal.NOT_YET, lambda w: of(w).token(nbf=_at(w, 360))),
        ("issued in six minutes", Refusal.NOT_YET, lambda w: of(w).token(iat=_at(w, 360))),
        ("begins with a word", Refusal.MALFORMED, lambda w: of(w).token(nbf="now")),
        ("no audience", Refusal.AUDIENCE, lambda w: of(w).token(aud=None)),
        ("another audience", Refusal.AUDIENCE, lambda w: of(w).token(aud="https://other.example.org")),
        ("an empty audience", Refusal.AUDIENCE, lambda w: of(w).token(aud="")),
        ("an audience that is an object", Refusal.MALFORMED, lambda w: of(w).token(aud={"a": 1})),
    ]


def _plain(issuer: Any) -> dict[str, Any]:
    return {name: value for name, value in issuer.claims().items() if value is not None}


def _at(world: World, seconds: int) -> int:
    return int(world.now.timestamp()) + seconds


def _unsigned(issuer: Any) -> str:
    parts = (issuer.header(alg="none"), _plain(issuer))
    return ".".join(encoded(json.dumps(part).encode()) for part in parts) + "."


def _confused(issuer: Any, secret: bytes) -> str:
    return with_secret(issuer.header(alg="HS256"), _plain(issuer), secret)


def _other_signer() -> Signer:
    return signer("somebody else")


def _brings_key(issuer: Any) -> str:
    other = _other_signer()
    return put_together(issuer.header(jwk=other.jwk()), _plain(issuer), other)


def _header_twice(issuer: Any, key: str) -> str:
    return put_together(twice(issuer.header(), key, "other"), _plain(issuer), issuer.signer)


def _forged(issuer: Any) -> str:
    return put_together(issuer.header(), _plain(issuer), _other_signer())


def _changed(issuer: Any) -> str:
    return swapped(issuer.token(), 1, encoded(json.dumps({**_plain(issuer), "more": 1}).encode()))
