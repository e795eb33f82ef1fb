"""Signing in: the seam for every way of it, Basic and Bearer, and the guard that keeps a refused account from being locked.

An `Auth` gives an httpx2 flow for each request. Ways that belong to a connection and take several legs (NTLM, Kerberos) set
`connection_bound`: the transport then keeps each connection to itself for the whole of a request, so all legs of a flow and
the answer go over one connection, and never pools it with other identities. A flow finds the TLS channel, for its binding,
at `response.extensions["network_stream"]`.
"""

import asyncio
import hashlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx2

from greenroom.exchange.errors import MisconfiguredError, SignInError

REFUSAL_PAUSE = timedelta(minutes=15)
_LONGEST_TOKEN = 64 * 1024

TokenProvider = Callable[[], str | Awaitable[str]]


class SignInGuard:
    """Remembers that credentials were refused, and lets only one request try credentials nobody has proven yet.

    Shared by everybody who uses one `Auth`, since Exchange locks accounts, not mailboxes.
    """

    def __init__(self, pause: timedelta = REFUSAL_PAUSE) -> None:
        self._pause = pause
        self._lock = asyncio.Lock()
        self._refused: str | None = None
        self._until: datetime | None = None
        self._proven: str | None = None

    @asynccontextmanager
    async def attempt(self, mark: str, clock: Callable[[], datetime]) -> AsyncIterator[None]:
        """Enclose one request with the credentials `mark` stands for; raises SignInError while they are known as refused."""
        held = False
        self._check(mark, clock())
        if self._proven != mark:
            await self._lock.acquire()
            held = self._proven != mark
            if not held:
                self._lock.release()
        try:
            self._check(mark, clock())
            yield
        finally:
            if held:
                self._lock.release()

    def accepted(self, mark: str) -> None:
        """Note that these credentials work."""
        self._proven, self._refused = mark, None

    def refused(self, mark: str, now: datetime) -> None:
        """Note that these credentials were refused."""
        self._proven, self._refused, self._until = None, mark, now + self._pause

    def _check(self, mark: str, now: datetime) -> None:
        if self._refused == mark and self._until is not None and now < self._until:
            minutes = max(1, round((self._until - now) / timedelta(minutes=1)))
            sentence = (
                f"Exchange refused these credentials a moment ago; not tried again for {minutes} min, so that the account "
                "is not locked: correct the user name, password or token"
            )
            raise SignInError(sentence, code="refused-before")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one request signs in with. `mark` is a digest that changes when the credentials do."""

    flow: httpx2.Auth = field(repr=False)
    mark: str = field(repr=False)


class Auth(Protocol):
    """A way to sign in."""

    @property
    def connection_bound(self) -> bool:
        """Whether signing in belongs to the connection and not to the request."""
        ...

    @property
    def guard(self) -> SignInGuard:
        """The memory of refusals, one for all who use these credentials."""
        ...

    async def credentials(self) -> Credentials:
        """Return what to sign in with now; raises MisconfiguredError if it cannot be had."""
        ...


class BasicAuth:
    """User name, in the form `user@domain` or with a domain and a backslash before it, and password (RFC 7617)."""

    connection_bound = False

    def __init__(self, username: str, password: str, *, guard: SignInGuard | None = None) -> None:
        self.guard = guard or SignInGuard()
        self._credentials = Credentials(httpx2.BasicAuth(username, password), _mark("basic", username, password))

    async def credentials(self) -> Credentials:
        """Return user name and password as a flow."""
        return self._credentials


class BearerAuth:
    """An access token (RFC 6750) from a callable, which may be a coroutine function, or from a file read anew each time."""

    connection_bound = False

    def __init__(self, token: TokenProvider | Path, *, guard: SignInGuard | None = None) -> None:
        self.guard = guard or SignInGuard()
        self._token = token

    async def credentials(self) -> Credentials:
        """Return the token of now; raises MisconfiguredError for a file that cannot be read or holds no token."""
        if isinstance(self._token, Path):
            token = await asyncio.to_thread(_read_token, self._token)
        else:
            given = self._token()
            token = await given if inspect.isawaitable(given) else given
        token = token.strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise MisconfiguredError("the access token is empty or malformed", hint="look where the token comes from")
        return Credentials(_Bearer(token), _mark("bearer", token))


class _Bearer(httpx2.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _read_token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_TOKEN).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        hint = "check that the file exists, that the service may read it, and that it holds nothing but the token"
        raise MisconfiguredError(f"the token file {path} cannot be read ({type(error).__name__})", hint=hint) from None


def _mark(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
