"""The door of the external policy server: `GET /policy/v1/...`, by which a platform asks us at call time.

Every join of the platform waits for this, so it is plain ASGI: nothing is looked up but in memory, nothing is written, nobody is
redirected, and of what was asked nothing comes back or is logged but marks and verdicts. What to answer is the desk's business
(`greenroom.platforms.policy`), here is who may ask, and how often somebody may guess.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import unquote_plus

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from greenroom.platforms.policy import PolicyAnswer, PolicyDesk, PolicyRequest, PolicyVerdict
from greenroom.web.policy_callers import Callers, PolicyCaller, address_of, credential_in
from greenroom.web.policy_guard import Guard

PREFIX = "/policy/"
"""Where the front leads to the door."""

_BASE = "/policy/v1/"
_LONGEST_QUERY = 8 * 1024
_LONGEST_PATH = 1_024
_MOST_PARAMETERS = 128
_LOUD = frozenset({PolicyVerdict.ROOM, PolicyVerdict.CLOSED, PolicyVerdict.UNKNOWN})
_HEADERS = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_CLOSE = (b"connection", b"close")  # what else was sent is not waited for
_CHALLENGE = (b"www-authenticate", b'Basic realm="Greenroom policy", charset="UTF-8"')
_RETRY = (b"retry-after", b"60")

Header = tuple[bytes, bytes]


class _TurnedAwayError(Exception):
    """A request that does not reach the desk, with the status that says why."""

    def __init__(self, status: int, *headers: Header) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


def policy_app(
    desk: PolicyDesk,
    callers: Sequence[PolicyCaller],
    guard: Guard,
    clock: Callable[[], datetime],
    *,
    certified: bool = False,
) -> ASGIApp:
    """Make the application that answers `/policy/v1/...` and nothing else.

    `certified` says that its listener admits nobody without a client certificate: callers that need one count only there. Share
    the guard between all listeners. `clock` gives aware UTC times.
    """
    return _Door(desk, Callers(callers, certified=certified), guard, clock)


class PolicyFront:
    """ASGI middleware that leads `/policy/...` to the door, past everything that pages need."""

    def __init__(self, app: ASGIApp, *, policy: ASGIApp) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._policy(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Door:
    def __init__(self, desk: PolicyDesk, callers: Callers, guard: Guard, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._callers = callers
        self._guard = guard
        self._clock = clock
        self._log = structlog.get_logger(__name__).bind()
        self._complained: dict[str, datetime] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("the policy server speaks HTTP only")
        more: tuple[Header, ...] = ()
        try:
            answer = await self._answer(scope)
            status, body = answer.status, answer.body
        except _TurnedAwayError as error:
            status, body, more = error.status, _failure(error.status), error.headers
        headers = [*_HEADERS, (b"content-length", b"%d" % len(body)), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope) -> PolicyAnswer:
        """Answer a request. Raises _TurnedAwayError."""
        now = self._clock()
        authorization = _looked_over(scope)
        client = scope.get("client")
        address = client[0] if client else ""
        integrations = self._admitted(authorization, address, now)
        path: str = scope["path"]
        if not path.startswith(_BASE):
            raise _TurnedAwayError(404)
        request = PolicyRequest(path[len(_BASE) :], _Parameters(scope["query_string"]), integrations, address)
        try:
            return await self._told(request, now)
        except (
            Exception
        ) as error:  # the desk promises not to raise: if it does, the platform must still have an answer in time
            self._log.error("policy.desk_failed", error=type(error).__name__)
            raise _TurnedAwayError(500) from error

    def _admitted(self, authorization: list[bytes], address: str, now: datetime) -> frozenset[int]:
        """Return the integrations of whoever asks. Raises _TurnedAwayError (401, 403, 429)."""
        came_from = address_of(address)
        if not self._callers.may_come(came_from):
            self._complain("policy.address_refused", address, now)
            raise _TurnedAwayError(403)
        if not authorization:
            raise _TurnedAwayError(401, _CHALLENGE)
        credential = credential_in(authorization[0]) if len(authorization) == 1 else b""
        if self._guard.is_shut(address, credential, now):
            raise _TurnedAwayError(429, _RETRY)
        integrations = self._callers.opened_by(credential, came_from)
        if not integrations:
            self._guard.mistaken(address, credential, now)
            self._complain("policy.credential_refused", address, now)
            raise _TurnedAwayError(401, _CHALLENGE)
        self._guard.proved(address, credential)
        return integrations

    async def _told(self, request: PolicyRequest, now: datetime) -> PolicyAnswer:
        """Ask the desk, unless whoever dials has guessed too often."""
        if self._guard.turns_away:
            refused = self._desk.refusal(request)
            about_ours = refused.verdict not in {PolicyVerdict.FOREIGN, PolicyVerdict.ELSE}
            if about_ours and self._guard.is_barred(*_who(refused, request), now):
                return refused
        answer = await self._desk.answer(request, now)
        if answer.verdict is PolicyVerdict.UNKNOWN:
            asking = request.integrations
            integration = answer.integration or (next(iter(asking)) if len(asking) == 1 else 0)
            alias = request.parameters.get("local_alias", "")
            self._guard.guessed(*_who(answer, request), alias, integration, now)
        if answer.verdict in _LOUD:
            self._log.debug(
                "policy.answered", verdict=answer.verdict.value, integration=answer.integration, mark=answer.mark
            )
        return answer

    def _complain(self, event: str, address: str, now: datetime) -> None:
        """Log what an administrator has set wrong, or a stranger tries, once a minute."""
        last = self._complained.get(event)
        if last is None or abs(now - last) >= _MINUTE:
            self._complained[event] = now
            self._log.warning(event, address=address)


_MINUTE = timedelta(minutes=1)


def _who(answer: PolicyAnswer, request: PolicyRequest) -> tuple[str, str]:
    """Say who dials, and from where: as the desk reads it, else as the platform said."""
    return (
        answer.caller or request.parameters.get("remote_alias", ""),
        answer.caller_address or request.parameters.get("remote_address", ""),
    )


def _looked_over(scope: Scope) -> list[bytes]:
    """Return what is said to authorize a request. Raises _TurnedAwayError for what no node sends (400, 405, 414)."""
    authorization = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization.append(value)
        elif name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            raise _TurnedAwayError(400, _CLOSE)
    if scope["method"] not in {"GET", "HEAD"}:
        raise _TurnedAwayError(405, (b"allow", b"GET, HEAD"), _CLOSE)
    if len(scope["query_string"]) > _LONGEST_QUERY or len(scope["path"]) > _LONGEST_PATH:
        raise _TurnedAwayError(414, _CLOSE)
    return authorization


class _Parameters(Mapping[str, str]):
    """A query, of which only what is asked for is decoded; of a name that comes twice the first one counts."""

    __slots__ = ("_raw",)

    def __init__(self, query: bytes) -> None:
        self._raw: dict[str, str] = {}
        parts = query.decode("ascii", "replace").split("&", _MOST_PARAMETERS)
        if len(parts) > _MOST_PARAMETERS:
            raise _TurnedAwayError(400)
        for part in parts:
            name, _, value = part.partition("=")
            if name:
                self._raw.setdefault(_decoded(name), value)

    def __getitem__(self, name: str) -> str:
        return _decoded(self._raw[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def _failure(status: int) -> bytes:
    """Say nothing but that there is no answer: the platform falls back to what it has itself."""
    return b'{"status": "failure", "code": %d}' % status
