"""The signed assertion by which an OAuth2 client of Pexip proves itself, and what comes for it. Pure.

Source: RFC 7523 (JWT bearer client assertion), RFC 7515 and 7518 3.4 (ES256: P-256, SHA-256, the two numbers of the signature
one behind the other, 32 bytes each); Pexip's "Managing API access via OAuth2".
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from greenroom.outside import parse_json
from greenroom.platforms.errors import PlatformError, PlatformMisconfiguredError, PlatformSignInError
from greenroom.platforms.pexip.management.answers import retry_after
from greenroom.platforms.pexip.management.errors import CodedUnavailableError, GarbledAnswerError
from greenroom.platforms.pexip.management.settings import OAuth2

_LIFETIME = timedelta(minutes=5)
_USUAL = 3600
_EARLIER = timedelta(minutes=5)
_LONGEST_TOKEN = 16 * 1024
_KNOWN = frozenset(
    (
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    )
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and when to have another."""

    value: str = field(repr=False)
    renew_at: datetime


def private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Read the key; raises PlatformMisconfiguredError for one that cannot sign ES256."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        hint = (
            "it must be the private key (PEM, P-256, not encrypted) that Pexip showed when the OAuth2 client was made"
        )
        raise PlatformMisconfiguredError("private-key", hint=hint)
    return key


def assertion(client: OAuth2, key: ec.EllipticCurvePrivateKey, audience: str, now: datetime, ident: str) -> str:
    """Return the signed assertion; `ident` is used once."""
    issued = int(now.timestamp())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": audience,
        "iat": issued,
        "exp": issued + int(_LIFETIME.total_seconds()),
        "jti": ident,
    }
    told = f"{_part({'alg': 'ES256', 'typ': 'JWT'})}.{_part(claims)}"
    r, s = decode_dss_signature(key.sign(told.encode("ascii"), ec.ECDSA(SHA256())))
    return f"{told}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def form(client: OAuth2, signed: str) -> dict[str, str]:
    """Return the form that asks for a token."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
        "scope": client.scope,
    }


def token_of(status: int, headers: Mapping[str, str], data: bytes, now: datetime) -> Token:
    """Read the answer to the form; raises PlatformSignInError, PlatformMisconfiguredError, PlatformUnavailableError."""
    try:
        told = parse_json(data) if data.strip() else None
    except ValueError:
        told = None
    if status != 200:  # noqa: PLR2004  the number is the name
        raise _refused(status, headers, told, now)
    if not isinstance(told, dict):
        raise GarbledAnswerError("garbled-answer")
    value, kind, lasts = told.get("access_token"), told.get("token_type", "Bearer"), told.get("expires_in", _USUAL)
    if not isinstance(value, str) or not _sound(value) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise GarbledAnswerError("odd-token")
    if not isinstance(lasts, (int, float)) or isinstance(lasts, bool) or not 0 < lasts <= 10**8:
        lasts = _USUAL
    span = timedelta(seconds=lasts)
    return Token(value, now + span - min(_EARLIER, span / 4))


def _refused(status: int, headers: Mapping[str, str], told: Any, now: datetime) -> PlatformError:
    named = told.get("error") if isinstance(told, dict) else None
    code = named if isinstance(named, str) and named in _KNOWN else f"http-{status}"
    if status in (404, 405) or 300 <= status < 400:  # noqa: PLR2004
        hint = "no tokens are given there: allow OAuth2 for the management API in Pexip's global settings, or check url"
        return PlatformMisconfiguredError("no-oauth", hint=hint)
    if code in _KNOWN or status in (400, 401, 403):
        hint = (
            "check client id and private key, the clock of this computer, and token_audience: it must be the token address with the"
            " name the Management Node itself has"
        )
        return PlatformSignInError(code, hint=hint)
    return CodedUnavailableError(code, retry_after(headers.get("retry-after"), now))


def _sound(token: str) -> bool:
    """Whether this can be an access token (RFC 6750 2.1)."""
    return 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable() and " " not in token


def _part(told: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(told, separators=(",", ":")).encode("utf-8"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
