"""From the guard's memory to storage, in batches: no answer waits for the database."""

import asyncio
import contextlib

import structlog

from greenroom.storage import Storage, StorageError
from greenroom.web.policy_guard import Guard

log = structlog.get_logger(__name__)


async def keep_alarms(guard: Guard, storage: Storage, stop: asyncio.Event, *, every: float = 2.0) -> None:
    """Store the guard's incidents, every so many seconds and once more at the end, until `stop` is set.

    What cannot be stored is kept for the next time.
    """
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
        if alarms := guard.take():
            try:
                async with storage.work() as work:
                    await work.alarms.note(alarms)
            except StorageError as error:
                guard.give_back(alarms)
                log.warning("alarms.not_stored", error=type(error).__name__, alarms=len(alarms))
