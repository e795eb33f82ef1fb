"""People of Microsoft 365: Entra's access tokens for our own scope.

Where keys come from and which issuers count is made from the configuration alone; a token only says which of the configured
tenants it claims to be of. Source: Microsoft identity platform, "Access token claims reference", "Secure applications and APIs
by validating claims"; "Enable SSO in an Office Add-in" for Office's older tokens.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from greenroom.settings.addin import AddinEntra
from greenroom.web.identity.claims import Claims, check_times, digest, email, one_of, text, words
from greenroom.web.identity.contract import Caller, Refusal, TokenRefusedError
from greenroom.web.identity.fetching import Fetcher
from greenroom.web.identity.jwt import Unproved, prove
from greenroom.web.identity.kept import Kept
from greenroom.web.identity.keys import Keys, keys_of_jwks, some
from greenroom.web.identity.shown import listed, shown

ALGORITHM = "RS256"
_OFFICE_SCOPE = "access_as_user"
_PLAIN_ISSUERS = {"https://login.partner.microsoftonline.cn": "https://sts.chinacloudapi.cn"}
_PLAIN_ISSUER = "https://sts.windows.net"
_VERIFIED = (True, 1, "1", "true")
_GUEST = 1


class EntraTokens:
    """Judges tokens of the configured tenants."""

    def __init__(self, settings: AddinEntra, fetcher: Fetcher, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._clock = clock
        self._issuers = {
            issuer: (tenant, version)
            for tenant in settings.tenants
            for issuer, version in (
                (f"{settings.login_url}/{tenant}/v2.0", "2.0"),
                (f"{_PLAIN_ISSUERS.get(settings.login_url, _PLAIN_ISSUER)}/{tenant}/", "1.0"),
            )
        }
        self._keys = {tenant: self._kept(tenant) for tenant in settings.tenants}
        api = settings.api_client_id or settings.client_id
        self._audiences = (api, settings.application_id_uri or f"api://{api}")
        self._clients = frozenset({settings.client_id, *settings.more_clients})
        self._scopes = (settings.scope, *((_OFFICE_SCOPE,) if settings.legacy_sso else ()))

    def is_issuer(self, issuer: Any) -> bool:
        """Whether a token that names this issuer is for us to judge."""
        return isinstance(issuer, str) and (issuer in self._issuers or self._looks_ours(issuer))

    async def caller(self, token: Unproved) -> Caller:
        """Judge a token. Raises TokenRefusedError or IdentityUnavailableError."""
        claims = token.claims
        tenant, version = self._issued_by(claims)
        name = token.header.get("kid")
        if not isinstance(name, str) or not name:
            raise TokenRefusedError(Refusal.KEY_UNKNOWN, "no kid")
        if "nonce" in token.header:
            raise TokenRefusedError(Refusal.AUDIENCE, "header nonce: a token for Microsoft Graph alone")
        if token.algorithm != ALGORITHM:
            raise TokenRefusedError(Refusal.ALGORITHM, f"{shown(token.algorithm)}, expected {ALGORITHM}")
        key = (await self._keys[tenant].get()).find(name, ALGORITHM)
        key = key or (await self._keys[tenant].renewed()).find(name, ALGORITHM)
        if key is None:
            raise TokenRefusedError(Refusal.KEY_UNKNOWN, f"kid {shown(name)} of tenant {tenant}")
        prove(token, key)
        one_of(claims, "ver", (version,), Refusal.VERSION)
        one_of(claims, "tid", (tenant,), Refusal.TENANT)
        one_of(claims, "aud", self._audiences, Refusal.AUDIENCE)
        check_times(claims, self._clock())
        self._check_delegated(claims)
        one_of(claims, "azp" if version == "2.0" else "appid", self._clients, Refusal.CLIENT)
        user = digest("entra", tenant, text(claims, "oid", Refusal.USER))
        self._check_membership(claims)
        return Caller("entra", user, self._email(claims, tenant))

    async def close(self) -> None:
        """Close connections."""
        for kept in self._keys.values():
            await kept.close()
        await self._fetcher.close()

    def _kept(self, tenant: str) -> Kept[Keys]:
        async def fetch() -> Keys:
            document = await self._fetcher.get(f"{self._settings.login_url}/{tenant}/discovery/v2.0/keys")
            return some(keys_of_jwks(document, tenant=tenant))

        return Kept(f"entra keys of {tenant}", fetch, self._clock)

    def _issued_by(self, claims: Claims) -> tuple[str, str]:
        """Return tenant and version that the issuer stands for, one of those configured."""
        issuer = text(claims, "iss", Refusal.ISSUER)
        if issuer in self._issuers:
            return self._issuers[issuer]
        reason = Refusal.TENANT if self._looks_ours(issuer) else Refusal.ISSUER
        raise TokenRefusedError(reason, f"iss is {shown(issuer)}, expected {listed(self._issuers)}")

    def _looks_ours(self, issuer: str) -> bool:
        """Whether an issuer is Entra's, of whatever tenant: only to say rightly what is wrong."""
        plain = _PLAIN_ISSUERS.get(self._settings.login_url, _PLAIN_ISSUER)
        return issuer.startswith((f"{self._settings.login_url}/", f"{plain}/"))

    def _check_delegated(self, claims: Claims) -> None:
        """Refuse what no person was signed in for, and ID tokens, which have no scope either."""
        if claims.get("idtyp", "user") != "user" or claims.get("scp") in (None, ""):
            raise TokenRefusedError(Refusal.APP_ONLY, "idtyp is not user" if claims.get("scp") else "no scp")
        granted = text(claims, "scp", Refusal.APP_ONLY).split(" ")
        if not any(scope in granted for scope in self._scopes):
            raise TokenRefusedError(Refusal.SCOPE, f"scp without {listed(self._scopes)}")

    def _check_membership(self, claims: Claims) -> None:
        roles, groups = self._settings.require_roles, self._settings.require_groups
        if roles and not words(claims, "roles").intersection(roles):
            raise TokenRefusedError(Refusal.NOT_A_MEMBER, "none of the required roles")
        if groups and not words(claims, "groups").intersection(groups):
            raise TokenRefusedError(Refusal.NOT_A_MEMBER, _without_groups(claims))

    def _email(self, claims: Claims, tenant: str) -> str | None:
        """Return the address that the tenant itself gave this person; a guest's is another's word."""
        name = self._settings.email_claim
        home = claims.get("idp")
        own = (None, f"{_PLAIN_ISSUER}/{tenant}/", *self._issuers)
        names = [claims.get(part) for part in ("upn", "preferred_username", "unique_name")]
        marked = any(isinstance(part, str) and "#ext#" in part.lower() for part in names)
        if marked or home not in own or claims.get("acct") in (_GUEST, str(_GUEST)):
            return None
        if name == "email" and not any(claims.get(part) in _VERIFIED for part in ("xms_edov", "email_verified")):
            return None
        return email(claims.get(name))


def _without_groups(claims: Claims) -> str:
    elsewhere = claims.get("_claim_names")
    if (isinstance(elsewhere, Mapping) and "groups" in elsewhere) or claims.get("hasgroups"):
        return (
            "too many groups for a token: let Entra write only groups assigned to the application, or use require_roles"
        )
    if "groups" not in claims:
        return "no groups claim: add it to the API's registration (Token configuration)"
    return "none of the required groups"
