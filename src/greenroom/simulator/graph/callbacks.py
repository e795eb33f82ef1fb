"""Calls from Graph to a subscriber's web addresses: the handshake, and notifications with their repetitions.

Whoever knows an application of the simulated world may name an address, so nothing is sent but to this computer.

Sources: Graph "Receive change notifications through webhooks" (validation within 10 seconds, 2xx or repetition with growing
pauses for up to 4 hours).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import httpx2
import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from datetime import datetime

VALIDATION_SECONDS: Final = 10.0
POST_SECONDS: Final = 30.0
REPEAT_FOR: Final = timedelta(hours=4)
LONGEST_PAUSE: Final = 60.0
MAX_WAITING: Final = 200
_MAX_ANSWER: Final = 4096
_MAX_URL: Final = 2048
_OK: Final = 200

log = structlog.get_logger(__name__)


def usable(url: str) -> bool:
    """Whether Graph would post to an address: https, or (here only) http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not url.isascii() or not url.isprintable():
        return False
    if not host or len(url) > _MAX_URL or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Callbacks:
    """Posts. `repeat_seconds` is the first pause before a repetition; it doubles up to a minute."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]],
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.repeat_seconds = 1.0
        self._clock = clock
        self._pause = pause
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._repeating = 0

    async def validate(self, url: str) -> bool:
        """Do the handshake with an address: it must give back the token as plain text with 200, within 10 seconds."""
        if not self._is_here(url):
            return False
        token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid.uuid4()}"
        token += f" {secrets.token_hex(8)}"
        full = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token, safe='')}"
        try:
            async with asyncio.timeout(VALIDATION_SECONDS):
                kind = {"Content-Type": "text/plain; charset=utf-8"}
                async with self._opened().stream("POST", full, headers=kind) as reply:
                    given = b""
                    async for part in reply.aiter_bytes():
                        given += part
                        if len(given) > _MAX_ANSWER:
                            return False
        except (TimeoutError, httpx2.HTTPError):
            return False
        is_text = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/plain"
        return reply.status_code == _OK and is_text and given == token.encode()

    async def post(self, url: str, body: Any) -> bool:
        """Post once; whether it was taken (2xx). What is answered besides is not read."""
        if not self._is_here(url):
            return False
        kind = {"Content-Type": "application/json"}
        try:
            async with self._opened().stream("POST", url, content=json.dumps(body).encode(), headers=kind) as reply:
                return reply.is_success
        except httpx2.HTTPError as error:
            log.info("simulator_notification_failed", error=type(error).__name__)
            return False

    def repeat(self, url: str, body: Any, wanted: Callable[[], bool]) -> bool:
        """Post again and again until it is taken, is not wanted any more, or 4 hours have passed.

        False when too many wait already.
        """
        if self._repeating >= MAX_WAITING:
            return False
        self._repeating += 1
        task = self.spawn(self._repeat(url, body, wanted))
        task.add_done_callback(self._no_more_repeating)
        return True

    def _no_more_repeating(self, _: asyncio.Task[None]) -> None:
        self._repeating -= 1

    async def _repeat(self, url: str, body: Any, wanted: Callable[[], bool]) -> None:
        wait, began = self.repeat_seconds, self._clock()
        while True:
            await self._pause(wait)
            if self._closed or not wanted() or self._clock() - began > REPEAT_FOR:
                return
            if await self.post(url, body):
                return
            wait = min(wait * 2, LONGEST_PAUSE)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something until it ends or everything is closed."""
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def soon(self, work: Callable[[], None]) -> None:
        """Do something in the loop of the face, from whatever thread this is called."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._loop.call_soon_threadsafe(work)

    def _is_here(self, url: str) -> bool:
        """Whether an address is on this computer, or a test stands in for the network."""
        return self._transport is not None or _loopback(urlsplit(url).hostname or "")

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                transport=self._transport, timeout=POST_SECONDS, follow_redirects=False, trust_env=False
            )
        return self._client

    def close(self) -> None:
        """End everything that runs (in the loop of the face)."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._client is not None and self._loop is not None and self._loop.is_running():
            closing = self._loop.create_task(self._client.aclose())
            self._tasks.add(closing)
            closing.add_done_callback(self._tasks.discard)
