"""What a provider publishes, kept in memory: fetched once for all who wait, again when old or when something in it is missing.

Whoever sends unknown keys' names has it fetched at most once a minute. While the provider cannot be reached, what is kept
counts on, for a day: people cannot get new tokens then either, and the old ones last for some hours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from greenroom.web.identity.contract import IdentityUnavailableError

T = TypeVar("T")

log = structlog.get_logger(__name__)

FRESH = timedelta(hours=1)
"""So long nothing is fetched; for as long again it is fetched while the old still counts, then before anything counts."""

STALE = timedelta(hours=24)
AGAIN = timedelta(minutes=1)
"""The least between two fetches that somebody's unknown key causes."""

AFTER_FAILURE = timedelta(seconds=15)


class Kept(Generic[T]):
    """One document. `fetch` raises IdentityUnavailableError; `name` is for the log. `clock` gives aware UTC times."""

    def __init__(self, name: str, fetch: Callable[[], Awaitable[T]], clock: Callable[[], datetime]) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._value: T | None = None
        self._fetched: datetime | None = None
        self._failed: datetime | None = None
        self._renewed: datetime | None = None
        self._code = ""
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def get(self) -> T:
        """Return what is kept, fetched if need be. Raises IdentityUnavailableError."""
        now = self._clock()
        if _within(self._fetched, FRESH, now):
            return self._held(now)
        if not _within(self._failed, AFTER_FAILURE, now):
            task = self._running()
            if not _within(self._fetched, 2 * FRESH, now):
                await asyncio.shield(task)
        return self._held(now)

    async def renewed(self) -> T:
        """Return it fetched anew, because something is missing in it; or as it is, if that was done within the last minute.

        Raises IdentityUnavailableError also if what is kept could not be fetched anew: what is missing may be there.
        """
        now = self._clock()
        if self._task is not None or not _within(self._renewed, AGAIN, now):
            if self._task is None:
                self._renewed = now
            await asyncio.shield(self._running())
        if self._failed is not None:
            raise self._unavailable()
        return self._held(now)

    async def close(self) -> None:
        """End what is being fetched; whoever waits for it is told to come later."""
        self._closed, self._code = True, "closed"
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _held(self, now: datetime) -> T:
        if self._value is None or self._closed or not _within(self._fetched, STALE, now):
            raise self._unavailable()
        return self._value

    def _unavailable(self) -> IdentityUnavailableError:
        return IdentityUnavailableError(self._code or "not-fetched", AFTER_FAILURE)

    def _running(self) -> "asyncio.Task[None]":
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._fetching())
        return self._task

    async def _fetching(self) -> None:
        try:
            if self._closed:
                return
            self._value = await self._fetch()
        except IdentityUnavailableError as error:
            self._fail(str(error))
        except asyncio.CancelledError:
            if not self._closed:
                raise
        except Exception as error:  # noqa: BLE001  those who wait must get an answer: it is told, and the old counts on
            log.error("identity.fetch-failed", document=self._name, error=type(error).__name__)  # noqa: TRY400  values of strangers stand in tracebacks
            self._fail("unreadable")
        else:
            self._fetched, self._failed, self._code = self._clock(), None, ""
            log.info("identity.fetched", document=self._name)
        finally:
            self._task = None

    def _fail(self, code: str) -> None:
        self._failed, self._code = self._clock(), code
        log.warning("identity.unavailable", document=self._name, code=code, kept=self._value is not None)


def _within(since: datetime | None, span: timedelta, now: datetime) -> bool:
    return since is not None and abs(now - since) < span  # a clock that was set back must not hold anything for years
