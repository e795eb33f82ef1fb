"""Reading many items in few requests, where one bad item may cost the whole answer: halves, until it stands alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from greenroom.exchange.errors import ExchangeError, ItemBrokenError, TryLaterError
from greenroom.exchange.ews.faults import GarbledReplyError, RefusedRequestError, broken, is_about_content
from greenroom.exchange.ews.items import BATCH

log = structlog.get_logger(__name__)

Found = TypeVar("Found")
Ask = Callable[[list[str]], Awaitable[list[Found | ExchangeError]]]
"""Asks for items by id in one request: one entry per id, in order."""


@dataclass(frozen=True, slots=True)
class _Garbled:
    """An item whose answer alone could not be read."""

    error: GarbledReplyError


class Narrowing(Generic[Found]):
    """Asks for items of one mailbox by id; whole requests that fail are cut in halves until the item to blame stands alone.

    Where none can be read the call fails, unless `raises` is false: then that, too, is told item by item.
    """

    def __init__(self, ask: Ask[Found], mailbox: str, *, raises: bool = True, batch: int = BATCH) -> None:
        self._ask = ask
        self._mailbox = mailbox
        self._raises = raises
        self._size = batch

    async def get(self, ids: Sequence[str]) -> dict[str, Found | ExchangeError]:
        """Return what is known of each. Raises what concerns the whole call."""
        unique = list(dict.fromkeys(ids))
        batches = [unique[at : at + self._size] for at in range(0, len(unique), self._size)]
        answers = await asyncio.gather(*(self._batch(batch) for batch in batches), return_exceptions=True)
        merged: dict[str, Found | ExchangeError | _Garbled] = {}
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            merged |= answer
        return _weighed(merged, raises=self._raises)

    async def _batch(self, ids: list[str]) -> dict[str, Found | ExchangeError | _Garbled]:
        try:
            return dict(zip(ids, await self._ask(ids), strict=True))
        except (RefusedRequestError, GarbledReplyError) as error:
            if len(ids) > 1:
                log.info("ews.read.narrowed", mailbox=self._mailbox, items=len(ids), code=error.code)
                half = len(ids) // 2
                return await self._batch(ids[:half]) | await self._batch(ids[half:])
            return {ids[0]: _alone(error)}


def _alone(error: RefusedRequestError | GarbledReplyError) -> ExchangeError | _Garbled:
    if isinstance(error, GarbledReplyError):
        return _Garbled(error)
    return broken(error) if is_about_content(error) else error


def _weighed(merged: dict[str, Found | ExchangeError | _Garbled], *, raises: bool) -> dict[str, Found | ExchangeError]:
    """Blame an unreadable answer on its item only if others could be read; if all must wait, so must the call."""
    if raises and merged and all(isinstance(e, _Garbled | TryLaterError) for e in merged.values()):
        first = next(iter(merged.values()))
        raise first.error if isinstance(first, _Garbled) else _error(first)
    return {
        ident: ItemBrokenError("the answer about this item cannot be read", code=entry.error.code)
        if isinstance(entry, _Garbled)
        else entry
        for ident, entry in merged.items()
    }


def _error(entry: object) -> ExchangeError:
    assert isinstance(entry, ExchangeError)
    return entry
