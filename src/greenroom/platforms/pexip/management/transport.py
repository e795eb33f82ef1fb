"""The thin shell around httpx2 that sends calls to a Management Node: waits for its turn, bounds everything, signs in.

Redirects are not followed, cookies not kept, proxies and passwords of the environment not used: the credential changes every
room, so it goes to one node and nowhere else.
"""

import asyncio
import base64
import ssl
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlencode

import httpx2
import structlog

from greenroom.platforms.errors import PlatformError, PlatformMisconfiguredError, PlatformSignInError
from greenroom.platforms.pexip.management import addresses, answers, assertion
from greenroom.platforms.pexip.management.answers import Asked
from greenroom.platforms.pexip.management.bounded import TooMuchError, gathered
from greenroom.platforms.pexip.management.call import Answer, Call
from greenroom.platforms.pexip.management.errors import (
    BrokenConnectionError,
    CodedUnavailableError,
    GarbledAnswerError,
)
from greenroom.platforms.pexip.management.failures import failure
from greenroom.platforms.pexip.management.limits import NodeLimits
from greenroom.platforms.pexip.management.settings import Basic, ManagementSettings, OAuth2

log = structlog.get_logger(__name__)

LONGEST_ANSWER = 32 * 1024 * 1024
LONGEST_REFUSAL = 256 * 1024
_OK = 300
_CONNECT = 10.0
_KEEP_ALIVE = 4.0
"""Shorter than web servers commonly wait: a connection that closes under a change leaves its outcome unknown."""

_Raw = tuple[int, dict[str, str], bytes]


