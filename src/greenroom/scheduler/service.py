"""The running service: every mailbox is looked at by push where it works, and by polling always.

```
 poll (15 s) ─┐
 push ────────┼──▶ queue "attend" by integration ──▶ Attendant.attend
 start ───────┘        at most one running and one waiting each
 every minute ────▶ queue "close"  ──▶ close_windows
```

Push only shortens the wait. When it ends or fails it is begun again after a pause, and nobody needs to notice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Clock, Step, no_step
from greenroom.scheduler.claim import Claim
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.queue.contract import Queue
from greenroom.scheduler.windows import close_windows
from greenroom.storage import Storage

log = structlog.get_logger(__name__)

_PUSH_PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)
_CLOSE_EVERY = 60.0
_GRACE = timedelta(seconds=10)
_REFUSED_PAUSE = timedelta(minutes=15)


class Service:
    """Attends all integrations until it is stopped. `poll` gives the seconds between polls by integration name."""

    def __init__(
        self,
        integrations: Sequence[Integration],
        storage: Storage,
        queue: Queue,
        clock: Clock,
        *,
        poll: Mapping[str, float],
        push: Mapping[str, bool],
        step: Step = no_step,
    ) -> None:
        self._integrations = {integration.name: integration for integration in integrations}
        self._attendants = {i.name: Attendant(i, storage, clock, step=step) for i in integrations}
        self._claims = {i.name: Claim(storage, i.mailbox.address, clock) for i in integrations}
        self._storage = storage
        self._queue = queue
        self._clock = clock
        self._poll = poll
        self._push = push
        queue.register("attend", self._attend)
        queue.register("close", self._close)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then let what runs come to an end and give the mailboxes free."""
        running = asyncio.create_task(self._queue.run())
        loops = [asyncio.create_task(self._poll_loop(name)) for name in self._integrations]
        loops += [asyncio.create_task(self._close_loop(name)) for name in self._integrations]
        loops += [
            asyncio.create_task(self._push_loop(name)) for name in self._integrations if self._push.get(name, True)
        ]
        waiting = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([waiting, running, *loops], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a loop ends only by a bug: let it be seen
        finally:
            for task in (waiting, *loops):
                task.cancel()
            await asyncio.gather(waiting, *loops, return_exceptions=True)
            await self._queue.stop(_GRACE)
            with suppress(asyncio.CancelledError):
                await running
            for claim in self._claims.values():
                await claim.release()

    async def look(self, name: str) -> None:
        """Ask for a pass over one integration's mailbox, as a notification does."""
        await self._queue.submit("attend", name)

    async def _attend(self, name: str) -> None:
        holder = await self._claims[name].hold()
        if holder is not None:
            log.warning("another process attends this mailbox", integration=name, holder=holder)
            return
        address = self._integrations[name].mailbox.address
        try:
            await self._attendants[name].attend()
        except TryLaterError as error:
            log.info("mailbox busy or out of reach", mailbox=address, code=error.code)
            if error.after is not None:
                await self._queue.submit("attend", name, not_before=self._clock() + error.after)
        except SignInError as error:
            log.error(  # noqa: TRY400 (an expected fault; its traceback tells nothing)
                "sign-in refused; not repeated by itself", mailbox=address, code=error.code
            )
        except MisconfiguredError as error:
            log.error(  # noqa: TRY400 (an expected fault; its traceback tells nothing)
                "settings are wrong", mailbox=address, code=error.code, hint=error.hint
            )
        except ExchangeError as error:
            log.error(  # noqa: TRY400 (an expected fault; its traceback tells nothing)
                "mailbox cannot be attended", mailbox=address, code=error.code, error=type(error).__name__
            )

    async def _close(self, name: str) -> None:
        await close_windows(self._integrations[name], self._storage, self._clock)

    async def _poll_loop(self, name: str) -> None:
        while True:
            await self._queue.submit("attend", name)
            await asyncio.sleep(self._poll.get(name, 15.0))

    async def _close_loop(self, name: str) -> None:
        while True:
            await asyncio.sleep(_CLOSE_EVERY)
            await self._queue.submit("close", name)

    async def _push_loop(self, name: str) -> None:
        mailbox, failures = self._integrations[name].mailbox, 0
        while True:
            try:
                async for _ in mailbox.wakeups():
                    failures = 0
                    await self._queue.submit("attend", name, priority=1)
            except ExchangeError as error:
                log.info("push ended", mailbox=mailbox.address, code=error.code)
                if isinstance(error, SignInError | MisconfiguredError):
                    await asyncio.sleep(_REFUSED_PAUSE.total_seconds())
            await asyncio.sleep(_PUSH_PAUSES[min(failures, len(_PUSH_PAUSES) - 1)])
            failures += 1
