"""What Exchange says of a token it refuses: `X-MS-Diagnostics`, and the error in `WWW-Authenticate` (RFC 6750 3.1). Pure.

Exchange writes a number, a sentence and a category; only the number and what our words make of the category are told, for the
sentence may quote the token's own values. Source: MS-OAUTH2EX 3.3 and observed answers.
"""

import re
from collections.abc import Sequence
from typing import Final

from greenroom.exchange.errors import ExchangeError, NotPermittedError, SignInError

_LONGEST = 4096
_MOST = 8
_FORBIDDEN = 403
_NUMBER = re.compile(r"\s*(\d{7})\b")
_CATEGORY = re.compile(r'error_category="([a-z_]{1,60})"')
_ERROR = re.compile(r'\berror="([a-z_]{1,60})"')
_CLOCK = "the token is out of its time: compare the clocks of this computer, of Exchange and of where tokens come from"
_AUDIENCE: Final = (
    "the token is not for this Exchange: set resource to what Exchange calls itself, https:// and a host of its own"
)
_RIGHTS: Final = (
    "the token gives no right to EWS: an application needs full_access_as_app or a role of RBAC for Applications, a service "
    "account EWS.AccessAsUser.All, and an administrator's consent"
)
_TRUST: Final = (
    "Exchange does not trust who issued the token: see Get-AuthServer, and that tenant and cloud are its own"
)
_USER: Final = "Exchange knows no such account as the token names"
_OFF: Final = "Exchange takes no tokens here: see Get-WebServicesVirtualDirectory | Format-List OAuthAuthentication"
_BY_CATEGORY: Final = {
    "invalid_lifetime": _CLOCK,
    "token_expired": _CLOCK,
    "invalid_resource": _AUDIENCE,
    "invalid_audience": _AUDIENCE,
    "invalid_grant": _RIGHTS,
    "invalid_app": _RIGHTS,
    "insufficient_scope": _RIGHTS,
    "invalid_issuer": _TRUST,
    "invalid_signature": _TRUST,
    "invalid_user": _USER,
    "oauth_not_available": _OFF,
}


def token_refused(status: int, host: str, diagnostics: str, challenges: Sequence[str]) -> ExchangeError | None:
    """Say what a refused token's answer (401, 403) means; None for a 403 that says nothing of the token."""
    why, code = _said(diagnostics, challenges)
    if status == _FORBIDDEN:
        return NotPermittedError(f"{host} refused the request: {why} ({code})", code="http-403") if why else None
    if not why and (schemes := [line.split(None, 1)[0] for line in challenges[:_MOST] if line.strip()]):
        named = {scheme.rstrip(",").lower() for scheme in schemes}
        why = "" if "bearer" in named else _OFF
    behind = f": {why}" if why else ", without a word why"
    return SignInError(f"{host} refused the token{behind}{f' ({code})' if code else ''}", code="http-401")


def _said(diagnostics: str, challenges: Sequence[str]) -> tuple[str, str]:
    """Return what a refusal says in our words, and Exchange's number and word for it; empty where it says nothing."""
    said = diagnostics[:_LONGEST]
    number, category = _NUMBER.match(said), _CATEGORY.search(said)
    errors = [found[1] for line in challenges[:_MOST] if (found := _ERROR.search(line[:_LONGEST]))]
    word = category[1] if category else next(iter(errors), "")
    code = ", ".join(part for part in (number[1] if number else "", word) if part)
    return _BY_CATEGORY.get(word, ""), code
