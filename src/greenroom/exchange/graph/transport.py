"""The thin shell around httpx2 that sends calls to Graph: bounds everything, waits when asked, keeps the token to itself.

Redirects are not followed and links of answers only below the root of Graph, cookies are not kept, proxies and passwords of
the environment not used: an application's token opens many mailboxes, so it goes to one host and nowhere else.
"""

import asyncio
import json
import ssl
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import structlog

from greenroom.exchange.backoff import retry_after
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, SignInError, TryLaterError
from greenroom.exchange.failures import Asked, BrokenConnectionError, failure
from greenroom.exchange.graph import answers, batches
from greenroom.exchange.graph.answers import GarbledAnswerError, SkippedError, TooLongError
from greenroom.exchange.graph.bounded import TooMuchError, gathered
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.links import Root
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.exchange.trust import trusting

log = structlog.get_logger(__name__)

LONGEST_ANSWER = 16 * 1024 * 1024
LONGEST_REFUSAL = 256 * 1024
_OK = 300
_BUSY = (429, 503)
_CONNECT = 10.0
_CONNECTIONS = 24
_KEEP_ALIVE = 60.0


class GraphTransport:
    """One mailbox's way to Graph. `limits` is shared by all of one application; `http` replaces the network in tests."""

    def __init__(
        self,
        settings: GraphSettings,
        *,
        limits: Limits,
        clock: Callable[[], datetime],
        http: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._limits = limits
        self._clock = clock
        self._root = Root(settings.cloud.graph)
        # Plain http goes to this computer only: a context that trusts nobody spares loading the system's certificates.
        encrypted = http is None and self._root.origin[0] == "https"
        self._client = httpx2.AsyncClient(
            verify=trusting(settings.ca_file) if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            transport=http,
            proxy=settings.proxy if encrypted else None,  # who passes plain http on reads the token
            limits=httpx2.Limits(
                max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )
        self._renewal = asyncio.Lock()
        self._known = False
        self._closed = False

    async def call(self, call: Call) -> Answer:
        """Send one call and return its answer, always a 2xx.

        Raises RefusedError (a 4xx about the request or its item), NotPermittedError (403), SignInError (401),
        TryLaterError (throttled, out of reach), OutcomeUnknownError (a write without a whole answer), MisconfiguredError.
        """
        return await self._in_turn(call, self._root.url + call.target())

    async def follow(self, link: str, like: Call) -> Answer:
        """Get the next page or round that an answer named, with the preferences of `like`; raises like `call`.

        A link that leads anywhere but below the root of Graph is MisconfiguredError with code "foreign-link".
        """
        page = replace(like, method="GET", body=None, writes=False, sends=False)
        return await self._in_turn(page, self._root.within(link))

    async def batch(self, calls: Sequence[Call]) -> list[Answer | ExchangeError]:
        """Send calls that only read in as few requests as can be; one result for each, in order.

        What concerns one call is its result; what concerns the whole is raised like in `call`.
        """
        if any(call.writes or call.sends for call in calls):
            raise ValueError("a batch may be repeated, so it only reads")
        results: dict[int, Answer | ExchangeError] = {}
        waiting = list(range(len(calls)))
        while waiting:
            turn, waiting = waiting[: batches.MOST], waiting[batches.MOST :]
            found = await self._batch([calls[n] for n in turn])
            skipped = [n for n, result in zip(turn, found, strict=True) if isinstance(result, SkippedError)]
            results.update(zip(turn, found, strict=True))
            if len(skipped) < len(turn):  # at least the first of a chain is answered each time
                waiting = skipped + waiting
        return [results[n] for n in range(len(calls))]

    async def close(self) -> None:
        """Close every connection; what is asked afterwards is told to come later. The tokens are not ours to close."""
        self._closed = True
        await self._client.aclose()

    async def _in_turn(self, call: Call, url: str) -> Answer:
        if not all(value.isascii() and value.isprintable() for value in call.headers.values()):
            raise ItemBrokenError("a version of Exchange cannot stand in a header", code="odd-version")
        self._ready(call.mailbox)
        async with self._limits.turn({call.mailbox: 1}):
            return await self._persistent(call, url, {call.mailbox: 1})

    async def _batch(self, calls: Sequence[Call]) -> list[Answer | ExchangeError]:
        self._ready("")
        held: dict[str, ExchangeError] = {}
        for mailbox in {call.mailbox for call in calls}:
            try:
                self._limits.check(mailbox)
            except TryLaterError as error:
                held[mailbox] = error
        sent = [call for call in calls if call.mailbox not in held]
        found: list[Answer | ExchangeError] = []
        if sent:
            async with self._limits.turn(batches.lanes(sent)):
                whole = Call("Batch", "POST", "$batch", "", body=batches.written(sent, {}))
                counted = Counter(call.mailbox.lower() for call in sent)
                answer = await self._persistent(whole, f"{self._root.url}$batch", counted)
                found = batches.read(answer.body, sent, self._clock(), self._root.host)
            for call, result in zip(sent, found, strict=True):
                self._learn(call.mailbox, result)
        results = iter(found)
        return [held[call.mailbox] if call.mailbox in held else next(results) for call in calls]

    def _learn(self, mailbox: str, result: Answer | ExchangeError) -> None:
        """Heed the pause that one request of a batch was asked for."""
        if isinstance(result, TryLaterError) and not isinstance(result, (SkippedError, GarbledAnswerError)):
            if result.after is not None:
                result.after = self._limits.pause(mailbox, result.after)
        elif isinstance(result, Answer):
            self._limits.succeeded(mailbox)

    def _ready(self, mailbox: str) -> None:
        if self._closed:
            raise TryLaterError("the way to Microsoft Graph was closed", code="closed", mailbox=mailbox)
        self._limits.refusals.check()
        self._limits.check(mailbox)

    async def _persistent(self, call: Call, url: str, counted: Mapping[str, int]) -> Answer:
        """Send, and send once more what only reads and met a broken connection or answer."""
        try:
            return await self._signed(call, url, counted)
        except (BrokenConnectionError, GarbledAnswerError) as error:
            if call.writes or isinstance(error, TooLongError):
                raise
            log.info("graph.again", operation=call.operation, mailbox=call.mailbox, code=error.code)
            return await self._signed(call, url, counted)

    async def _signed(self, call: Call, url: str, counted: Mapping[str, int]) -> Answer:
        """Send with a token, and once more with another one if it was refused: a 401 says that nothing was done."""
        token = await self.settings.tokens.token()
        try:
            return await self._attempt(call, url, token, counted)
        except SignInError as error:
            log.info("graph.token-refused", operation=call.operation, mailbox=call.mailbox, code=error.code)
        token = await self._another(token)
        try:
            return await self._attempt(call, url, token, counted)
        except SignInError as error:
            if self._known and call.mailbox not in ("", self.settings.address):
                # Something odd about one organizer's mailbox must not stop all; if it is the token, our own mailbox tells.
                raise TryLaterError(str(error), code=error.code, mailbox=call.mailbox) from None
            self._limits.refusals.refused(error)
            raise

    async def _another(self, refused: str) -> str:
        async with self._renewal:
            token = await self.settings.tokens.token()
            return token if token != refused else await self.settings.tokens.token(fresh=True)

    async def _attempt(self, call: Call, url: str, token: str, counted: Mapping[str, int]) -> Answer:
        self._ready(call.mailbox)
        self._limits.count(counted, sends=call.sends)
        asked = Asked(self._root.host, call.mailbox, call.writes, known=self._known)
        began, ident = time.monotonic(), str(uuid.uuid4())
        code, status = "", 0
        try:
            response, data = await self._exchange(call, url, token, ident, asked)
            status = response.status_code
            headers = {name.lower(): value for name, value in response.headers.items()}
            answer = self._judged(status, headers, data, call, asked)
        except ExchangeError as error:
            code = error.code or type(error).__name__
            raise
        else:
            return answer
        finally:
            log.debug(
                "graph.call",
                operation=call.operation,
                mailbox=call.mailbox,
                ms=round((time.monotonic() - began) * 1000),
                status=status,
                code=code,
                request=ident,
            )

    def _judged(self, status: int, headers: Mapping[str, str], data: bytes, call: Call, asked: Asked) -> Answer:
        now = self._clock()
        try:
            answer = answers.judge(status, headers, data, now, asked)
        except TryLaterError as error:
            wait = retry_after(headers.get("retry-after"), now)
            if status in _BUSY or wait is not None:
                error.after = self._limits.pause(call.mailbox, wait)
                log.info("graph.pause", mailbox=call.mailbox, operation=call.operation, code=error.code)
            raise
        except RefusedError:
            self._known = True
            raise
        self._known = True
        self._limits.succeeded(call.mailbox)
        self._limits.refusals.accepted()
        return answer

    async def _exchange(
        self, call: Call, url: str, token: str, ident: str, asked: Asked
    ) -> tuple[httpx2.Response, bytes]:
        patience = self.settings.timeout.total_seconds()
        try:
            async with asyncio.timeout(patience):
                response = await self._client.send(self._request(call, url, token, ident), stream=True)
                try:
                    most = LONGEST_ANSWER if response.status_code < _OK else LONGEST_REFUSAL
                    encoding = response.headers.get("content-encoding", "")
                    data = await gathered(response.aiter_raw(), encoding, most)
                except TooMuchError as error:
                    if response.status_code >= _OK:  # the status says enough
                        return response, b""
                    if error.too_long:
                        raise answers.too_long(asked) from None
                    raise answers.garbled(asked, f"its answer cannot be read: {error}") from None
                finally:
                    await response.aclose()
        except (httpx2.HTTPError, TimeoutError) as error:
            raise failure(error, asked) from None
        return response, data

    def _request(self, call: Call, url: str, token: str, ident: str) -> httpx2.Request:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "Greenroom",
            **call.headers,
            "Prefer": batches.preferred(call),
            "client-request-id": ident,
            "Authorization": f"Bearer {token}",
        }
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body, ensure_ascii=False).encode("utf-8", "replace")
        timeout = httpx2.Timeout(self.settings.timeout.total_seconds(), connect=_CONNECT)
        return self._client.build_request(call.method, url, content=content, headers=headers, timeout=timeout)
