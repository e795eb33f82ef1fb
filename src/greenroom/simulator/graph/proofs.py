"""How an application proves itself at the token endpoint: secret, signed assertion, federated assertion.

Refusals are those of Entra ID ("Microsoft Entra authentication and authorization error codes").
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from greenroom.simulator.applications import Application, Federation

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FEDERATED_AUDIENCE: Final = "api://AzureADTokenExchange"
_MAX_ASSERTION: Final = 16_384
_PARTS: Final = 3


class EntraError(Exception):
    """A refusal of the token endpoint: an OAuth error with the AADSTS code behind it."""

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.error = error
        self.code = code
        self.text = text


def prove(application: Application, form: Mapping[str, str], audiences: Collection[str], now: datetime) -> None:
    """Check what the request says for itself. Raises EntraError (invalid_client, 401)."""
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION:
            raise EntraError(400, "invalid_request", 900144, "The 'client_assertion_type' is missing or unknown.")
        _assertion(application, form["client_assertion"], audiences, now)
        return
    given = form.get("client_secret")
    if given is None:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise _client(7000218, text)
    if application.secret is None or not hmac.compare_digest(application.secret.encode(), given.encode()):
        raise _client(
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{application.client_id}'.",
        )
    if application.secret_expires is not None and application.secret_expires <= now:
        raise _client(7000222, f"The provided client secret keys for app '{application.client_id}' are expired.")


def _assertion(application: Application, assertion: str, audiences: Collection[str], now: datetime) -> None:
    head, claims, signed, signature = _taken_apart(assertion)
    federation = application.federation
    if federation is not None and claims.get("iss") == federation.issuer:
        _verify(_federated_key(federation), head, signed, signature)
        if claims.get("sub") != federation.subject:
            raise _client(700213, "No matching federated identity record found for presented assertion subject.")
        audiences = (_FEDERATED_AUDIENCE,)
    elif claims.get("iss") == application.client_id and claims.get("sub") == application.client_id:
        _verify(_certified_key(application, head, now), head, signed, signature)
    elif federation is not None:
        raise _client(700211, "No matching federated identity record found for presented assertion issuer.")
    else:
        raise _client(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
    if claims.get("aud") not in audiences:
        raise _client(700023, "Client assertion audience claim does not match Realm issuer.")
    _in_time(claims, now)


def _in_time(claims: Mapping[str, Any], now: datetime) -> None:
    """An assertion is signed by the computer's clock, which need not be the simulator's: it is past when it is by both."""
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(begins, int | float):
        raise _client(50027, "JWT token is invalid or malformed: exp or nbf is no number.")
    clocks = (now.timestamp(), datetime.now(UTC).timestamp())
    if expires <= min(clocks) or begins > max(clocks) + 300:
        raise _client(700024, "Client assertion is not within its valid time range.")


def _taken_apart(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = assertion.split(".") if len(assertion) <= _MAX_ASSERTION else []
    malformed = _client(50027, "JWT token is invalid or malformed.")
    if len(parts) != _PARTS:
        raise malformed
    try:
        head, claims = (json.loads(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
    except (ValueError, RecursionError, binascii.Error):
        raise malformed from None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise malformed
    return head, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _certified_key(application: Application, head: Mapping[str, Any], now: datetime) -> PublicKeyTypes:
    certificate = (
        None if application.certificate is None else x509.load_pem_x509_certificate(application.certificate.encode())
    )
    prints = (
        {}
        if certificate is None
        else {
            "x5t": certificate.fingerprint(hashes.SHA1()),  # noqa: S303 - the header is defined so (RFC 7515 4.1.7)
            "x5t#S256": certificate.fingerprint(hashes.SHA256()),
        }
    )
    named = {name: head[name] for name in ("x5t", "x5t#S256") if isinstance(head.get(name), str)}
    known = all(_same(prints.get(name, b""), text) for name, text in named.items())
    if certificate is None or not named or not known:
        raise _client(
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application. "
            "[Reason - The key was not found.]",
        )
    if certificate.not_valid_after_utc <= min(now, datetime.now(UTC)):
        raise _client(700027, "The certificate used to sign the client assertion is expired.")
    return certificate.public_key()


def _same(fingerprint: bytes, text: str) -> bool:
    try:
        return bool(fingerprint) and _decoded(text) == fingerprint
    except (ValueError, binascii.Error):
        return False


def _federated_key(federation: Federation) -> PublicKeyTypes:
    return serialization.load_pem_public_key(federation.key.encode())


def _verify(key: PublicKeyTypes, head: Mapping[str, Any], signed: bytes, signature: bytes) -> None:
    schemes: dict[Any, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
    }
    scheme = schemes.get(head.get("alg"))
    wrong = _client(700027, "Client assertion failed signature validation.")
    if scheme is None or not isinstance(key, rsa.RSAPublicKey):
        raise wrong
    try:
        key.verify(signature, signed, scheme, hashes.SHA256())
    except InvalidSignature:
        raise wrong from None


def _client(code: int, text: str) -> EntraError:
    return EntraError(401, "invalid_client", code, text)
