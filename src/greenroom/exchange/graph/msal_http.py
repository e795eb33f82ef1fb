"""What msal speaks HTTP with: one host, no redirects, everything bounded, and metadata that names another host refused.

msal asks the directory's metadata where tokens are given, and would send secret or assertion wherever that says. Here it only
ever reaches the login host that is configured, over a TLS connection which that host's certificate secures.
"""

import json
import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.failures import Asked, BrokenConnectionError, failure
from greenroom.exchange.graph import answers, entra_errors
from greenroom.exchange.graph.bounded import TooMuchError, gathered_now
from greenroom.exchange.graph.links import Origin, origin, origin_of, shown
from greenroom.exchange.trust import trusting

_LONGEST = 1024 * 1024
_LONGEST_TOKEN = 64 * 1024
_FARTHEST = 10**11
_PATIENCE = 20.0
_WHOLE = 30.0
_OK = 200
_REDIRECTS = range(300, 400)
_METADATA = "/.well-known/openid-configuration"
_ENDPOINTS = ("token_endpoint", "authorization_endpoint", "device_authorization_endpoint")


@dataclass(slots=True)
class Reply:
    """An answer in the form msal wants; only good ones get there."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def raise_for_status(self) -> None:
        """Do nothing: what is not good was raised before."""


class _Http:
    """What both kinds have in common: the sending."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        ca_file: Path | None = None,
        proxy: str | None = None,
        encrypted: bool,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._client = httpx2.Client(
            verify=trusting(ca_file) if encrypted and transport is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            proxy=proxy if encrypted and transport is None else None,
            transport=transport,
            timeout=httpx2.Timeout(_PATIENCE, connect=10.0),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _send(self, method: str, url: str, host: str, **more: Any) -> tuple[int, dict[str, str], Any]:
        """Send, once more after a broken connection: asking for a token twice does no harm."""
        try:
            return self._attempt(method, url, host, **more)
        except BrokenConnectionError:
            return self._attempt(method, url, host, **more)

    def _attempt(self, method: str, url: str, host: str, **more: Any) -> tuple[int, dict[str, str], Any]:
        headers = {**(more.pop("headers", None) or {}), "Accept-Encoding": "gzip", "User-Agent": "Greenroom"}
        self._client.cookies.clear()
        end = time.monotonic() + _WHOLE
        asked = Asked(host, "", writes=False)
        try:
            with self._client.stream(method, url, headers=headers, **more) as response:
                pieces = _until(end, response.iter_raw())
                data = gathered_now(pieces, response.headers.get("content-encoding", ""), _LONGEST)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise failure(error, asked) from None
        except TooMuchError as error:
            raise TryLaterError(f"the answer of {host} cannot be read: {error}", code="garbled-answer") from None
        if response.status_code in _REDIRECTS:
            raise MisconfiguredError(
                f"{host} answers with a redirect, which is not followed: it would take secrets along",
                hint="check cloud; redirects also come from a proxy or a sign-in page on the way",
                code="redirected",
            )
        told = {name.lower(): value for name, value in response.headers.items()}
        return response.status_code, told, answers.error_of(data)


class LoginHttp(_Http):
    """The way to the login host of one cloud; `transport` replaces the network in tests.

    msal knows https alone: `authority_root` is what to tell it. Where the login root is http on this computer (a simulator),
    what msal believes to be https goes there as http. `resource` is what tokens are for, if that is not Graph.
    """

    def __init__(
        self,
        login: str,
        clock: Callable[[], datetime],
        *,
        ca_file: Path | None = None,
        proxy: str | None = None,
        resource: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._resource = resource
        self._real = origin(login, "the address to sign in at")
        scheme, name, port = self._real
        bracketed = f"[{name}]" if ":" in name else name
        self._believed: Origin = ("https", name, port)
        self.authority_root = f"https://{bracketed}:{port}" if port != 443 else f"https://{bracketed}"  # noqa: PLR2004  the port of https
        self._root = f"{scheme}://{bracketed}:{port}"
        self.host = shown(self._real)
        super().__init__(clock, ca_file=ca_file, proxy=proxy, encrypted=scheme == "https", transport=transport)

    def claims(self, tenant: str) -> dict[str, str] | None:
        """Return what to say in an assertion besides what msal says: for whom it really is, where msal believes in https."""
        path = "adfs/oauth2/token" if tenant == "adfs" else f"{tenant}/oauth2/v2.0/token"
        return {"aud": f"{self._root}/{path}"} if self._real != self._believed else None

    def get(self, url: str, *, params: Any = None, headers: Mapping[str, str] | None = None, **_: Any) -> Reply:
        """Read metadata for msal; raises MisconfiguredError with code "foreign-metadata" where it names another host."""
        status, told, body = self._send("GET", self._place(url), self.host, params=params, headers=headers)
        if status != _OK or not isinstance(body, dict):
            raise self._refusal(status, told, body)
        if _METADATA in url:
            body = self._own(body)
        return Reply(status, json.dumps(body), told)

    def post(
        self, url: str, *, params: Any = None, data: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> Reply:
        """Ask for a token for msal; raises what a refusal means."""
        form = urlencode(data or {}).encode("ascii")  # msal's values are text or bytes
        kind = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
        status, told, body = self._send("POST", self._place(url), self.host, params=params, content=form, headers=kind)
        if status != _OK or not isinstance(body, dict):
            raise self._refusal(status, told, body)
        return Reply(status, json.dumps(checked(body, self.host)), told)

    def _refusal(self, status: int, told: Mapping[str, str], body: Any) -> ExchangeError:
        if status == _OK:
            return TryLaterError(f"the answer of {self.host} is not what it should be", code="garbled-answer")
        return entra_errors.refusal(status, told, body, self.host, self._clock(), resource=self._resource)

    def _place(self, url: str) -> str:
        if origin_of(url) not in (self._believed, self._real):
            raise self._foreign()
        return self._root + httpx2.URL(url).raw_path.decode("ascii")

    def _own(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return what msal needs of the metadata, if every part of it stays on this host."""
        own: dict[str, Any] = {}
        for name in (*_ENDPOINTS, "issuer"):
            value = metadata.get(name)
            if value is None and name != "token_endpoint":
                continue
            if not isinstance(value, str) or origin_of(value) != self._real:
                raise self._foreign()
            own[name] = self.authority_root + httpx2.URL(value).raw_path.decode("ascii")
        own.setdefault("authorization_endpoint", own["token_endpoint"])
        return own

    def _foreign(self) -> MisconfiguredError:
        return MisconfiguredError(
            f"the directory's metadata at {self.host} leads to another host; no secret was sent there",
            hint="check that cloud is the one the directory is in; if it is, somebody on the way changes answers",
            code="foreign-metadata",
        )


class MachineHttp(_Http):
    """The way to the place on this machine that gives a managed identity's tokens; never through a proxy.

    Where that place is stands in the environment Azure makes (or is the fixed address of the metadata service), which is
    whom msal asks; nobody else is asked.
    """

    def __init__(self, clock: Callable[[], datetime], *, transport: httpx2.BaseTransport | None = None) -> None:
        super().__init__(clock, encrypted=False, transport=transport)

    def get(self, url: str, *, params: Any = None, headers: Mapping[str, str] | None = None, **_: Any) -> Reply:
        """Ask for a token for msal; raises what a refusal means."""
        place = origin_of(url)
        if place is None or place not in machine_places():
            raise MisconfiguredError(
                "the address for tokens of this machine's identity is not one Azure sets", hint=_MACHINE_HINT
            )
        host = shown(place)
        status, told, body = self._send("GET", url, host, params=params, headers=headers)
        if status == 401 and "www-authenticate" in told:  # noqa: PLR2004  Azure Arc asks for a file's content first
            return Reply(status, "{}", told)
        if status in (404, 408, 410, 429) or status >= 500:  # noqa: PLR2004  "retry guidance" of the metadata service
            raise entra_errors.refusal(429, told, body, host, self._clock())
        if status != _OK or not isinstance(body, dict):
            code = f"http-{status}"
            raise MisconfiguredError(
                f"{host} gives no token for this machine's identity ({code})", hint=_MACHINE_HINT, code=code
            )
        return Reply(status, json.dumps(checked(body, host)), told)


_MACHINE_HINT = (
    "assign a managed identity to this machine or service in Azure; for a user-assigned one set managed_identity to its "
    "client id"
)
_MACHINE = "http://169.254.169.254"
_ARC = "http://localhost:40342"


def machine_places() -> set[Origin | None]:
    """Return where tokens of this machine's identity may come from."""
    named = ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "MSI_ENDPOINT")
    return {origin_of(address) for address in (_MACHINE, _ARC, *(os.environ.get(name, "") for name in named))} - {None}


def checked(body: dict[str, Any], host: str) -> dict[str, Any]:
    """Return an answer with a token that can stand in a header; raises SignInError for an odd one."""
    token, kind = body.get("access_token"), body.get("token_type", "Bearer")
    if not sound(token) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise SignInError(f"{host} gave a token that cannot be one", code="odd-token")
    try:
        lasts: dict[str, Any] = {
            name: int(body[name]) for name in ("expires_in", "expires_on", "refresh_in") if name in body
        }
    except (TypeError, ValueError, OverflowError):
        lasts = {"expires_in": _FARTHEST}
    if any(abs(value) >= _FARTHEST for value in lasts.values()):
        raise SignInError(f"{host} gave a token without a sensible end", code="odd-token")
    kept = ("resource", "scope", "client_id", "object_id", "msi_res_id", "mi_res_id", "ext_expires_in")
    return {
        "access_token": token,
        "token_type": "Bearer",
        **lasts,
        **{name: body[name] for name in kept if name in body},
    }


def sound(token: object) -> bool:
    """Whether this can be an access token (RFC 6750 2.1)."""
    if not isinstance(token, str) or not 0 < len(token) <= _LONGEST_TOKEN:
        return False
    return token.isascii() and token.isprintable() and " " not in token


def _until(end: float, pieces: Any) -> Any:
    for piece in pieces:
        if time.monotonic() > end:
            raise TimeoutError
        yield piece
