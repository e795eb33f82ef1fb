"""Whoever issues tokens, played for tests: Entra, an Exchange Server, and an OpenID Connect provider such as AD FS.

```
issuers = Issuers("https://login.example.org")      # where they are; `with issuers_served() as issuers:` serves them on loopback
issuers.entra.token(oid="...")                      # a good token, with claims as you like; `None` leaves a claim out
issuers.exchange.token(); issuers.oidc.token()
token_check(addin_settings(issuers), ..., http=issuers.transport())
```

No network is needed with `transport()`. What is asked for is counted in `issuers.asked`.
"""

import base64
import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx2
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from greenroom.settings.addin import Addin
from support.certificates import Identity

PUBLIC_URL = "https://meet.example.org"
TENANT = "6a1f0c52-3f43-4b1d-9d0c-0b7f4f3f8a11"
CLIENT = "11111111-2222-4333-8444-555555555555"
PERSON = "0f9e8d7c-6b5a-4433-8211-00ffeeddccbb"
EXCHANGE_SERVICE = "00000002-0000-0ff1-ce00-000000000000"
REALM = "example.org"
OIDC_CLIENT = "greenroom-addin"
OIDC_AUDIENCE = "https://meet.example.org/addin"
LIFE = 3_600


class Signer:
    """A key that signs tokens. Making one takes some tenths of a second: take those of `signer`."""

    def __init__(self, kind: str = "RSA", bits: int = 2_048) -> None:
        self.private: Any = (
            ec.generate_private_key(ec.SECP256R1())
            if kind == "EC"
            else rsa.generate_private_key(public_exponent=65_537, key_size=bits)
        )
        self.kind = kind
        self.kid = hashlib.sha256(self.spki).hexdigest()[:20]
        self._certificate: bytes | None = None

    @property
    def spki(self) -> bytes:
        """The public key, DER."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return bytes(self.private.public_key().public_bytes(serialization.Encoding.DER, form))

    @property
    def pem(self) -> bytes:
        """The public key, PEM: what the confusion of RS256 and HS256 takes for a secret."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return bytes(self.private.public_key().public_bytes(serialization.Encoding.PEM, form))

    @property
    def certificate(self) -> bytes:
        """A certificate of this key, DER."""
        if self._certificate is None:
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test exchange auth")])
            now = datetime.now(UTC)
            made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.private.public_key())
            made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            signed = made.not_valid_after(now + timedelta(days=2)).sign(self.private, hashes.SHA256())
            self._certificate = signed.public_bytes(serialization.Encoding.DER)
        return self._certificate

    @property
    def x5t(self) -> str:
        return encoded(hashlib.sha1(self.certificate).digest())

    def jwk(self, **more: Any) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        parts = {"x": (numbers.x, 32), "y": (numbers.y, 32)} if self.kind == "EC" else {"n": numbers.n, "e": numbers.e}
        key: dict[str, Any] = {"kty": self.kind, "use": "sig", "kid": self.kid}
        if self.kind == "EC":
            key["crv"] = "P-256"
        return {**key, **{name: encoded(_bytes(part)) for name, part in parts.items()}, **more}

    def sign(self, data: bytes, algorithm: str = "RS256") -> bytes:
        if algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        way = pss if algorithm == "PS256" else padding.PKCS1v15()
        return bytes(self.private.sign(data, way, hashes.SHA256()))


_SIGNERS: dict[str, Signer] = {}


