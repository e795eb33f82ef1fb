"""The one way out to providers: bounded in time and size, to the address given and nowhere else.

Redirects are not followed, cookies not kept, proxies and passwords of the environment not used. Every failure is
IdentityUnavailableError with a code: "unreachable", "timeout", "tls", "ca-file", "redirected", "status-<n>", "too-long",
"compressed", "unreadable", "address", "closed".
"""

import asyncio
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import httpx2

from greenroom.outside import causes_of, parse_json
from greenroom.web.identity.contract import IdentityUnavailableError

PATIENCE = 5.0
"""How long an answer may take, from the first to the last byte, in seconds."""

LONGEST = 512 * 1024
_CONNECTIONS = 8
_KEEP_ALIVE = 4.0
_OK, _REDIRECTS, _REFUSALS = 200, range(300, 400), range(400, 500)
_HTTPS, _HTTP = 443, 80
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Greenroom"}


class Fetcher:
    """Fetches JSON from one provider. `ca_file` is trusted besides the system's; `http` replaces the network in tests."""

    def __init__(
        self, ca_file: Path | None, *, proxy: str | None = None, http: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._ca_file = ca_file
        self._proxy = proxy
        self._http = http
        self._clients: dict[bool, httpx2.AsyncClient] = {}
        self._closed = False

    async def get(self, url: str) -> Any:
        """Return the document at an address; raises IdentityUnavailableError."""
        status, document = await self._sent("GET", url, None)
        if status != _OK:
            raise IdentityUnavailableError(f"status-{status}")
        return document

    async def post(self, url: str, form: Mapping[str, str]) -> tuple[int, Any]:
        """Post a form; returns the status (200 or 4xx) and the document. Raises IdentityUnavailableError."""
        return await self._sent("POST", url, urlencode(form).encode("ascii"))

    async def close(self) -> None:
        """Close connections."""
        self._closed = True
        for client in self._clients.values():
            await client.aclose()

    async def _sent(self, method: str, url: str, content: bytes | None) -> tuple[int, Any]:
        code = ""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._answer(method, url, content)
        except TimeoutError:
            code = "timeout"
        except httpx2.HTTPError as error:
            code = _code(error)
        except (httpx2.InvalidURL, UnicodeError):
            code = "address"
        raise IdentityUnavailableError(code)  # apart from its cause, which may hold what was sent

    async def _answer(self, method: str, url: str, content: bytes | None) -> tuple[int, Any]:
        headers = dict(_HEADERS)
        if content is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        client = await self._client(encrypted=urlsplit(url).scheme == "https")
        async with client.stream(method, url, content=content, headers=headers) as response:
            status = response.status_code
            if status in _REDIRECTS:
                raise IdentityUnavailableError("redirected")
            if status != _OK and (content is None or status not in _REFUSALS):
                raise IdentityUnavailableError(f"status-{status}")
            if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
                raise IdentityUnavailableError("compressed")
            data = bytearray()
            async for piece in response.aiter_bytes():  # nothing is unpacked: see above
                data += piece
                if len(data) > LONGEST:
                    raise IdentityUnavailableError("too-long")
        return status, _parsed(bytes(data))

    async def _client(self, *, encrypted: bool) -> httpx2.AsyncClient:
        """Return a client, made with the first request: nothing wrong in the settings stops the service from starting."""
        real = encrypted and self._http is None
        trust: ssl.SSLContext | None = None
        if (
            real and encrypted not in self._clients
        ):  # loading the system's certificates takes long: nobody else waits for it
            trust = await asyncio.to_thread(_trusting, self._ca_file)
        if self._closed:
            raise IdentityUnavailableError("closed")
        if encrypted not in self._clients:
            self._clients[encrypted] = httpx2.AsyncClient(
                # Plain http goes to this computer only: a context that trusts nobody is enough.
                verify=trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                transport=self._http,
                proxy=self._proxy if real else None,
                timeout=httpx2.Timeout(PATIENCE),
                limits=httpx2.Limits(
                    max_connections=_CONNECTIONS,
                    max_keepalive_connections=_CONNECTIONS,
                    keepalive_expiry=_KEEP_ALIVE,
                ),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
            )
        return self._clients[encrypted]


def same_host(address: Any, known: str) -> str | None:
    """Return an address that a provider names if it is on the host of the one we `know`, and as well encrypted; else None."""
    parts, ours = _parts(address), _parts(known)
    if parts is None or ours is None or parts.scheme not in {"https", ours.scheme}:
        return None
    return str(address) if parts.hostname == ours.hostname else None


def for_browsers(address: Any, known: str) -> str | None:
    """Return an address that a provider names for browsers to open: any https one, and http where `known` is."""
    parts, ours = _parts(address), _parts(known)
    if parts is None or ours is None or parts.fragment:
        return None
    return str(address) if parts.scheme == "https" or (same_host(address, known) is not None) else None


def _parts(address: Any) -> SplitResult | None:
    if not isinstance(address, str) or len(address) > 2_048 or not address.isascii():  # noqa: PLR2004  as long as any
        return None
    if not address.isprintable() or " " in address or "\\" in address:
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in {"https", "http"} and parts.hostname and "@" not in parts.netloc else None


def same_address(one: str, other: str) -> bool:
    """Whether two addresses mean the same: exactly, but for the letter case of the host and a default port written or not."""
    return one == other or (_plain(one) is not None and _plain(one) == _plain(other))


def _plain(address: str) -> tuple[object, ...] | None:
    parts = _parts(address)
    if parts is None:
        return None
    port = parts.port or (_HTTPS if parts.scheme == "https" else _HTTP)
    return parts.scheme, parts.hostname, port, parts.path, parts.query, parts.fragment


def _parsed(data: bytes) -> Any:
    document: Any = None
    try:
        document = parse_json(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise IdentityUnavailableError("unreadable")
    return document


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            raise IdentityUnavailableError("ca-file") from None
    return context


def _code(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "timeout"
    if any(isinstance(cause, ssl.SSLError) for cause in causes_of(error)):
        return "tls"
    return "address" if isinstance(error, httpx2.UnsupportedProtocol) else "unreachable"
