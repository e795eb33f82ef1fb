"""Signing in: the seam for every way of it, Basic and Bearer, and the guard that keeps a refused account from being locked.

An `Auth` gives an httpx2 flow for each request. Ways that belong to a connection and take several legs (NTLM, Kerberos) set
`connection_bound`: the transport then keeps each connection to itself for the whole of a request, so all legs of a flow and
the answer go over one connection, and never pools it with other identities. A flow finds the TLS channel, for its binding,
at `response.extensions["network_stream"]`.
"""

import asyncio
import hashlib
import inspect
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx2

from greenroom.exchange.errors import MisconfiguredError, SignInError

REFUSAL_PAUSE = timedelta(minutes=15)
UNTRIED = frozenset({"not-offered", "no-challenge", "bad-challenge"})
"""Codes of a SignInError before which no credentials were tried: no account comes nearer to being locked."""
_LONGEST_TOKEN = 64 * 1024
_MOST_TRIALS = 100
_LONGEST_PAUSE = timedelta(hours=6)
_MOST_COUNTED = 10

TokenProvider = Callable[[], str | Awaitable[str]]


class SignInGuard:
    """Remembers which credentials were refused, and lets only one request try credentials nobody has proven yet.

    Shared by all who may use one account, since Exchange locks accounts, not mailboxes. Credentials that work say nothing
    of others: each set is remembered on its own. Refused again, they wait ever longer: an unlocked account is found by
    itself one day, and a few tries a day lock none.
    """

    def __init__(self, pause: timedelta = REFUSAL_PAUSE) -> None:
        self._pause = pause
        self._trials: OrderedDict[str, _Trial] = OrderedDict()

    @asynccontextmanager
    async def attempt(self, mark: str, clock: Callable[[], datetime]) -> AsyncIterator[None]:
        """Enclose one request with the credentials `mark` stands for; raises SignInError while they are known as refused."""
        trial = self._trial(mark, clock())
        held = False
        trial.check(clock())
        if not trial.proven:
            await trial.lock.acquire()
            held = not trial.proven
            if not held:
                trial.lock.release()
        try:
            trial.check(clock())
            yield
        finally:
            if held:
                trial.lock.release()

    def accepted(self, mark: str) -> None:
        """Note that these credentials work."""
        if trial := self._trials.get(mark):
            trial.proven, trial.until, trial.refusals = True, None, 0

    def refused(self, mark: str, now: datetime) -> None:
        """Note that these credentials were refused."""
        trial = self._trial(mark, now)
        trial.proven, trial.until = False, now + min(self._pause * 4**trial.refusals, _LONGEST_PAUSE)
        trial.refusals = min(trial.refusals + 1, _MOST_COUNTED)

    def _trial(self, mark: str, now: datetime) -> "_Trial":
        trial = self._trials.setdefault(mark, _Trial())
        self._trials.move_to_end(mark)
        if len(self._trials) > _MOST_TRIALS:  # tokens are renewed every hour or so
            idle = (
                m for m, t in self._trials.items() if t is not trial and not t.lock.locked() and not t.is_refused(now)
            )
            if (oldest := next(idle, None)) is not None:
                del self._trials[oldest]
        return trial


@dataclass(slots=True)
class _Trial:
    """What is known of one set of credentials: whether they work, or until when they are not tried again."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    proven: bool = False
    until: datetime | None = None
    refusals: int = 0

    def is_refused(self, now: datetime) -> bool:
        # Longer than the longest if the clock was set back meanwhile.
        return self.until is not None and now < self.until <= now + _LONGEST_PAUSE

    def check(self, now: datetime) -> None:
        if self.until is not None and self.is_refused(now):
            minutes = max(1, round((self.until - now) / timedelta(minutes=1)))
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
        self._credentials = Credentials(httpx2.BasicAuth(username, password), mark_of("basic", username, password))

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
        return Credentials(_Bearer(token), mark_of("bearer", token))


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


def mark_of(*parts: str) -> str:
    """Return the digest by which a set of credentials is remembered; nobody finds them from it."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
