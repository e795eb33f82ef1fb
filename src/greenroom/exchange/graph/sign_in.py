"""Signing in to Microsoft 365 as an application: certificate, secret, federated or managed identity.

msal speaks the protocol and keeps the tokens, in a thread of its own (it is synchronous), one question at a time. What it may
reach is bounded by `msal_http`; what is refused is remembered, so that a wrong secret is tried ever more seldom.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx2
import msal
import structlog

from greenroom.exchange.backoff import BackOff
from greenroom.exchange.errors import MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph import certificates
from greenroom.exchange.graph.msal_http import LoginHttp, MachineHttp, sound
from greenroom.exchange.graph.names import check_client_id, check_tenant
from greenroom.exchange.graph.refusals import Refusals
from greenroom.exchange.graph.settings import CLOUDS, Cloud, TokenSource

log = structlog.get_logger(__name__)

_PATIENCE = 75.0
_LONGEST_ASSERTION = 64 * 1024
_UNEXPECTED = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)
"""How msal meets answers it did not expect."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose public half stands at the application: a PEM or PFX file.

    `key_file` is for a private key that stands in a file of its own, `passphrase` for an encrypted key or PFX file.
    """

    file: Path
    key_file: Path | None = None
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret, and the day it runs out, as Entra shows it, since nothing else tells."""

    value: str = field(repr=False)
    expires_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class Federated:
    """A token of another issuer which the application trusts, in a file that its owner renews (workload identity)."""

    token_file: Path


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity Azure gives this machine: the system-assigned one, or the user-assigned one with this client id."""

    client_id: str | None = None


Credential = Certificate | Secret | Federated | ManagedIdentity


def open_tokens(
    credential: Credential,
    *,
    tenant: str,
    client_id: str = "",
    cloud: Cloud = CLOUDS["global"],
    ca_file: Path | None = None,
    proxy: str | None = None,
    resource: str | None = None,
    clock: Callable[[], datetime],
) -> TokenSource:
    """Return the source of tokens for one application; raises MisconfiguredError for what is wrong in files and values.

    `client_id` is the application's; a managed identity needs none. Tokens are for Graph, or for `resource`, such as an Exchange
    Server; then the tenant may be "adfs". Nothing is sent before the first token is asked for.
    """
    if isinstance(credential, ManagedIdentity):
        return ManagedIdentityTokens(credential, cloud=cloud, clock=clock)
    return MsalTokens(
        credential,
        tenant=tenant,
        client_id=client_id,
        cloud=cloud,
        ca_file=ca_file,
        proxy=proxy,
        resource=resource,
        clock=clock,
    )


class _Asked(Protocol):
    def close(self) -> None: ...


class _Threaded:
    """What both sources share: the thread, the pauses after a refusal, the look at what comes."""

    def __init__(self, http: _Asked, clock: Callable[[], datetime]) -> None:
        self._closing = http
        self._clock = clock
        self._refusals = Refusals(clock)
        self._back_off = BackOff()
        self._closed = False
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sign-in")

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token; see `TokenSource`."""
        self._ready()
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                self._ready()  # whoever was before us may have been refused: a wrong secret is tried once
                return await self._in_turn(fresh)
        except TimeoutError:
            raise TryLaterError("no token came in time", code="timeout") from None

    def _ready(self) -> None:
        if self._closed:
            raise TryLaterError("the way to sign in was closed", code="closed")
        self._refusals.check()
        self._back_off.check("", self._clock())

    async def _in_turn(self, fresh: bool) -> str:
        try:
            token = await asyncio.get_running_loop().run_in_executor(self._thread, self._answered, fresh)
        except (SignInError, MisconfiguredError) as error:
            log.warning("graph.sign-in-refused", code=error.code)
            self._refusals.refused(error)
            raise
        except TryLaterError as error:
            self._back_off.heed("", self._clock(), error)
            raise
        self._refusals.accepted()
        self._back_off.succeeded("")
        return token

    async def close(self) -> None:
        """Close connections, once what is under way has its answer; what is asked afterwards is told to come later."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._closing.close)
            self._thread.shutdown(wait=False)

    def _answered(self, fresh: bool) -> str:
        try:
            told = self._ask(fresh)
        except _UNEXPECTED as error:
            raise TryLaterError(f"msal cannot use the answer ({type(error).__name__})", code="odd-answer") from None
        token = told.get("access_token") if isinstance(told, dict) else None
        if not sound(token):
            raise SignInError("no token came, and no reason why", code="no-token")
        return str(token)

    def _ask(self, fresh: bool) -> Any:
        raise NotImplementedError


class MsalTokens(_Threaded):
    """Tokens of an application that signs in with a credential of its own. Raises MisconfiguredError for what cannot work.

    Tokens are kept until five minutes before their end. A certificate file that is replaced is taken up with the next token.
    """

    def __init__(
        self,
        credential: Certificate | Secret | Federated,
        *,
        tenant: str,
        client_id: str,
        cloud: Cloud = CLOUDS["global"],
        ca_file: Path | None = None,
        proxy: str | None = None,
        resource: str | None = None,
        clock: Callable[[], datetime],
        http: httpx2.BaseTransport | None = None,
    ) -> None:
        check_tenant(tenant, adfs=resource is not None)
        check_client_id(client_id)
        if isinstance(credential, Secret) and not credential.value:
            raise MisconfiguredError("the client secret is empty", hint="set it, or use a certificate")
        self._tenant = tenant
        self._client_id = client_id
        # AD FS has no permissions of applications to give all of: whoever it gives a token may ask for openid.
        named = "openid" if tenant == "adfs" else ".default"
        self._scope = f"{(resource or cloud.graph).rstrip('/')}/{named}"
        self._http = LoginHttp(
            cloud.login, clock, ca_file=ca_file, proxy=proxy, resource=resource or "", transport=http
        )
        self._app: msal.ConfidentialClientApplication | None = None
        self._proof = Proof(credential)
        super().__init__(self._http, clock)

    @property
    def expires_at(self) -> datetime | None:
        """When the certificate or secret runs out; None for a federated identity, or a secret whose day was not given."""
        return self._proof.expires_at

    def _ask(self, fresh: bool) -> Any:
        if self._proof.is_replaced(self._clock()):
            self._app = None
        if self._app is None:
            self._app = msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=self._proof.for_msal(),
                authority=f"{self._http.authority_root}/{self._tenant}",
                instance_discovery=False,  # that would ask another host than the one configured
                azure_region=False,  # an environment variable would choose another host
                client_claims=self._http.claims(self._tenant),
                http_client=self._http,
            )
        if fresh:
            self._app.remove_tokens_for_client()
        # A token that is merely ageing stays in use when its renewal fails for the moment.
        return self._app.acquire_token_for_client([self._scope], http_exceptions=(TryLaterError,))


class ManagedIdentityTokens(_Threaded):
    """Tokens of the identity that Azure gives this machine. The environment says where they come from."""

    expires_at = None

    def __init__(
        self,
        identity: ManagedIdentity,
        *,
        cloud: Cloud = CLOUDS["global"],
        clock: Callable[[], datetime],
        http: httpx2.BaseTransport | None = None,
    ) -> None:
        if identity.client_id is not None:
            check_client_id(identity.client_id)
        self._identity = identity
        self._resource = cloud.graph.rstrip("/")
        self._http = MachineHttp(clock, transport=http)
        self._client: msal.ManagedIdentityClient | None = None
        super().__init__(self._http, clock)

    def _ask(self, fresh: bool) -> Any:
        if self._client is None or fresh:
            chosen = self._identity.client_id
            who = msal.UserAssignedManagedIdentity(client_id=chosen) if chosen else msal.SystemAssignedManagedIdentity()
            self._client = msal.ManagedIdentityClient(who, http_client=self._http)
        try:
            return self._client.acquire_token_for_client(resource=self._resource)
        except msal.ManagedIdentityError as error:
            raise MisconfiguredError(
                f"this kind of machine cannot give its identity's token ({type(error).__name__})",
                hint="use a certificate, or a federated identity",
                code="managed-identity",
            ) from None


class Proof:
    """What an application shows: a certificate's files are read anew when they are replaced. Raises MisconfiguredError."""

    def __init__(self, credential: Certificate | Secret | Federated) -> None:
        self._credential = credential
        self._pair: certificates.KeyPair | None = None
        self._mark: object = None
        if isinstance(credential, Certificate):
            self._pair, self._mark = _load(credential), _mark(credential)

    @property
    def expires_at(self) -> datetime | None:
        """When it runs out; None where that is not known."""
        if self._pair is not None:
            return self._pair.ends
        return self._credential.expires_on if isinstance(self._credential, Secret) else None

    def is_replaced(self, now: datetime) -> bool:
        """Take up files that were replaced, and say whether they were; raises MisconfiguredError for what cannot be shown now."""
        replaced = False
        if isinstance(self._credential, Certificate) and (mark := _mark(self._credential)) != self._mark:
            self._pair, self._mark, replaced = _load(self._credential), mark, True
        if self._pair is not None:
            self._pair.check(now)
        return replaced

    def for_msal(self) -> Any:
        """Return it as msal wants it."""
        if self._pair is not None:
            return {"private_key": self._pair.key, "public_certificate": self._pair.pem()}
        if isinstance(self._credential, Federated):
            file = self._credential.token_file
            return {"client_assertion": lambda: _assertion(file)}
        assert isinstance(self._credential, Secret)
        return self._credential.value


def _load(credential: Certificate) -> certificates.KeyPair:
    return certificates.load(credential.file, credential.key_file, credential.passphrase)


def _mark(credential: Certificate) -> object:
    """Return what changes when one of the files is replaced."""
    found = []
    for file in (credential.file, credential.key_file):
        try:
            status = file.stat() if file is not None else None
        except OSError:
            status = None
        found.append((status.st_mtime_ns, status.st_size, status.st_ino) if status is not None else None)
    return tuple(found)


def _assertion(file: Path) -> str:
    """Read the federated token anew, for its owner replaces it every hour or so."""
    try:
        with file.open("rb") as opened:
            token = opened.read(_LONGEST_ASSERTION + 1).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        token, why = "", type(error).__name__
    else:
        why = "empty or malformed"
    if not sound(token):
        raise MisconfiguredError(
            f"the federated token file {file} cannot be used ({why})",
            hint="check that it exists, that the service may read it, and that it holds nothing but the token",
            code="token-file",
        )
    return token
