"""People of any OpenID Connect provider, such as AD FS: its access tokens for our API.

The provider describes itself at the one address that is configured. From there come the address of its keys and of its token
endpoint, which must be on the same host and as well encrypted, and the address at which people sign in, any https address, for
only their browsers open it. Which issuer counts comes from the configuration alone: AD FS names another one in its access tokens
(`access_token_issuer`) than it describes itself by, and that one is http.

Source: OpenID Connect Discovery 1.0, RFC 9068 (JWT access tokens), "AD FS OpenID Connect/OAuth concepts".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from greenroom.settings.addin import AddinOidc
from greenroom.web.identity.claims import Claims, check_times, digest, email, one_of, text, words
from greenroom.web.identity.contract import Caller, IdentityUnavailableError, Refusal, TokenRefusedError
from greenroom.web.identity.fetching import Fetcher, for_browsers, same_host
from greenroom.web.identity.jwt import Unproved, prove
from greenroom.web.identity.kept import Kept
from greenroom.web.identity.keys import Keys, keys_of_jwks, some
from greenroom.web.identity.shown import listed, shown

ALGORITHMS = frozenset({"RS256", "PS256", "ES256"})
_CLIENT_CLAIMS = ("azp", "appid", "client_id", "cid")
_ID_TOKEN_CLAIMS = ("at_hash", "c_hash")
_ID_TOKEN_KINDS = ("id", "refresh", "offline")
_CLIENT_GRANTS = ("client-credentials", "client_credentials")


@dataclass(frozen=True, slots=True)
class OidcMetadata:
    """Where a provider does what. `authorize_url` is for browsers alone; None where it names no usable one."""

    jwks_url: str
    authorize_url: str | None
    token_url: str | None


@dataclass(frozen=True, slots=True)
class OidcAddresses:
    """What the page needs to know of the provider."""

    authorize_url: str


class OidcProvider:
    """One provider: what it says of itself, and its keys."""

    def __init__(self, settings: AddinOidc, fetcher: Fetcher, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.fetcher = fetcher
        self._metadata = Kept(f"oidc metadata {settings.metadata_url}", self._described, clock)
        self._keys = Kept(f"oidc keys of {settings.metadata_url}", self._fetched, clock)

    async def metadata(self) -> OidcMetadata:
        """Return where it does what. Raises IdentityUnavailableError."""
        return await self._metadata.get()

    async def oidc_addresses(self) -> OidcAddresses | None:
        """Return where people sign in; None if the provider cannot be reached or does not say. Waits a few seconds at most."""
        try:
            metadata = await self.metadata()
        except IdentityUnavailableError:
            return None
        return OidcAddresses(metadata.authorize_url) if metadata.authorize_url is not None else None

    async def keys(self) -> Kept[Keys]:
        """Return its keys, kept."""
        return self._keys

    async def close(self) -> None:
        """Close connections."""
        await self._keys.close()
        await self._metadata.close()
        await self.fetcher.close()

    async def _described(self) -> OidcMetadata:
        known = self.settings.metadata_url
        document = await self.fetcher.get(known)
        keys = same_host(document.get("jwks_uri"), known)
        if keys is None:
            raise IdentityUnavailableError("foreign-keys")  # or none at all: not an address we would fetch
        authorize = for_browsers(document.get("authorization_endpoint"), known)
        return OidcMetadata(keys, authorize, same_host(document.get("token_endpoint"), known))

    async def _fetched(self) -> Keys:
        return some(keys_of_jwks(await self.fetcher.get((await self._metadata.get()).jwks_url)))


class OidcTokens:
    """Judges access tokens of one provider."""

    def __init__(self, provider: OidcProvider, clock: Callable[[], datetime]) -> None:
        self._provider = provider
        self._settings = provider.settings
        self._clock = clock

    def is_issuer(self, issuer: Any) -> bool:
        """Whether a token that names this issuer is for us to judge."""
        return bool(issuer == self._settings.issuer)

    async def caller(self, token: Unproved) -> Caller:
        """Judge a token. Raises TokenRefusedError or IdentityUnavailableError."""
        claims, settings = token.claims, self._settings
        one_of(claims, "iss", (settings.issuer,), Refusal.ISSUER)
        name = token.header.get("kid")
        if not isinstance(name, str) or not name:
            raise TokenRefusedError(Refusal.KEY_UNKNOWN, "no kid")
        if token.algorithm not in ALGORITHMS:
            raise TokenRefusedError(Refusal.ALGORITHM, f"{shown(token.algorithm)}, expected {listed(ALGORITHMS)}")
        kept = await self._provider.keys()
        key = (await kept.get()).find(name, token.algorithm)
        key = key or (await kept.renewed()).find(name, token.algorithm)
        if key is None:
            raise TokenRefusedError(Refusal.KEY_UNKNOWN, f"kid {shown(name)} for {shown(token.algorithm)}")
        prove(token, key)
        _check_audience(claims, settings.audience)
        check_times(claims, self._clock(), begins=False)
        _check_is_access_token(claims)
        client = _check_client(claims, settings.client_id)
        person = text(claims, settings.user_claim, Refusal.USER)
        if person == client or claims.get("gty") in _CLIENT_GRANTS:
            raise TokenRefusedError(Refusal.APP_ONLY, f"{settings.user_claim} is the application's own")
        self._check_granted(claims)
        return Caller("oidc", digest("oidc", settings.issuer, person), self._email(claims))

    async def close(self) -> None:
        """Close connections."""
        await self._provider.close()

    def _check_granted(self, claims: Claims) -> None:
        scope, groups = self._settings.require_scope, self._settings.require_groups
        if scope is not None:
            granted = words(claims, "scope") | words(claims, "scp")
            if scope not in {part for words_ in granted for part in words_.split(" ")}:
                raise TokenRefusedError(Refusal.SCOPE, f"scope without {shown(scope)}")
        if groups and not words(claims, self._settings.groups_claim).intersection(groups):
            missing = "" if self._settings.groups_claim in claims else f": no claim {self._settings.groups_claim}"
            raise TokenRefusedError(Refusal.NOT_A_MEMBER, f"none of the required groups{missing}")

    def _email(self, claims: Claims) -> str | None:
        if not self._settings.email_is_verified and claims.get("email_verified") not in (True, "true"):
            return None
        return email(claims.get(self._settings.email_claim))


def _check_audience(claims: Claims, expected: str) -> None:
    """An audience is a text, or a list of them with ours in it (RFC 7519 4.1.3)."""
    audience = claims.get("aud")
    if isinstance(audience, list):
        if expected not in words(claims, "aud"):
            raise TokenRefusedError(
                Refusal.AUDIENCE, f"aud is {listed(words(claims, 'aud'))}, expected {shown(expected)}"
            )
    else:
        one_of(claims, "aud", (expected,), Refusal.AUDIENCE)


def _check_is_access_token(claims: Claims) -> None:
    """Refuse ID tokens, which prove who somebody is to the page alone, and tokens to get others with."""
    kind = claims.get("typ")
    if any(name in claims for name in _ID_TOKEN_CLAIMS) or (isinstance(kind, str) and kind.lower() in _ID_TOKEN_KINDS):
        raise TokenRefusedError(Refusal.MALFORMED, "not an access token")


def _check_client(claims: Claims, expected: str) -> str:
    """Refuse what another application of the provider got; not all providers say which one did."""
    for name in _CLIENT_CLAIMS:
        if name in claims:
            one_of(claims, name, (expected,), Refusal.CLIENT)
    return expected