def signer(name: str, kind: str = "RSA", bits: int = 2_048) -> Signer:
    """Return the signer of that name, the same for the whole run."""
    if name not in _SIGNERS:
        _SIGNERS[name] = Signer(kind, bits)
    return _SIGNERS[name]


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def put_together(
    header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes, key: Signer, algorithm: str = "RS256"
) -> str:
    """Sign anything at all, also what no library would."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed = ".".join(encoded(part) for part in parts)
    return f"{signed}.{encoded(key.sign(signed.encode(), algorithm))}"


def _bytes(number: Any) -> bytes:
    value, length = number if isinstance(number, tuple) else (number, (number.bit_length() + 7) // 8)
    return int(value).to_bytes(length, "big")


def _without_nothing(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


class EntraIssuer:
    """One tenant of Entra."""

    def __init__(self, root: str, tenant: str = TENANT) -> None:
        self.root, self.tenant = root, tenant
        self.signer = signer("entra")
        self.published = [self.signer]
        self.now = time.time

    def claims(self, **claims: Any) -> dict[str, Any]:
        now = int(self.now())
        return {
            "aud": CLIENT,
            "iss": f"{self.root}/{self.tenant}/v2.0",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + LIFE,
            "azp": CLIENT,
            "azpacr": "0",
            "name": "Wendelin Apfelkern",
            "oid": PERSON,
            "preferred_username": "Ada@Example.org",
            "scp": "Alias.Request",
            "sub": "nJ2d0kq",
            "tid": self.tenant,
            "ver": "2.0",
            **claims,
        }

    def plain_claims(self, **claims: Any) -> dict[str, Any]:
        """Those of a token of version 1.0."""
        return self.claims(
            **{
                "ver": "1.0",
                "iss": f"https://sts.windows.net/{self.tenant}/",
                "aud": f"api://{CLIENT}",
                "azp": None,
                "appid": CLIENT,
                "preferred_username": None,
                "upn": "ada@example.org",
                **claims,
            }
        )

    def header(self, **header: Any) -> dict[str, Any]:
        return _without_nothing({"typ": "JWT", "alg": "RS256", "kid": self.signer.kid, **header})

    def token(self, **claims: Any) -> str:
        """A good token, but for what is said otherwise; None leaves a claim out."""
        return put_together(self.header(), _without_nothing(self.claims(**claims)), self.signer)

    def plain_token(self, **claims: Any) -> str:
        """A token of version 1.0."""
        return put_together(self.header(), _without_nothing(self.plain_claims(**claims)), self.signer)

    def jwks(self) -> dict[str, Any]:
        issuer = f"{self.root}/{{tenantid}}/v2.0"
        return {"keys": [key.jwk(issuer=issuer, x5t=key.kid, x5c=["MII"]) for key in self.published]}


class ExchangeIssuer:
    """An Exchange Server; `metadata_url` is what its tokens call `amurl`."""

    def __init__(self, root: str, audience: str = f"{PUBLIC_URL}/addin/1/taskpane.html") -> None:
        self.metadata_url = f"{root}/autodiscover/metadata/json/1"
        self.audience = audience
        self.signer = signer("exchange")
        self.published = [self.signer]
        self.now = time.time

    def context(self, **context: Any) -> dict[str, Any]:
        plain = {
            "msexchuid": "53e925fa-76ba-45e1-be0f-4ef08b59d389",
            "version": "ExIdTok.V1",
            "amurl": self.metadata_url,
        }
        return _without_nothing({**plain, **context})

    def claims(self, **claims: Any) -> dict[str, Any]:
        now = int(self.now())
        return {
            "aud": self.audience,
            "iss": f"{EXCHANGE_SERVICE}@{REALM}",
            "nbf": str(now - 60),
            "exp": str(now + 8 * LIFE),
            "appctxsender": f"{self.audience}@{REALM}",
            "isbrowserhostedapp": "true",
            "appctx": json.dumps(self.context()),
            **claims,
        }

    def header(self, **header: Any) -> dict[str, Any]:
        return _without_nothing({"typ": "JWT", "alg": "RS256", "x5t": self.signer.x5t, **header})

    def token(self, **claims: Any) -> str:
        """A good token, but for what is said otherwise; None leaves a claim out."""
        return put_together(self.header(), _without_nothing(self.claims(**claims)), self.signer)

    def metadata(self) -> dict[str, Any]:
        return {
            "id": "_f7a8e2f4-9b3c-4c7e-9c3e-2a1b0c9d8e7f",
            "version": "1.0",
            "name": "Exchange",
            "realm": REALM,
            "serviceName": EXCHANGE_SERVICE,
            "issuer": f"{EXCHANGE_SERVICE}@{REALM}",
            "allowedAudiences": [f"{EXCHANGE_SERVICE}@{REALM}"],
            "keys": [
                {
                    "usage": "signing",
                    "keyinfo": {"x5t": key.x5t},
                    "keyvalue": {"type": "x509Certificate", "value": base64.b64encode(key.certificate).decode("ascii")},
                }
                for key in self.published
            ],
            "endpoints": [],
        }


class OidcIssuer:
    """An AD FS: its access tokens name another issuer than its metadata, and it hands them out for codes with PKCE."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.issuer = f"http://{root.partition('://')[2]}/adfs/services/trust"
        self.metadata_url = f"{root}/adfs/.well-known/openid-configuration"
        self.signer = signer("oidc")
        self.published = [self.signer, signer("oidc-ec", "EC")]
        self.now = time.time
        self.person: dict[str, Any] = {}
        self.refuses: str | None = None
        self._codes: dict[str, dict[str, str]] = {}

    def claims(self, **claims: Any) -> dict[str, Any]:
        now = int(self.now())
        return {
            "aud": OIDC_AUDIENCE,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "apptype": "Public",
            "appid": OIDC_CLIENT,
            "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "sub": "S-1-5-21-397955417-626881126-188441444-1104",
            "email": "ada@example.org",
            "scp": "openid rooms",
            "ver": "1.0",
            **claims,
        }

    def header(self, **header: Any) -> dict[str, Any]:
        kid = self.signer.kid
        return _without_nothing({"typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid, **header})

    def token(self, **claims: Any) -> str:
        """A good token, but for what is said otherwise; None leaves a claim out."""
        return put_together(self.header(), _without_nothing(self.claims(**claims)), self.signer)

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.jwk(**({"alg": "RS256"} if key.kind == "RSA" else {})) for key in self.published]}

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": f"{self.root}/adfs",
            "access_token_issuer": self.issuer,
            "authorization_endpoint": f"{self.root}/adfs/oauth2/authorize/",
            "token_endpoint": f"{self.root}/adfs/oauth2/token/",
            "jwks_uri": f"{self.root}/adfs/discovery/keys",
        }

    def code(self, challenge: str, redirect_uri: str) -> str:
        """Sign somebody in: a code that is good once, with the verifier of that challenge (S256)."""
        code = encoded(hashlib.sha256(f"{challenge}{len(self._codes)}".encode()).digest())
        self._codes[code] = {"challenge": challenge, "redirect_uri": redirect_uri}
        return code

    def redeemed(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        kept = self._codes.pop(form.get("code", ""), None)
        proof = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if self.refuses or kept is None or kept != {"challenge": proof, "redirect_uri": form.get("redirect_uri")}:
            return 400, {
                "error": self.refuses or "invalid_grant",
                "error_description": "MSIS9612 " + form.get("code", ""),
            }
        if form.get("client_id") != OIDC_CLIENT or form.get("grant_type") != "authorization_code":
            return 401, {"error": "invalid_client"}
        token = self.token(**self.person)
        more = {"refresh_token": "refresh", "id_token": "identity", "scope": "openid"}
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": LIFE, **more}


class Issuers:
    """All three at one address, as one web application (`app`)."""

    def __init__(self, root: str = "https://issuer.example.org", public_url: str = PUBLIC_URL) -> None:
        self.root = root
        self.public_url = public_url
        self.entra = EntraIssuer(root)
        self.exchange = ExchangeIssuer(root, f"{public_url}/addin/1/taskpane.html")
        self.oidc = OidcIssuer(root)
        self.asked: Counter[str] = Counter()
        self.instead: Response | None = None
        """Answered to everything while it is set."""
        self.app = Starlette(
            routes=[
                Route("/{tenant}/discovery/v2.0/keys", self._told(self._entra_keys)),
                Route("/autodiscover/metadata/json/1", self._told(lambda _: self.exchange.metadata())),
                Route("/adfs/.well-known/openid-configuration", self._told(lambda _: self.oidc.metadata())),
                Route("/adfs/discovery/keys", self._told(lambda _: self.oidc.jwks())),
                Route("/adfs/oauth2/authorize/", self._authorize),
                Route("/adfs/oauth2/token/", self._token, methods=["POST"]),
            ]
        )

    def now_is(self, clock: Any) -> None:
        """Issue by a test's clock, which gives aware datetimes."""
        for issuer in (self.entra, self.exchange, self.oidc):
            issuer.now = lambda: clock().timestamp()

    def transport(self) -> httpx2.AsyncBaseTransport:
        """The way to them without a network."""
        return httpx2.ASGITransport(app=self.app)

    def _told(self, document: Any) -> Any:
        async def answer(request: Request) -> Response:
            self.asked[request.url.path] += 1
            return self.instead if self.instead is not None else JSONResponse(document(request))

        return answer

    def _entra_keys(self, request: Request) -> dict[str, Any]:
        return self.entra.jwks() if request.path_params["tenant"] == self.entra.tenant else {"keys": []}

    async def _authorize(self, request: Request) -> Response:
        """Sign in at once whoever comes, without a form."""
        query = request.query_params
        code = self.oidc.code(query["code_challenge"], query["redirect_uri"])
        back = urlencode({"code": code, "state": query.get("state", "")})
        return RedirectResponse(f"{query['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        self.asked[request.url.path] += 1
        if self.instead is not None:
            return self.instead
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("ascii")).items()}
        status, document = self.oidc.redeemed(form)
        return JSONResponse(document, status)


