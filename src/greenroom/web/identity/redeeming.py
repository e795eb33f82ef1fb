"""The second half of signing in by OpenID Connect: the code that a person's browser brought becomes an access token.

Our server asks, because providers' token endpoints often allow no page to. It keeps nothing: the code is good only together with
the verifier that never left the page (RFC 7636), the address it was made out to is fixed, and what is passed on is the access
token alone. No refresh token, no ID token. Source: RFC 6749 4.1.3, RFC 7636 4.5.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from greenroom.web.identity.contract import IdentityUnavailableError
from greenroom.web.identity.fetching import PATIENCE
from greenroom.web.identity.jwt import LONGEST
from greenroom.web.identity.oidc import OidcProvider

_OK = 200
_BUSY = 429
_SHORT, _LIFE, _LONG = 0, 3_600, 86_400
_CODES = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)
"""What a token endpoint may answer (RFC 6749 5.2); anything else is not repeated in the log."""


class CodeRefusedError(Exception):
    """The provider does not take this code (any more). The text is its error code."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """An access token, and for how many seconds it is good as far as the provider says."""

    access_token: str = field(repr=False)
    expires_in: int


class OidcSignIn:
    """Redeems codes at one provider; `public_url` is ours, and the codes are made out to its `addin/signed-in.html`."""

    def __init__(self, provider: OidcProvider, public_url: str) -> None:
        self._provider = provider
        self.redirect_uri = f"{public_url.rstrip('/')}/addin/signed-in.html"

    async def redeem(self, code: str, verifier: str) -> Redeemed:
        """Exchange a code, within a few seconds. Raises CodeRefusedError or IdentityUnavailableError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return await self._redeemed(code, verifier)
        raise IdentityUnavailableError("timeout")

    async def _redeemed(self, code: str, verifier: str) -> Redeemed:
        where = (await self._provider.metadata()).token_url
        if where is None:
            raise IdentityUnavailableError("foreign-token-endpoint")
        form = {
            "grant_type": "authorization_code",
            "client_id": self._provider.settings.client_id,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        status, document = await self._provider.fetcher.post(where, form)
        if status == _BUSY:
            raise IdentityUnavailableError(f"status-{status}")
        if status != _OK:
            named = document.get("error")
            error = named if isinstance(named, str) and named in _CODES else "other"
            raise CodeRefusedError(error)
        return _redeemed(document)


def _redeemed(document: dict[str, Any]) -> Redeemed:
    token, kind, life = (document.get(name) for name in ("access_token", "token_type", "expires_in"))
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise IdentityUnavailableError("token-type")
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST or not token.isascii() or not token.isprintable():
        raise IdentityUnavailableError("unreadable")
    if isinstance(life, str) and life.isascii() and life.isdigit() and len(life) <= 9:  # noqa: PLR2004  more is no span
        life = int(life)  # AD FS and others write texts
    seconds = life if isinstance(life, int) and not isinstance(life, bool) else _LIFE
    return Redeemed(token, min(max(seconds, _SHORT), _LONG))
