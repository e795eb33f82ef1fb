"""Exchange's identity tokens: who looks at a mailbox, signed by the organisation and checked by whoever is told.

A server has a certificate of its own making and publishes it in the authentication metadata document; the tokens name
that document. Sources: "Inside the Exchange identity token", "Validate an Exchange identity token" (Office Add-ins), and
MS-OAUTH2EX 2.2 for the metadata document.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.requests import Request
    from starlette.routing import BaseRoute

METADATA_PATH: Final = "/autodiscover/metadata/json/1"
EXCHANGE: Final = "00000002-0000-0ff1-ce00-000000000000"
"""Exchange's own application id, which is the same everywhere."""
LIFETIME: Final = timedelta(hours=1)
_KEY_BITS: Final = 2048
_NAMES: Final = uuid.UUID("0d4cfd5a-7c0f-4a58-9a5e-5b6a6d1f2c11")


class IdentityTokens:
    """Issues tokens for the mailboxes of one organisation and serves the metadata that they are checked with.

    Args:
        clock: The time, aware.
        base_url: Where the routes are served, without a path, such as "https://mail.example.org".
        realm: The organisation's domain.

    The key is made when it is first needed, which takes a moment.
    """

    def __init__(self, clock: Callable[[], datetime], base_url: str, *, realm: str = "greenroom.example") -> None:
        self._clock = clock
        self._realm = realm
        self.metadata_url = base_url.rstrip("/") + METADATA_PATH

    @property
    def issuer(self) -> str:
        """What tokens and metadata name as their issuer."""
        return f"{EXCHANGE}@{self._realm}"

    def issue(self, mailbox: str, audience: str, changes: Mapping[str, Any] | None = None) -> str:
        """A token that says whose mailbox it is, to an add-in whose pane is at `audience`.

        The moments are texts and `appctx` is JSON in a text, as real servers write them. `changes` replaces claims, for
        tests; a claim that is None is left out.
        """
        now = self._clock()
        context = {"msexchuid": self.user_of(mailbox), "version": "ExIdTok.V1", "amurl": self.metadata_url}
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": self.issuer,
            "nbf": str(int(now.timestamp())),
            "exp": str(int((now + LIFETIME).timestamp())),
            "appctxsender": audience,
            "isbrowserhostedapp": "true",
            "appctx": json.dumps(context),
        } | dict(changes or {})
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.thumbprint}
        told = {name: value for name, value in claims.items() if value is not None}
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(told).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def user_of(self, mailbox: str) -> str:
        """The opaque id of a mailbox (`msexchuid`), the same each time."""
        return f"{uuid.uuid5(_NAMES, mailbox.lower())}@{self._realm}"

    def metadata(self) -> dict[str, Any]:
        """The authentication metadata document."""
        key = {
            "usage": "signing",
            "keyinfo": {"x5t": self.thumbprint},
            "keyvalue": {
                "type": "x509Certificate",
                "value": base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode(),
            },
        }
        return {
            "id": f"_{uuid.uuid5(_NAMES, self._realm)}",
            "version": "1.0",
            "name": "Exchange",
            "realm": self._realm,
            "serviceName": EXCHANGE,
            "issuer": self.issuer,
            "allowedAudiences": [self.issuer],
            "keys": [key],
            "endpoints": [{"location": self.metadata_url, "protocol": "OAuth2", "usage": "metadata"}],
        }

    def routes(self) -> list[BaseRoute]:
        """The routes of the metadata document."""

        async def answer(_: Request) -> Response:
            return JSONResponse(self.metadata(), headers={"Cache-Control": "no-store"})

        return [Route(METADATA_PATH, answer)]

    @property
    def thumbprint(self) -> str:
        """The certificate's SHA-1, by which tokens name it (`x5t`)."""
        return _encoded(self.certificate.fingerprint(hashes.SHA1()))  # noqa: S303 - the format wants this one

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate that the tokens are signed with."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Exchange Server Auth Certificate")])
        now = self._clock()
        made = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=self._key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=5 * 365),
        )
        return made.sign(self._key, hashes.SHA256())

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
