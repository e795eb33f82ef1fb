"""The EWS face: `POST /EWS/Exchange.asmx` over a store, with counted calls and faults that can be switched on.

What Exchange does at this door and what is done here: Basic and Bearer sign-in, ExchangeImpersonation, the affinity cookie,
SOAP faults with HTTP 500, response messages with HTTP 200, chunked streaming. All of it runs in one asyncio loop, as the
store does.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from greenroom.simulator import rights, transport
from greenroom.simulator.auth import SignIn
from greenroom.simulator.ews import envelope
from greenroom.simulator.ews.call import Call, identify
from greenroom.simulator.ews.errors import EwsError, SoapFault
from greenroom.simulator.ews.names import m
from greenroom.simulator.ews.notifications import read_stream_request, stream_error
from greenroom.simulator.ews.operations import OPERATIONS, STREAMING, perform
from greenroom.simulator.ews.soap import MAX_REQUEST_BYTES, SoapRequest, parse_request
from greenroom.simulator.streaming import StreamCut, Streams
from greenroom.simulator.wire import SPOILED, bounded_body, cut, disconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree
    from starlette.types import Receive, Scope, Send

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.faults import FaultRule, Faults

EWS_PATH: Final = "/EWS/Exchange.asmx"
AFFINITY_COOKIE: Final = "X-BackEndOverrideCookie"
_XML: Final = "text/xml; charset=utf-8"

log = structlog.get_logger(__name__)


class EwsFace:
    """The face itself: holds who may do what beyond the store's own rights, what is counted, what goes wrong.

    ``access`` opens mailboxes to logins that are neither their owners nor impersonating them (full access).
    ``check_request`` may judge the operation element of each request; a text it returns becomes ErrorSchemaValidation.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        faults: Faults,
        counters: Counters,
        lock_after: int | None = None,
        keep_alive_seconds: float = 45.0,
        minute: float = 60.0,
        check_request: Callable[[etree._Element], str | None] | None = None,
    ) -> None:
        self.exchange = exchange
        self.faults = faults
        self.counters = counters
        self.sign_in = SignIn(exchange, counters, lock_after)
        self.streams = Streams(faults, keep_alive_seconds=keep_alive_seconds, minute=minute)
        self.access: dict[str, set[str]] = {}
        self._check_request = check_request
        self._stopping = asyncio.Event()

    def grant_access(self, login: str, address: str) -> None:
        """Open a mailbox to a login, as full access or an editor's rights do."""
        self.access.setdefault(login.casefold(), set()).add(self.exchange.mailbox(address).address)

    def close(self) -> None:
        """End open streams and hanging answers, so that a server can stop."""
        self._stopping.set()
        self.streams.close()

    async def pause(self, seconds: float) -> None:
        """Wait as a fault demands, but no longer than the server runs."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        request = Request(scope, receive)
        if request.method != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        try:
            body = await bounded_body(request, MAX_REQUEST_BYTES)
        except ClientDisconnect:
            return
        headers = self._headers(request)
        account = self.sign_in.proven(scope) or self.sign_in.check(request.headers.get("Authorization"))
        if account is None:
            await self.unauthorized(headers)(scope, receive, send)
            return
        if body is None:
            await Response(status_code=413, headers=headers)(scope, receive, send)
            return
        call: Call | None = None
        transport.release(self.exchange.site)
        try:
            soap = parse_request(body)
            call = identify(self.exchange, account, soap.impersonate, self.access)
            self._count(call, soap, request)
            if self._closed(call, request):
                await Response(status_code=403, headers=headers)(scope, receive, send)
                return
            self._judge(soap)
            if soap.operation == STREAMING:
                await self._stream(_Exchanged(self, call, soap, headers), scope, receive, send)
            else:
                await self._plain(_Exchanged(self, call, soap, headers), scope, receive, send)
        except SoapFault as error:
            self.counters.code(error.code)
            log.info("simulator_soap_fault", code=error.code)
            await Response(envelope.fault(error), 500, headers, _XML)(scope, receive, send)

    def unauthorized(self, headers: Mapping[str, str]) -> Response:
        """The 401 that tells which ways to sign in there are."""
        response = Response(status_code=401, headers=dict(headers))
        for way in self.sign_in.offered():
            response.headers.append("WWW-Authenticate", way)
        return response

    def _closed(self, call: Call, request: Request) -> bool:
        """Whether EWS is switched off for whom a request speaks for: Exchange answers 403 then, without a word."""
        agent = request.headers.get("User-Agent", "")
        return rights.ews_closed(self.exchange.site, call.account, call.acting, agent=agent)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Date": format_datetime(self.exchange.clock(), usegmt=True),
            "Server": "Microsoft-IIS/10.0",
            "request-id": str(uuid.uuid4()),
            "X-BEServer": "SIM-BE-1",
            "X-FEServer": "SIM-FE-1",
        }
        if request.headers.get("X-PreferServerAffinity", "").lower() == "true":
            headers["Set-Cookie"] = f"{AFFINITY_COOKIE}=SIM-BE-1~1; path=/EWS; HttpOnly"
        else:
            headers["Set-Cookie"] = f"exchangecookie={uuid.uuid4().hex}; path=/; HttpOnly"
        return headers

    def _count(self, call: Call, soap: SoapRequest, request: Request) -> None:
        mailbox = call.acting or "-"
        operation = soap.operation if soap.operation in OPERATIONS or soap.operation == STREAMING else "unknown"
        self.counters.call(operation, mailbox=mailbox, account=call.account.login, at=self.exchange.clock())
        anchor = request.headers.get("X-AnchorMailbox")
        if anchor is None and not call.impersonated:
            return
        named = self.exchange.find_mailbox(anchor) if anchor else None
        if named is None or named.address != call.acting:
            self.counters.anchor_mismatch(mailbox)

    def _judge(self, soap: SoapRequest) -> None:
        complaint = self._check_request(soap.body) if self._check_request is not None else None
        if complaint is not None:
            raise SoapFault("ErrorSchemaValidation", f"The request failed schema validation: {complaint}")

    async def _plain(self, exchanged: _Exchanged, scope: Scope, receive: Receive, send: Send) -> None:
        mailbox = exchanged.call.acting or "-"
        self.counters.begin(mailbox)
        try:
            response = await exchanged.answer()
        finally:
            self.counters.end(mailbox)
            for code in exchanged.call.codes:
                self.counters.code(code)
        if response is None:
            await cut(scope)
            return
        if exchanged.rule is not None and exchanged.rule.kind in ("truncated_reply", "garbage_reply"):
            scope[SPOILED] = True
        await response(scope, receive, send)

    async def _stream(self, exchanged: _Exchanged, scope: Scope, receive: Receive, send: Send) -> None:
        early = await exchanged.before()
        if early is not None or exchanged.dropped:
            if early is None:
                await cut(scope)
            else:
                await early(scope, receive, send)
            return
        ids, minutes = read_stream_request(exchanged.soap)
        headers = [(b"content-type", _XML.encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in exchanged.headers.items()]
        gone = asyncio.ensure_future(disconnected(receive))
        parts = self.streams.run(exchanged.call, ids, minutes)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while True:
                part = asyncio.ensure_future(anext(parts))
                await asyncio.wait({part, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not part.done():
                    part.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await part
                    return
                try:
                    data = part.result()
                except StopAsyncIteration:
                    break
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except StreamCut:
            self.counters.fault("drop_stream")
            await cut(scope)
        finally:
            gone.cancel()
            await parts.aclose()


class _Exchanged:
    """One authenticated request and the faults that strike it."""

    def __init__(self, face: EwsFace, call: Call, soap: SoapRequest, headers: dict[str, str]) -> None:
        self.face = face
        self.call = call
        self.soap = soap
        self.headers = headers
        self.dropped = False
        self.rule: FaultRule | None = None

    async def before(self) -> Response | None:  # noqa: C901 - one case for each kind of fault
        """Let a fault strike before the work; a response ends the request, `dropped` ends it without one."""
        has_state = self.soap.body.find(m("SyncState")) is not None
        rule = self.rule = self.face.faults.strike(self.soap.operation, self.call.acting, sync_state=has_state)
        if rule is None:
            return None
        self.face.counters.fault(rule.kind)
        log.info("simulator_fault", kind=rule.kind, operation=self.soap.operation)
        retry_after = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        match rule.kind:
            case "http_429":
                return Response(status_code=429, headers={"Retry-After": "1"} | self.headers | retry_after)
            case "http_503" | "http_504":
                return Response(status_code=int(rule.kind[-3:]), headers=self.headers | retry_after)
            case "unauthorized":
                return self.face.unauthorized(self.headers)
            case "server_busy" if not rule.nested or self.soap.operation == STREAMING:
                raise SoapFault("ErrorServerBusy", values={"BackOffMilliseconds": str(rule.back_off_ms)})
            case "server_busy":
                self.call.refuse = EwsError("ErrorServerBusy", values={"BackOffMilliseconds": str(rule.back_off_ms)})
            case "access_denied" if self.soap.operation == STREAMING:
                return Response(stream_error("ErrorAccessDenied", ()), 200, self.headers, _XML)
            case "access_denied":
                self.call.refuse = EwsError("ErrorAccessDenied")
            case "expired_sync_state":
                self.call.expire_sync = True
            case "slow":
                await self.face.pause(rule.seconds)
            case "timeout_before":
                await self.face.pause(rule.seconds)
                self.dropped = True
        return None

    async def answer(self) -> Response | None:
        """Do the work; None means that the connection is to be closed without an answer."""
        early = await self.before()
        if early is not None or self.dropped:
            return early
        data = envelope.envelope(perform(self.call, self.soap))
        kind = self.rule.kind if self.rule is not None else None
        if kind == "timeout_after_commit" and self.rule is not None:
            await self.face.pause(self.rule.seconds)
            return None
        if kind == "truncated_reply":
            data = data[: len(data) // 2]
        elif kind == "garbage_reply":
            data = b"<html><body>It works!</body>\x00\xff"
        return Response(data, 200, self.headers, _XML)
