"""The way of one Graph request: found, counted, throttled, struck by faults, judged, answered.

Requests over HTTP and requests inside a batch go the same way.
"""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import structlog

from greenroom.simulator import ids, transport
from greenroom.simulator.errors import (
    InvalidSyncState,
    IrresolvableConflict,
    NoSuchFolder,
    NoSuchItem,
    NoSuchMailbox,
    StoreError,
)
from greenroom.simulator.graph.asking import preferences
from greenroom.simulator.graph.call import App, GraphCall, GraphError, GraphReply, Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.faults import FaultRule, Faults
    from greenroom.simulator.graph.asking import Asked
    from greenroom.simulator.graph.matching import Router
    from greenroom.simulator.graph.throttle import Throttle

UNKNOWN: Final = "unknown"
_STATUSES: Final[tuple[tuple[type[StoreError], int], ...]] = (
    (NoSuchItem, 404),
    (NoSuchFolder, 404),
    (NoSuchMailbox, 404),
    (InvalidSyncState, 410),
    (IrresolvableConflict, 412),
)

log = structlog.get_logger(__name__)


class GraphJudge(Protocol):
    """A referee of everything that is asked and answered; tests have one."""

    def request(self, operation: str, body: Any) -> str | None:
        """What is wrong with a request's body, None if nothing; a complaint becomes 400 BadRequest."""
        ...

    def reply(self, operation: str, status: int, body: Any) -> None:
        """See an answer before it leaves."""
        ...

    def notification(self, body: Any) -> None:
        """See a notification before it is posted."""
        ...


