"""People of an Exchange Server: the identity tokens that it issues itself for the add-in's page.

A token proves "a mailbox of this organisation, through our page", and gives an opaque id of it, no address. Keys come from the
configured metadata documents: what a token names (`amurl`) only chooses among them. It is taken if it is one of them letter by
letter, or differs only in the letter case of the host name, or in whether the usual port is written.

Source: "Inside the Exchange identity token", "Validate an Exchange identity token" (Outlook add-ins).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from greenroom.settings.addin import AddinExchangeTokens
from greenroom.web.identity.claims import Claims, check_times, digest, one_of, text
from greenroom.web.identity.contract import Caller, Refusal, TokenRefusedError
from greenroom.web.identity.fetching import Fetcher, same_address
from greenroom.web.identity.jwt import Unproved, object_in, prove
from greenroom.web.identity.kept import Kept
from greenroom.web.identity.keys import Keys, keys_of_exchange, some, thumbprint
from greenroom.web.identity.shown import listed, shown

ALGORITHM = "RS256"
VERSION = "ExIdTok.V1"
SERVICE = "00000002-0000-0ff1-ce00-000000000000"
"""The principal of Exchange in every organisation."""

_LONGEST_REALM = 255


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What a metadata document says: keys, and who issues (None: it does not say, then any realm)."""

    keys: Keys = field(repr=False)
    issuers: frozenset[str] | None


class ExchangeTokens:
    """Judges identity tokens. `audience` is the address of our page, the first one in the manifest's FormSettings."""

    def __init__(
        self, settings: AddinExchangeTokens, audience: str, fetcher: Fetcher, clock: Callable[[], datetime]
    ) -> None:
        self._urls = settings.metadata_urls
        self._audience = audience
        self._fetcher = fetcher
        self._clock = clock
        self._metadata = {url: self._kept(url) for url in self._urls}

    async def caller(self, token: Unproved) -> Caller:
        """Judge a token. Raises TokenRefusedError or IdentityUnavailableError."""
        claims, context = token.claims, _context(token.claims)
        name = thumbprint(token.header.get("x5t"))
        if not name:
            raise TokenRefusedError(Refusal.KEY_UNKNOWN, "no x5t")
        one_of(context, "version", (VERSION,), Refusal.VERSION)
        url = self._address(text(context, "amurl", Refusal.METADATA_ADDRESS))
        metadata = await self._metadata[url].get()
        key = metadata.keys.find(name, ALGORITHM)
        if key is None:
            metadata = await self._metadata[url].renewed()
            key = metadata.keys.find(name, ALGORITHM)
        if key is None:
            raise TokenRefusedError(Refusal.KEY_UNKNOWN, f"x5t {shown(name)} at {shown(url)}")
        prove(token, key)
        _check_issuer(claims, metadata)
        one_of(claims, "aud", (self._audience,), Refusal.AUDIENCE)
        check_times(claims, self._clock(), texts=True)
        return Caller("exchange", digest("exchange", text(context, "msexchuid", Refusal.USER), url))

    async def close(self) -> None:
        """Close connections."""
        for kept in self._metadata.values():
            await kept.close()
        await self._fetcher.close()

    def _address(self, named: str) -> str:
        """Return the configured address that a token means: what is fetched, and what a person is named by."""
        if named in self._urls:
            return named
        for url in self._urls:
            if same_address(url, named):
                return url
        raise TokenRefusedError(
            Refusal.METADATA_ADDRESS, f"amurl is {shown(named)}, metadata_urls has {listed(self._urls)}"
        )

    def _kept(self, url: str) -> Kept[_Metadata]:
        async def fetch() -> _Metadata:
            document = await self._fetcher.get(url)
            return _Metadata(some(keys_of_exchange(document)), _issuers(document))

        return Kept(f"exchange metadata {url}", fetch, self._clock)


def _context(claims: Claims) -> Mapping[str, Any]:
    """Return `appctx`: an object, or JSON in a text, as most Exchange Servers write it."""
    context = claims.get("appctx")
    if isinstance(context, str):
        context = object_in(context)
    if not isinstance(context, Mapping):
        raise TokenRefusedError(Refusal.MALFORMED, "no appctx, or one that cannot be read")
    return context


def _issuers(document: Mapping[str, Any]) -> frozenset[str] | None:
    issuer, realm = document.get("issuer"), document.get("realm")
    named = {issuer} if isinstance(issuer, str) and issuer else set()
    if isinstance(realm, str) and realm:
        named.add(f"{SERVICE}@{realm}")
    return frozenset(named) or None


def _check_issuer(claims: Claims, metadata: _Metadata) -> None:
    if metadata.issuers is not None:
        one_of(claims, "iss", metadata.issuers, Refusal.ISSUER)
        return
    issuer = text(claims, "iss", Refusal.ISSUER)
    service, _, realm = issuer.partition("@")
    if service != SERVICE or not 0 < len(realm) <= _LONGEST_REALM:
        raise TokenRefusedError(Refusal.ISSUER, f"iss is {shown(issuer)}, expected {SERVICE}@<realm>")