class Transport:
    """One integration's way to its node; `lane` is its name in the budget. `http` replaces the network in tests."""

    def __init__(
        self,
        settings: ManagementSettings,
        limits: NodeLimits,
        lane: str,
        clock: Callable[[], datetime],
        http: httpx2.AsyncBaseTransport | None,
    ) -> None:
        self._settings, self._limits, self._lane, self._clock, self._http = settings, limits, lane, clock, http
        self._mark = settings.credential.mark
        self._opened: tuple[addresses.Root, httpx2.AsyncClient] | None = None
        self._token: assertion.Token | None = None
        self._renewal = asyncio.Lock()
        self._closed = False
        self.known = False

    @property
    def root(self) -> addresses.Root:
        """The root of the node; raises PlatformMisconfiguredError for an address that cannot be one."""
        return addresses.root(self._settings.url)

    async def send(self, call: Call, *, bulk: bool) -> Answer:
        """Send one call in its turn and return its answer, always a 2xx; what only reads is sent again if a connection breaks.

        Raises NothingThereError and what `answers` and `failures` say.
        """
        try:
            return await self._in_turn(call, bulk=bulk)
        except (BrokenConnectionError, GarbledAnswerError) as error:
            if call.writes:
                raise
            log.info("pexip.again", operation=call.operation, lane=self._lane, code=error.code)
        return await self._in_turn(call, bulk=bulk)

    async def close(self) -> None:
        """Close connections; what is asked afterwards is told to come later."""
        self._closed = True
        if self._opened is not None:
            await self._opened[1].aclose()

    async def _in_turn(self, call: Call, *, bulk: bool) -> Answer:
        client = self._open()
        guard, budget = self._limits.guard, self._limits.budget
        async with guard.attempt(self._mark), budget.turn(self._lane, bulk=bulk):
            try:
                answer = await self._signed(client, call)
            except PlatformSignInError as error:
                log.warning("pexip.sign-in-refused", lane=self._lane, code=error.code)
                guard.refused(self._mark)
                raise
            guard.accepted(self._mark)
        budget.succeeded()
        return answer

    async def _signed(self, client: httpx2.AsyncClient, call: Call) -> Answer:
        """Send, and where tokens are used send once more with another if the first is refused: a 401 says nothing was done."""
        credential = self._settings.credential
        if isinstance(credential, Basic):
            pair = f"{credential.username}:{credential.password}".encode("utf-8", "replace")
            return await self._attempt(client, call, f"Basic {base64.b64encode(pair).decode('ascii')}")
        token = await self._fresh_token(client, credential, None)
        try:
            return await self._attempt(client, call, f"Bearer {token.value}")
        except PlatformSignInError as error:
            log.info("pexip.token-refused", lane=self._lane, operation=call.operation, code=error.code)
        token = await self._fresh_token(client, credential, token)
        self._limits.budget.charge()
        return await self._attempt(client, call, f"Bearer {token.value}")

    async def _fresh_token(
        self, client: httpx2.AsyncClient, credential: OAuth2, refused: assertion.Token | None
    ) -> assertion.Token:
        async with self._renewal:
            now = self._clock()
            if self._token is not None and self._token is not refused and now < self._token.renew_at:
                return self._token
            place = addresses.endpoint(credential.token_url or f"{self.root.url}{addresses.TOKEN}", "token_url")
            key = assertion.private_key(credential.private_key_pem)
            signed = assertion.assertion(credential, key, credential.audience or place.url, now, uuid.uuid4().hex)
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            content = urlencode(assertion.form(credential, signed)).encode("ascii")
            self._limits.budget.charge()
            request = self._request(client, "POST", place.url, headers, content)
            raw = await self._exchange(client, request, place.host, writes=False)
            try:
                self._token = assertion.token_of(*raw, now)
            except CodedUnavailableError as error:
                self._heed(error, raw[0])
                raise
            return self._token

    async def _attempt(self, client: httpx2.AsyncClient, call: Call, authorization: str) -> Answer:
        began, status, code = time.monotonic(), 0, ""
        root = self.root
        headers = {"Authorization": authorization}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            request = self._request(client, call.method, f"{root.url}{call.target}", headers, call.content)
            raw = await self._exchange(client, request, root.host, writes=call.writes)
            status = raw[0]
            answer = answers.judge(*raw, Asked(call.writes, self.known), self._clock())
        except PlatformError as error:
            code = str(error)
            if isinstance(error, CodedUnavailableError):
                self._heed(error, status)
            raise
        finally:
            log.debug(
                "pexip.call",
                operation=call.operation,
                lane=self._lane,
                ms=round((time.monotonic() - began) * 1000),
                status=status,
                code=code,
            )
        return answer

    def _heed(self, error: CodedUnavailableError, status: int) -> None:
        """Leave the node alone where it asks for that."""
        if status in answers.BUSY:
            error.after = self._limits.budget.pause(error.after)
            log.info("pexip.pause", lane=self._lane, status=status, seconds=error.after.total_seconds())

    async def _exchange(self, client: httpx2.AsyncClient, request: httpx2.Request, host: str, *, writes: bool) -> _Raw:
        if self._closed:  # while this waited for its turn
            raise CodedUnavailableError("closed")
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                response = await client.send(request, stream=True)
                try:
                    most = LONGEST_ANSWER if response.status_code < _OK else LONGEST_REFUSAL
                    data = await gathered(response.aiter_raw(), response.headers.get("content-encoding", ""), most)
                except TooMuchError as error:
                    if response.status_code < _OK:
                        raise _unreadable(error, writes=writes) from None
                    data = b""  # the status says enough
                finally:
                    await response.aclose()
        except (httpx2.HTTPError, TimeoutError) as error:
            raise failure(error, host, writes=writes) from None
        return response.status_code, {name.lower(): value for name, value in response.headers.items()}, data

    def _request(
        self, client: httpx2.AsyncClient, method: str, url: str, headers: dict[str, str], content: bytes | None
    ) -> httpx2.Request:
        common = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "Greenroom"}
        timeout = httpx2.Timeout(self._settings.timeout.total_seconds(), connect=_CONNECT)
        return client.build_request(method, url, content=content, headers={**common, **headers}, timeout=timeout)

    def _open(self) -> httpx2.AsyncClient:
        """Return the client, made with the first request: nothing wrong in the settings stops the service from starting."""
        if self._closed:
            raise CodedUnavailableError("closed")
        if self._opened is None:
            root = self.root
            credential = self._settings.credential
            elsewhere = isinstance(credential, OAuth2) and credential.token_url is not None
            encrypted = self._http is None and (root.encrypted or elsewhere)
            client = httpx2.AsyncClient(
                verify=self._trust() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                transport=self._http,
                proxy=self._settings.proxy if encrypted else None,
                limits=httpx2.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=_KEEP_ALIVE),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
            )
            self._opened = root, client
        return self._opened[1]

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.ca_file is not None:
            try:
                context.load_verify_locations(self._settings.ca_file)
            except (OSError, ssl.SSLError):
                hint = (
                    "ca_file must be a readable PEM file with the certificate of the authority that signed the node's"
                )
                raise PlatformMisconfiguredError("ca-file", hint=hint) from None
        return context


def _unreadable(error: TooMuchError, *, writes: bool) -> PlatformError:
    if writes or not error.too_long:
        return answers.garbled(Asked(writes))
    return CodedUnavailableError("too-long")  # asking for the same again would not help
