"""All kinds of tokens behind one door: the scheme says which kind it is, the issuer only chooses whose rules apply."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import httpx2

from greenroom.settings.addin import Addin, AddinOidc
from greenroom.web.identity import entra, exchange_tokens, oidc
from greenroom.web.identity.contract import (
    Caller,
    IdentityUnavailableError,
    Refusal,
    TokenCheck,
    TokenRefusedError,
)
from greenroom.web.identity.entra import EntraTokens
from greenroom.web.identity.exchange_tokens import ExchangeTokens
from greenroom.web.identity.fetching import PATIENCE, Fetcher
from greenroom.web.identity.jwt import LONGEST, Unproved, read
from greenroom.web.identity.kept import AFTER_FAILURE
from greenroom.web.identity.oidc import OidcProvider, OidcTokens
from greenroom.web.identity.shown import shown

_SPARE = 32
"""What an Authorization header may have besides its token."""


def page_address(public_url: str, integration_number: int) -> str:
    """Return the address of the pane of an integration: what Exchange's tokens are made out to."""
    return f"{public_url.rstrip('/')}/addin/{integration_number}/taskpane.html"


def oidc_provider(
    settings: AddinOidc, *, clock: Callable[[], datetime], http: httpx2.AsyncBaseTransport | None = None
) -> OidcProvider:
    """Make the provider that `token_check`, `OidcSignIn` and the page's configuration share.

    `clock` gives aware UTC times; `http` replaces the network in tests.
    """
    return OidcProvider(settings, Fetcher(settings.ca_file, http=http), clock)


def token_check(
    settings: Addin,
    *,
    public_url: str,
    integration_number: int,
    clock: Callable[[], datetime],
    provider: OidcProvider | None = None,
    proxy: str | None = None,
    http: httpx2.AsyncBaseTransport | None = None,
) -> TokenCheck:
    """Make what judges the tokens of one integration; nothing is fetched before the first token.

    `clock` gives aware UTC times. `provider` is that of `settings.oidc`, made here if it is not given; closing the check closes it.
    `proxy` is the way to Entra, where there is no other. `http` replaces the network in tests.
    """
    people = exchange = named = None
    if settings.entra is not None:
        people = EntraTokens(settings.entra, Fetcher(settings.entra.ca_file, proxy=proxy, http=http), clock)
    if settings.exchange_tokens is not None:
        fetcher = Fetcher(settings.exchange_tokens.ca_file, http=http)
        page = page_address(public_url, integration_number)
        exchange = ExchangeTokens(settings.exchange_tokens, page, fetcher, clock)
    if settings.oidc is not None:
        named = OidcTokens(provider or oidc_provider(settings.oidc, clock=clock, http=http), clock)
    return _Checks(people, exchange, named)


class _Checks:
    def __init__(self, people: EntraTokens | None, exchange: ExchangeTokens | None, named: OidcTokens | None) -> None:
        self._entra = people
        self._exchange = exchange
        self._oidc = named

    async def check(self, authorization: str | None) -> Caller:
        """Judge an Authorization header; see TokenCheck. Waits for keys for a few seconds at most, whatever is fetched."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return await self._judged(authorization)
        raise IdentityUnavailableError("timeout", AFTER_FAILURE)

    async def _judged(self, authorization: str | None) -> Caller:
        if not authorization:
            raise TokenRefusedError(Refusal.MISSING)
        if len(authorization) > LONGEST + _SPARE:
            raise TokenRefusedError(Refusal.TOO_LONG, f"{len(authorization)} characters")
        scheme, _, token = authorization.partition(" ")
        token = token.strip(" ")
        if scheme.lower() == "exchange" and self._exchange is not None:
            return await self._exchange.caller(_read(token, frozenset({exchange_tokens.ALGORITHM})))
        if scheme.lower() == "bearer" and (self._entra is not None or self._oidc is not None):
            return await self._bearer(token)
        raise TokenRefusedError(Refusal.SCHEME, "no such kind of token is taken by this integration")

    async def close(self) -> None:
        """Close connections."""
        for judge in (self._entra, self._exchange, self._oidc):
            if judge is not None:
                await judge.close()

    async def _bearer(self, text: str) -> Caller:
        """Let the one judge who knows the issuer; each demands its own issuer and algorithms, whoever was chosen here."""
        algorithms = frozenset({entra.ALGORITHM}) if self._entra is not None else frozenset[str]()
        token = _read(text, algorithms | (oidc.ALGORITHMS if self._oidc is not None else frozenset()))
        issuer = token.claims.get("iss")
        if self._oidc is not None and (self._entra is None or self._oidc.is_issuer(issuer)):
            return await self._oidc.caller(token)
        if self._entra is not None and (self._oidc is None or self._entra.is_issuer(issuer)):
            return await self._entra.caller(token)
        raise TokenRefusedError(Refusal.ISSUER, f"iss is {shown(issuer)}: neither Entra's nor that of oidc.issuer")


def _read(token: str, algorithms: frozenset[str]) -> Unproved:
    if not token:
        raise TokenRefusedError(Refusal.MISSING, "an empty token: Outlook could not get one")
    return read(token, algorithms)