@dataclass(slots=True)
class Answered:
    """An answer, and how a fault spoilt its delivery, if one did."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    spoilt: Literal["cut", "truncated", "garbage"] | None = None


class Dispatcher:
    """Answers requests of applications that signed in."""

    def __init__(
        self,
        exchange: Exchange,
        router: Router,
        *,
        faults: Faults,
        counters: Counters,
        throttle: Throttle,
        pause: Callable[[float], Awaitable[None]],
        judge: GraphJudge | None = None,
    ) -> None:
        self.exchange = exchange
        self.faults = faults
        self.counters = counters
        self.throttle = throttle
        self.judge = judge
        self.pause = pause
        self.latency = 0.0
        """Seconds every answer takes at least, while the request is in flight."""
        self._router = router

    async def perform(self, app: App, asked: Asked, about: Mapping[str, str]) -> Answered:
        """Answer one request; ``about`` goes into the innerError of a refusal (date and ids)."""
        transport.release(self.exchange.site)
        operation = UNKNOWN
        try:
            try:
                route, values = self._router.match(asked.method, asked.path)
            except GraphError:
                self.counters.call(UNKNOWN, mailbox="-", account=app.client_id, at=self.exchange.clock())
                raise
            operation = route.operation
            answered = await self._counted(app, asked, route, values)
        except GraphError as error:
            self.counters.code(error.code)
            body = {"error": {"code": error.code, "message": error.message, "innerError": dict(about)}}
            answered = Answered(error.status, body, dict(error.headers))
        self.counters.status(answered.status)
        if self.judge is not None and answered.spoilt is None:
            self.judge.reply(operation, answered.status, json.loads(json.dumps(answered.body)))
        return answered

    async def _counted(self, app: App, asked: Asked, route: Route, values: Mapping[str, str]) -> Answered:
        mailbox = self._named(values.get("user"))
        self.counters.call(route.operation, mailbox=mailbox or "-", account=app.client_id, at=self.exchange.clock())
        if mailbox is None and "user" not in values:
            return await self._struck(app, asked, route, values, "")
        self.counters.begin(mailbox or "-")
        try:
            with self.throttle.request(app.client_id, mailbox or values["user"]):
                self.admit(app, values["user"])
                return await self._struck(app, asked, route, values, mailbox or "")
        finally:
            self.counters.end(mailbox or "-")

    async def _struck(self, app: App, asked: Asked, route: Route, values: Mapping[str, str], mailbox: str) -> Answered:
        await self.pause(self.latency)
        options = asked.options()
        rule = self.faults.strike(
            route.operation, mailbox, sync_state="$deltatoken" in options or "$skiptoken" in options
        )
        if rule is not None:
            self.counters.fault(rule.kind)
            log.info("simulator_fault", kind=rule.kind, operation=route.operation)
            await strike(rule, self.pause)
            if rule.kind == "timeout_before":
                return Answered(504, spoilt="cut")
        prefer, applied = preferences(asked.headers.get("prefer", ""))
        body = asked.json()
        complaint = self.judge.request(route.operation, body) if self.judge is not None else None
        if complaint is not None:
            raise GraphError(400, "BadRequest", f"The request does not fit the schema: {complaint}")
        call = GraphCall(self.exchange, app, mailbox, values, options, asked.headers, body, asked.base, prefer)
        reply = await self._work(route, call)
        answered = Answered(reply.status, reply.body, dict(reply.headers))
        if applied:
            answered.headers.setdefault("Preference-Applied", applied)
        if rule is not None and rule.kind == "timeout_after_commit":
            await self.pause(rule.seconds)
            answered.spoilt = "cut"
        elif rule is not None and rule.kind in ("truncated_reply", "garbage_reply"):
            answered.spoilt = "truncated" if rule.kind == "truncated_reply" else "garbage"
        return answered

    async def _work(self, route: Route, call: GraphCall) -> GraphReply:
        site = self.exchange.site
        try:
            sends = route.sends is not None and route.sends(call)
            due = self.throttle.message(call.mailbox) if sends else None
            site.hold_until = due
            reply = route.answer(call)
        except StoreError as error:
            raise _refused(error) from None
        finally:
            site.hold_until = None
        if inspect.isawaitable(reply):
            reply = await reply
        if sends and reply.status < 400:  # noqa: PLR2004 - the first status that is an error
            self.throttle.sent(call.mailbox, due)
        return reply

    def _named(self, user: str | None) -> str | None:
        """The primary address of a user: an address, an alias or the id."""
        if user is None:
            return None
        known = self.exchange.find_mailbox(user)
        if known is not None:
            return known.address
        return next((one.address for one in self.exchange.mailboxes() if ids.mailbox_guid(one.address) == user), None)

    def admit(self, app: App, user: str) -> str:
        """Check that an application may open a mailbox; returns its primary address. Raises GraphError."""
        address = self._named(user)
        if address is None:
            raise GraphError(404, "ErrorInvalidUser", f"The requested user '{user[:200]}' is invalid.")
        if self.exchange.mailbox(address).home == "on-premises":
            text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise GraphError(404, "MailboxNotEnabledForRESTAPI", text)
        if app.scope is not None and address not in app.scope:
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return address


async def strike(rule: FaultRule, pause: Callable[[float], Awaitable[None]]) -> None:
    """Do what a fault does before the work. Raises GraphError for those that answer instead of Graph."""
    after = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    match rule.kind:
        case "http_429":
            text = "Application is over its MailboxConcurrency limit."
            raise GraphError(429, "ApplicationThrottled", text, {"Retry-After": "1"} | after)
        case "http_503":
            raise GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.", after)
        case "http_504":
            raise GraphError(504, "GatewayTimeout", "The request timed out.", after)
        case "server_busy":
            wait = {"Retry-After": str(max(1, math.ceil(rule.back_off_ms / 1000)))}
            raise GraphError(503, "ErrorServerBusy", "The server is too busy to process the request.", wait | after)
        case "unauthorized":
            raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure.")
        case "access_denied":
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        case "expired_sync_state":
            text = "The sync state generation is not found; the delta token is no longer valid."
            raise GraphError(410, "SyncStateNotFound", text)
        case "slow" | "timeout_before":
            await pause(rule.seconds)
        case _:
            pass


def _refused(error: StoreError) -> GraphError:
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    code = "SyncStateNotFound" if isinstance(error, InvalidSyncState) else error.code
    return GraphError(status, code, str(error))
