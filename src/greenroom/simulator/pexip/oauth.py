"""Signing in to the management API: Basic, and OAuth 2 with client assertions signed by ES256 (RFC 7523).

Form of request and claims: ``pexip/pexshell`` (``lib/src/mcu/auth/oauth2.rs``); audience and error texts: field reports in
``odallokken/pexip-skills`` (``pexip-infinity-debugging``): a wrong "aud" is answered with "invalid_claim" and no more.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from greenroom.simulator.pexip.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

TOKEN_PATH: Final = "/oauth/token/"  # noqa: S105 - an address
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES: Final = frozenset({"is_admin", "use_api"})
SECONDS: Final = 3600
_SKEW: Final = timedelta(seconds=60)
_MAX_ASSERTION: Final = 16_384
_PARTS: Final = 3
_HALF: Final = 32


@dataclass(slots=True)
class User:
    """Somebody who may use the API. One that is ``read_only`` gets 403 for changes."""

    password: str = field(repr=False)
    read_only: bool = False


@dataclass(slots=True)
class Client:
    """An OAuth2 client: its public key (PEM, P-256)."""

    key: str
    read_only: bool = False


class SignIn:
    """Users, clients and the tokens given out. ``audience``: the only one that is taken, else the address that was asked."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.users: dict[str, User] = {"admin": User("pexip-admin")}
        self.clients: dict[str, Client] = {}
        self.audience: str | None = None
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._seen: dict[str, datetime] = {}

    def who(self, authorization: str | None) -> tuple[str, bool]:
        """Who asks, and whether they may only read. Raises RefusedError (401)."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            name, password = _basic(value)
            user = self.users.get(name)
            if user is not None and hmac.compare_digest(user.password.encode(), password.encode()):
                return name, user.read_only
        elif scheme.lower() == "bearer":
            name, until = self._tokens.get(value.strip(), ("", None))
            client = self.clients.get(name)
            if client is not None and until is not None and until > self.clock():
                return name, client.read_only
        raise RefusedError(401, None, {"WWW-Authenticate": 'Basic realm="Pexip Infinity"'})

    def revoke_all(self) -> None:
        """Make every token given out so far worthless."""
        self._tokens.clear()

    def issue(self, form: Mapping[str, str], asked: str) -> dict[str, Any]:
        """Answer a request for a token. ``asked`` is the address it came to. Raises RefusedError (400 or 401)."""
        if form.get("grant_type") != "client_credentials":
            raise RefusedError(400, {"error": "unsupported_grant_type"})
        if form.get("client_assertion_type") != ASSERTION or "client_assertion" not in form:
            raise RefusedError(400, {"error": "invalid_request"})
        scopes = form.get("scope", "").split() or sorted(SCOPES)
        client_id = self._proved(form["client_assertion"], self._audiences(asked))
        if "client_id" in form and form["client_id"] != client_id:
            raise _refusal("invalid_client")
        if not set(scopes) <= SCOPES:
            raise RefusedError(400, {"error": "invalid_scope"})
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (client_id, self.clock() + timedelta(seconds=SECONDS))
        return {"access_token": token, "token_type": "Bearer", "expires_in": SECONDS, "scope": " ".join(scopes)}

    def _audiences(self, asked: str) -> Collection[str]:
        if self.audience is None:
            return (asked,)
        return (self.audience, f"https://{self.audience}{TOKEN_PATH}")

    def _proved(self, assertion: str, audiences: Collection[str]) -> str:
        head, claims, signed, signature = _taken_apart(assertion)
        client_id = claims.get("sub")
        client = self.clients.get(client_id) if isinstance(client_id, str) else None
        if client is None or claims.get("iss") != client_id or not isinstance(client_id, str):
            raise _refusal("invalid_client", "unknown client")
        if head.get("alg") != "ES256" or not _signed_by(client.key, signed, signature):
            raise RefusedError(400, {"error": "invalid_grant"})
        now = self.clock()
        until, since, once = claims.get("exp"), claims.get("iat"), claims.get("jti")
        if claims.get("aud") not in audiences or not isinstance(once, str) or not once:
            raise _refusal("invalid_client", "invalid_claim")
        end, begin = _moment(until), _moment(since)
        if end is None or end <= now or (since is not None and (begin is None or begin > now + _SKEW)):
            raise RefusedError(400, {"error": "invalid_grant"})
        self._seen = {jti: good_until for jti, good_until in self._seen.items() if good_until > now}
        if once in self._seen:
            raise _refusal("invalid_client", "invalid_claim")
        self._seen[once] = end
        return client_id


def _moment(value: Any) -> datetime | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**33
    return datetime.fromtimestamp(value, UTC) if whole else None


def _refusal(error: str, text: str | None = None) -> RefusedError:
    return RefusedError(401, {"error": error, **({"error_description": text} if text else {})})


def _basic(value: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _taken_apart(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = assertion.split(".")
    if len(parts) != _PARTS or len(assertion) > _MAX_ASSERTION:
        raise RefusedError(400, {"error": "invalid_grant"})
    try:
        head, claims = json.loads(_decoded(parts[0])), json.loads(_decoded(parts[1]))
        signature = _decoded(parts[2])
    except (binascii.Error, ValueError):
        raise RefusedError(400, {"error": "invalid_grant"}) from None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise RefusedError(400, {"error": "invalid_grant"})
    return head, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _signed_by(key: str, signed: bytes, signature: bytes) -> bool:
    public = load_pem_public_key(key.encode())
    if not isinstance(public, ec.EllipticCurvePublicKey) or len(signature) != 2 * _HALF:
        return False
    der = encode_dss_signature(int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:]))
    try:
        public.verify(der, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
