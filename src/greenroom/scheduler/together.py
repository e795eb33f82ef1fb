"""Reservations that are asked for at the same time share a transaction: beginning and ending one costs more than what is in it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from greenroom.meetings.reserving import NotPossibleError
from greenroom.storage import Reservation, Work

_MOST = 50
_PATIENCE = 10.0
_AGAIN = timedelta(seconds=2)

_Answer = asyncio.Future[bool | NotPossibleError]


class Together:
    """Stores new reservations. Who comes while a transaction is under way waits for the next one, with all others who came.

    `most` is how many of one person may be waiting for their invitation.
    """

    def __init__(self, work: Callable[[], AbstractAsyncContextManager[Work]], most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Reservation, datetime, _Answer]] = []
        self._storing: asyncio.Task[None] | None = None

    async def add(self, one: Reservation, now: datetime) -> bool:
        """Return whether the reservation was stored (see `Asked.add_new`). Raises NotPossibleError."""
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._waiting.append((one, now, answer))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store())
        try:
            async with asyncio.timeout(_PATIENCE):
                stored = await answer
        except TimeoutError:
            raise NotPossibleError("database-busy", _AGAIN) from None
        if isinstance(stored, NotPossibleError):
            raise NotPossibleError(stored.code, stored.after)
        return stored

    async def _store(self) -> None:
        try:
            while self._waiting:
                now, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._store_these([one for one in now if not one[2].done()])
        finally:
            self._storing = None

    async def _store_these(self, asked: list[tuple[Reservation, datetime, _Answer]]) -> None:
        try:
            async with self._work() as work:
                # Turns are taken in order, so that two processes never wait for each other.
                for integration, person in sorted({(one.integration, one.asked_by or "") for one, _, _ in asked}):
                    await work.asked.take_turn(integration, person)
                stored: list[bool | NotPossibleError] = [
                    await work.asked.add_new(one, now, self._most) for one, now, _ in asked
                ]
        except NotPossibleError as error:
            stored = [error] * len(asked)
        except Exception as error:  # noqa: BLE001 (whoever asked is told, and logs it)
            for _, _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, _, answer), result in zip(asked, stored, strict=True):
            if not answer.done():
                answer.set_result(result)
