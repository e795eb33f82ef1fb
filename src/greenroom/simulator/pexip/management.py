"""The management API over HTTP: signing in, the limit of requests, faults, and everything being counted."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.responses import Response

from greenroom.simulator.pexip.answers import Answer, Answers, Asked, address_of
from greenroom.simulator.pexip.calls import Call
from greenroom.simulator.pexip.fields import RESOURCES
from greenroom.simulator.pexip.oauth import TOKEN_PATH
from greenroom.simulator.pexip.refusals import RefusedError, bad_request
from greenroom.simulator.wire import bounded_body, cut, disconnected

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from greenroom.simulator.pexip.faults import Fault
    from greenroom.simulator.pexip.platform import Pexip

_MAX_BODY: Final = 16 * 1024 * 1024
_WINDOW: Final = timedelta(seconds=60)
_GARBAGE: Final = b"<html><head><title>Pexip Infinity</title></head><body><h1>Please wait</h1></body></html>"


class ManagementFace:
    """Answers everything under ``/api/admin/`` and ``/oauth/token/``."""

    def __init__(self, pexip: Pexip) -> None:
        self.pexip = pexip
        self.answers = Answers(pexip)
        self._recent: deque[datetime] = deque()

    async def api(self, request: Request) -> Response:
        """Answer a request to the API."""
        path = request.url.path
        query = parse_qsl(request.url.query, keep_blank_values=True)
        call = Call(self.pexip.clock(), request.method, path, "unknown", query=query)
        self.pexip.calls.begin(call)
        try:
            call.resource, call.target, call.number = address_of(path)
        except RefusedError as refused:
            call.status = refused.status
            self.pexip.calls.end()
            return _response(Answer(refused.status, refused.body, refused.headers))
        return await self._counted(request, call, self._answer)

    async def token(self, request: Request) -> Response:
        """Give out a token."""
        call = Call(self.pexip.clock(), request.method, "oauth/token", "token")
        self.pexip.calls.begin(call)
        return await self._counted(request, call, self._token)

    async def _counted(self, request: Request, call: Call, work: Any) -> Response:
        try:
            return await self._struck(request, call, work)
        finally:
            self.pexip.calls.end()

    async def _struck(self, request: Request, call: Call, work: Any) -> Response:
        rule = self.pexip.faults.strike(call.method, call.resource, call.target)
        call.fault = rule.kind if rule else None
        if rule is not None and rule.before:
            await bounded_body(request, _MAX_BODY)
            return await self._instead(request, call, rule)
        if rule is not None and rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        try:
            answer = await work(request, call)
        except RefusedError as refused:
            answer = Answer(refused.status, refused.body, refused.headers)
        call.status = answer.status
        if rule is None or rule.kind == "slow":
            return _response(answer)
        if rule.status is not None or rule.kind == "timeout_after_commit":
            return await self._instead(request, call, rule)
        return _spoilt(rule.kind, answer)

    async def _instead(self, request: Request, call: Call, rule: Fault) -> Response:
        if rule.status is None:
            await _hang(request.receive, rule.seconds)
            return _Cut(b"")
        call.status = rule.status
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        body: Any = rule.body
        if body is None and rule.fields:
            body = {RESOURCES[call.resource].name if call.resource in RESOURCES else call.resource: rule.fields}
        if body is None:
            body = {429: "Too many requests", 503: "Service Unavailable"}.get(rule.status, f"Error {rule.status}")
        return _response(Answer(rule.status, body, headers))

    def _limited(self) -> None:
        now = self.pexip.clock()
        while self._recent and self._recent[0] <= now - _WINDOW:
            self._recent.popleft()
        if len(self._recent) >= self.pexip.options.requests_per_minute:
            headers = {}
            if self.pexip.options.retry_after and self._recent:
                wait = (self._recent[0] + _WINDOW - now).total_seconds()
                headers["Retry-After"] = str(max(1, -int(-wait // 1)))
            raise RefusedError(429, "Too many requests", headers)
        self._recent.append(now)

    async def _answer(self, request: Request, call: Call) -> Answer:
        body = await bounded_body(request, _MAX_BODY)
        self._limited()
        call.who, read_only = self.pexip.sign_in.who(request.headers.get("Authorization"))
        if read_only and request.method != "GET":
            raise RefusedError(403, {"error": "You do not have permission to perform this action."})
        if request.method in ("POST", "PUT", "PATCH"):
            call.payload = _json(request, body)
        host = f"{request.url.scheme}://{request.url.netloc}"
        asked = Asked(
            request.method, request.url.path, call.resource, call.target, call.number, call.query, call.payload, host
        )
        with self.pexip.store.lock:
            return self.answers.answer(asked)

    async def _token(self, request: Request, call: Call) -> Answer:
        if request.method != "POST":
            raise RefusedError(405, None, {"Allow": "POST"})
        body = await bounded_body(request, 65_536)
        form = dict(parse_qsl((body or b"").decode("latin-1")))
        call.who = form.get("client_id")
        asked = f"{request.url.scheme}://{request.url.netloc}{TOKEN_PATH}"
        return Answer(200, self.pexip.sign_in.issue(form, asked))


def _json(request: Request, body: bytes | None) -> Any:
    if body is None:
        raise RefusedError(413, "Request Entity Too Large")
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise bad_request(f"The format indicated '{kind}' had no available deserialization method.")
    try:
        return json.loads(body)
    except ValueError:
        raise bad_request("Request is not valid JSON.") from None


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(b"", answer.status, answer.headers, media_type="text/html")
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, answer.headers, media_type="text/plain")
    return Response(_dumped(answer.body), answer.status, answer.headers, media_type="application/json")


def _dumped(body: Any) -> bytes:
    return json.dumps(body).encode()


def _spoilt(kind: str, answer: Answer) -> Response:
    if kind == "garbage":
        return Response(_GARBAGE, 200, media_type="text/html")
    whole = _response(answer)
    if kind == "half_page" and isinstance(answer.body, dict) and "objects" in answer.body:
        objects = answer.body["objects"][: len(answer.body["objects"]) // 2]
        meta = {**answer.body["meta"], "next": None}
        return _response(Answer(answer.status, {"meta": meta, "objects": objects}, answer.headers))
    body = bytes(whole.body)
    if kind == "truncated":
        return Response(body[: len(body) // 2], answer.status, answer.headers, media_type="application/json")
    if kind == "cut_body":
        return _Cut(body, answer.status)
    return whole


class _Cut(Response):
    """A connection that breaks: in the middle of the body, or before any answer when there is no body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the base names it
        if self.body:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            half = bytes(self.body[: len(self.body) // 2])
            await send({"type": "http.response.body", "body": half, "more_body": True})
        await cut(scope)


async def _hang(receive: Receive, seconds: float) -> None:
    try:
        await asyncio.wait_for(disconnected(receive), seconds)
    except TimeoutError:
        return
