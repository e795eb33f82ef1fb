"""The thin shell around httpx2: sends envelopes, bounds everything, waits when asked, and remembers a refused sign-in.

Every request carries `X-AnchorMailbox` equal to the mailbox spoken for ("How to maintain affinity..."). Redirects are not
followed, cookies not kept (one mailbox's affinity must not lead another's requests), proxies of the environment not used.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import structlog

from greenroom.exchange.backoff import BackOff, retry_after
from greenroom.exchange.errors import ExchangeError, SignInError, TryLaterError
from greenroom.exchange.ews import answers, envelope
from greenroom.exchange.ews.affinity import Affinity
from greenroom.exchange.ews.auth import UNTRIED, Credentials
from greenroom.exchange.ews.envelope import Call, Envelope
from greenroom.exchange.ews.faults import GarbledReplyError, error_for
from greenroom.exchange.ews.settings import EwsSettings
from greenroom.exchange.failures import Asked, BrokenConnectionError, failure, unknown

log = structlog.get_logger(__name__)

LONGEST_REPLY = 32 * 1024 * 1024
_LONGEST_REFUSAL = 256 * 1024
_HEARTBEAT = timedelta(minutes=2)
_KEEP_ALIVE = 30.0
_BUSY_CODE = "ErrorServerBusy"


class EwsTransport:
    """One Exchange, one identity. `http` replaces the network in tests."""

    def __init__(
        self, settings: EwsSettings, *, clock: Callable[[], datetime], http: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.settings = settings
        self.version: str | None = None
        self._clock = clock
        self._http = http
        # Plain http goes to this computer only: a context that trusts nobody spares loading the system's certificates.
        encrypted = http is None and httpx2.URL(settings.url).scheme == "https"
        self._tls = settings.tls() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._back_off = BackOff()
        bound = settings.auth.connection_bound
        # A lane is a client that one request owns at a time; for connection-bound sign-in it holds exactly one connection.
        lanes = (
            [self._client(1) for _ in range(settings.in_flight)] if bound else [self._client(settings.in_flight + 2)]
        )
        self._clients = lanes
        self._lanes = list(lanes) if bound else lanes * settings.in_flight
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._closed = False

    async def call(self, call: Call, mailbox: str, *, affinity: Affinity | None = None) -> Envelope:
        """Send one operation as `mailbox` and return its answer; raises ExchangeError for a fault or no whole answer.

        An operation that only reads is sent once more after a broken connection or an unreadable answer, one that writes never.
        """
        self._ready(mailbox)
        async with self._slots:
            self._ready(mailbox)
            lane = self._lanes.pop()
            try:
                try:
                    return await self._attempt(lane, call, mailbox, affinity)
                except (BrokenConnectionError, GarbledReplyError) as error:
                    if call.writes:
                        raise
                    log.info("ews.again", operation=call.operation, mailbox=mailbox, code=error.code)
                    return await self._attempt(lane, call, mailbox, affinity)
            finally:
                self._lanes.append(lane)

    @asynccontextmanager
    async def stream(self, call: Call, mailbox: str, affinity: Affinity) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an answer that goes on for minutes, and yield its bytes as they come; raises like `call`."""
        self._ready(mailbox)
        own = self._client(1) if self.settings.auth.connection_bound else None
        asked = self._asked(mailbox, writes=False)
        credentials = await self.settings.auth.credentials()
        response: httpx2.Response | None = None
        try:
            async with self.settings.auth.guard.attempt(credentials.mark, self._clock):
                try:
                    request = self._request(call, mailbox, affinity, _HEARTBEAT)
                    client = own or self._clients[0]
                    response = await client.send(request, auth=credentials.flow, stream=True)
                    if response.status_code != answers.OK:
                        data = await _bounded(response, _LONGEST_REFUSAL, asked)
                        self._checked(response, data, call, mailbox, asked)
                        raise GarbledReplyError("an answer instead of a stream", code="no-stream", mailbox=mailbox)
                    self.settings.auth.guard.accepted(credentials.mark)
                except httpx2.HTTPError as error:
                    raise failure(error, asked) from None
                except SignInError as error:
                    self._note(error, credentials)
                    raise
            yield _told(response.aiter_raw(), asked)
        finally:
            if response is not None:
                await response.aclose()
            if own is not None:
                await own.aclose()

    async def close(self) -> None:
        """Close every connection; what is asked afterwards is told to come later."""
        self._closed = True
        for client in self._clients:
            await client.aclose()

    def _ready(self, mailbox: str) -> None:
        if self._closed:
            raise TryLaterError("the way to Exchange was closed", code="closed", mailbox=mailbox)
        self._back_off.check(mailbox, self._clock())

    async def _attempt(self, lane: httpx2.AsyncClient, call: Call, mailbox: str, affinity: Affinity | None) -> Envelope:
        asked = self._asked(mailbox, writes=call.writes)
        credentials = await self.settings.auth.credentials()
        guard = self.settings.auth.guard
        began = time.monotonic()
        code, status = "NoError", 0
        try:
            async with guard.attempt(credentials.mark, self._clock):
                try:
                    response, data = await self._exchange(lane, call, affinity, credentials=credentials, asked=asked)
                except SignInError as error:
                    self._note(error, credentials)
                    raise
                status = response.status_code
                try:
                    found = self._checked(response, data, call, mailbox, asked)
                except SignInError as error:
                    if error.code in ("http-401", answers.OTHER_WAYS):
                        guard.refused(credentials.mark, self._clock())
                    raise
                guard.accepted(credentials.mark)
        except ExchangeError as error:
            code = error.code or type(error).__name__
            raise
        else:
            code = next((m.code for m in found.messages if m.problem), code)
            return found
        finally:
            log.debug(
                "ews.call",
                operation=call.operation,
                mailbox=mailbox,
                ms=round((time.monotonic() - began) * 1000),
                status=status,
                code=code,
            )

    def _note(self, error: SignInError, credentials: Credentials) -> None:
        """Remember a refusal, unless the credentials did not come into play."""
        if error.code not in UNTRIED:
            self.settings.auth.guard.refused(credentials.mark, self._clock())

    async def _exchange(
        self,
        lane: httpx2.AsyncClient,
        call: Call,
        affinity: Affinity | None,
        *,
        credentials: Credentials,
        asked: Asked,
    ) -> tuple[httpx2.Response, bytes]:
        try:
            async with asyncio.timeout(self.settings.timeout.total_seconds()):
                request = self._request(call, asked.mailbox, affinity, self.settings.timeout)
                response = await lane.send(request, auth=credentials.flow, stream=True)
                try:
                    data = await _bounded(response, LONGEST_REPLY, asked)
                finally:
                    await response.aclose()
        except (httpx2.HTTPError, TimeoutError) as error:
            raise failure(error, asked) from None
        if affinity is not None:
            affinity.learn(response.headers.get_list("set-cookie"))
        return response, data

    def _checked(self, response: httpx2.Response, data: bytes, call: Call, mailbox: str, asked: Asked) -> Envelope:
        now = self._clock()
        wait = retry_after(response.headers.get("retry-after"), now)
        try:
            found = answers.judge(response.status_code, data, wait, asked)
        except SignInError as error:
            offer, sent = (
                response.headers.get_list("www-authenticate"),
                response.request.headers.get("authorization", ""),
            )
            raise answers.with_offer(error, offer, asked, sent.partition(" ")[0]) from None
        except TryLaterError as error:
            if error.code in ("http-429", "http-503"):
                error.after = self._back_off.wait(mailbox, now, wait)
            raise
        self.version = found.version or self.version
        codes = {m.code for m in found.messages} | ({found.fault.code} if found.fault else set())
        if found.back_off is not None or _BUSY_CODE in codes:
            rest = self._back_off.wait(mailbox, now, found.back_off)
            log.info("ews.back-off", mailbox=mailbox, operation=call.operation, seconds=rest.total_seconds())
        else:
            self._back_off.succeeded(mailbox)
        if found.fault is not None:
            raise error_for(found.fault, mailbox=mailbox, writing=call.writes)
        return found

    def _request(self, call: Call, mailbox: str, affinity: Affinity | None, patience: timedelta) -> httpx2.Request:
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "Accept": "text/xml",
            "Accept-Encoding": "identity",
            "User-Agent": "Greenroom",
            "X-AnchorMailbox": mailbox,
        }
        if affinity is not None:
            headers |= affinity.headers()
        content = envelope.write(call, mailbox, impersonate=self.settings.impersonate)
        seconds = patience.total_seconds()
        limits = httpx2.Timeout(seconds, connect=self.settings.connect_timeout.total_seconds())
        return self._clients[0].build_request(
            "POST", self.settings.url, content=content, headers=headers, timeout=limits
        )

    def _asked(self, mailbox: str, *, writes: bool) -> Asked:
        return Asked(self.settings.host, mailbox, writes, known=self.version is not None)

    def _client(self, connections: int) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=self._tls,
            transport=self._http,
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEP_ALIVE
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )


async def _bounded(response: httpx2.Response, most: int, asked: Asked) -> bytes:
    """Read a whole body, but no more than `most` bytes, and only as it was sent (no compression bombs)."""
    why = ""
    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        why = "it is compressed though we did not ask for that"
    parts, size = [], 0
    if not why:
        async for part in response.aiter_raw():
            size += len(part)
            if size > most:
                why = "it is too long"
                break
            parts.append(part)
    if not why:
        return b"".join(parts)
    if asked.writes:
        raise unknown(asked, f"its answer cannot be read: {why}", "too-long")
    raise GarbledReplyError(f"the answer of {asked.host} cannot be read: {why}", code="too-long", mailbox=asked.mailbox)


async def _told(parts: AsyncIterator[bytes], asked: Asked) -> AsyncIterator[bytes]:
    try:
        async for part in parts:
            yield part
    except httpx2.HTTPError as error:
        raise failure(error, asked) from None