def addin_settings(issuers: Issuers, *, kinds: str = "entra exchange oidc", **more: Any) -> Addin:
    """Settings that trust them; `more` are settings by section, such as `entra={"require_roles": ["Planner"]}`."""
    entra = {"tenants": [issuers.entra.tenant], "client_id": CLIENT, "login_url": issuers.root}
    exchange = {"metadata_urls": [issuers.exchange.metadata_url]}
    oidc = {
        "issuer": issuers.oidc.issuer,
        "metadata_url": issuers.oidc.metadata_url,
        "client_id": OIDC_CLIENT,
        "audience": OIDC_AUDIENCE,
    }
    sections: dict[str, Any] = {}
    if "entra" in kinds:
        sections["entra"] = {**entra, **more.pop("entra", {})}
    if "exchange" in kinds:
        sections["exchange_tokens"] = {**exchange, **more.pop("exchange_tokens", {})}
    if "oidc" in kinds:
        sections["oidc"] = {**oidc, **more.pop("oidc", {})}
    return Addin.model_validate({**sections, **more})


@contextmanager
def issuers_served(identity: Identity | None = None, public_url: str = PUBLIC_URL) -> Iterator[Issuers]:
    """Serve all three on a port of loopback, with TLS if a certificate is given (then as https://localhost:<port>)."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    issuers = Issuers(f"http://127.0.0.1:{port}" if identity is None else f"https://localhost:{port}", public_url)
    files = {} if identity is None else {"ssl_certfile": str(identity.certificate), "ssl_keyfile": str(identity.key)}
    config = uvicorn.Config(issuers.app, log_level="warning", lifespan="off", **files)  # type: ignore[arg-type]  # two strings
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield issuers
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
