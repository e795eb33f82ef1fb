"""From references to observations: GetItem in batches, messages led to their calendar items, names resolved.

```
refs ──▶ items ──▶ the calendar items messages belong to ──▶ which of the two is newer ──▶ bodies sent as text
     ──▶ X500 organizers ──▶ one observation per meeting
```
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from greenroom.exchange.addresses import is_x500
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError, NotPermittedError, TryLaterError
from greenroom.exchange.ews import items
from greenroom.exchange.ews.directory import Directory
from greenroom.exchange.ews.faults import (
    PROPERTY_REFUSED,
    GarbledReplyError,
    RefusedRequestError,
    broken,
    is_about_content,
)
from greenroom.exchange.ews.items import BATCH, Item, Source
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.meetings.meeting import ItemRef, Kind, Observation

log = structlog.get_logger(__name__)

Entry = Item | ExchangeError


@dataclass(frozen=True, slots=True)
class _Garbled:
    """An item whose answer alone could not be read."""

    error: GarbledReplyError


class Reader:
    """Reads items of one mailbox."""

    def __init__(self, transport: EwsTransport, mailbox: str, directory: Directory) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._directory = directory
        self._plain = False  # this server refuses what we ask for by name; learnt anew after every start

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items; several that lead to one meeting yield it once. Raises what concerns the whole call."""
        found = await self._items([ref.id for ref in refs])
        needed = {i.associated for i in found.values() if isinstance(i, Item) and _leads_on(i)}
        calendar = await self._items([i for i in needed if i and i not in found]) | found
        results: list[tuple[Item, Observation] | Unreadable] = []
        for ref in dict.fromkeys(refs):
            entry = found[ref.id]
            if isinstance(entry, ExchangeError):
                results.append(Unreadable(ref, entry))
            else:
                results.append(await self._settle(ref, entry, calendar))
        return await self._finish(_one_per_meeting(results))

    async def read_one(self, ident: str) -> Observation | None:
        """Read one calendar item; None if it is gone, broken or no meeting."""
        for result in await self.read([ItemRef(ident)]):
            if isinstance(result, Observation):
                return result
            if isinstance(result.error, TryLaterError):
                raise result.error
        return None

    async def _settle(
        self, ref: ItemRef, entry: Item, calendar: dict[str, Entry]
    ) -> tuple[Item, Observation] | Unreadable:
        mine = entry.observation
        if mine is None:
            return Unreadable(ref)
        target = calendar.get(entry.associated or "") if _leads_on(entry) else None
        if isinstance(target, Item) and target.in_series:
            target = await self._series(target)
        if isinstance(target, ExchangeError) and not isinstance(target, (ItemGoneError, ItemBrokenError)):
            return Unreadable(ref, target)
        if isinstance(target, ItemGoneError) and entry.processed and entry.source is Source.REQUEST:
            return Unreadable(ref, target)  # somebody removed the item on purpose; its old request must not revive it
        if not isinstance(target, Item) or target.observation is None:
            return Unreadable(ref) if entry.outdated else (entry, mine)
        return _weigh(entry, mine, target, target.observation)

    async def _series(self, occurrence: Item) -> Item:
        """Return the series an occurrence is part of, or the occurrence itself where there is none."""
        try:
            reply = await self._transport.call(items.get_master(occurrence.ref.id, plain=self._plain), self._mailbox)
            master = items.read_items(reply, count=1, mailbox=self._mailbox)[0]
        except RefusedRequestError:
            return occurrence
        return master if isinstance(master, Item) and master.observation else occurrence

    async def _finish(self, results: list[tuple[Item, Observation] | Unreadable]) -> list[Observation | Unreadable]:
        texts = await self._texts([r[0].ref.id for r in results if isinstance(r, tuple) and r[0].textless])
        finished: list[Observation | Unreadable] = []
        for result in results:
            if isinstance(result, Unreadable):
                finished.append(result)
                continue
            item, observation = result
            if item.textless and (text := texts.get(item.ref.id)):
                observation = replace(observation, body_html=text[: items.LONGEST_BODY])
            finished.append(await self._named(observation))
        return finished

    async def _named(self, observation: Observation) -> Observation | Unreadable:
        organizer = observation.organizer
        if not is_x500(organizer.address):
            return observation
        try:
            address = await self._directory.smtp(organizer.address)
        except (TryLaterError, NotPermittedError) as error:
            return Unreadable(observation.ref, error)  # a guess about the organizer could become a decline
        return replace(
            observation,
            organizer=replace(organizer, address=address),
            is_organizer=observation.is_organizer or address == self._mailbox,
        )

    async def _texts(self, ids: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for at in range(0, len(ids), BATCH):
            batch = ids[at : at + BATCH]
            reply = await self._transport.call(items.get_texts(batch), self._mailbox)
            texts = items.read_texts(reply, count=len(batch))
            found |= {ident: text for ident, text in zip(batch, texts, strict=True) if text}
        return found

    async def _items(self, ids: Sequence[str]) -> dict[str, Entry]:
        """Get items by id; whole requests that fail are cut in halves until the item to blame stands alone."""
        unique = list(dict.fromkeys(ids))
        batches = [unique[at : at + BATCH] for at in range(0, len(unique), BATCH)]
        answers = await asyncio.gather(*(self._batch(batch) for batch in batches), return_exceptions=True)
        merged: dict[str, Entry | _Garbled] = {}
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            merged |= answer
        return _weighed(merged)

    async def _batch(self, ids: list[str]) -> dict[str, Entry | _Garbled]:
        try:
            return dict(zip(ids, await self._ask(ids), strict=True))
        except (RefusedRequestError, GarbledReplyError) as error:
            if len(ids) > 1:
                log.info("ews.read.narrowed", mailbox=self._mailbox, items=len(ids), code=error.code)
                half = len(ids) // 2
                return await self._batch(ids[:half]) | await self._batch(ids[half:])
            return {ids[0]: _alone(error)}

    async def _ask(self, ids: list[str]) -> list[Entry]:
        """Get items in one request; where the server will not give a property, once more without naming any."""
        if self._plain:
            return await self._get(ids, plain=True)
        try:
            entries = await self._get(ids, plain=False)
        except RefusedRequestError as error:
            if error.code not in PROPERTY_REFUSED:
                raise
            entries = await self._get(ids, plain=True)
            self._learn_plain(error.code)
            return entries
        refused = {
            at: entry.code
            for at, entry in enumerate(entries)
            if isinstance(entry, ItemBrokenError) and entry.code in PROPERTY_REFUSED
        }
        if refused:
            again = await self._get([ids[at] for at in refused], plain=True)
            if len(refused) == len(ids) and any(isinstance(entry, Item) for entry in again):
                self._learn_plain(next(iter(refused.values())))
            for at, entry in zip(refused, again, strict=True):
                entries[at] = entry
        return entries

    async def _get(self, ids: list[str], *, plain: bool) -> list[Entry]:
        reply = await self._transport.call(items.get_items(ids, plain=plain), self._mailbox)
        return items.read_items(reply, count=len(ids), mailbox=self._mailbox)

    def _learn_plain(self, code: str) -> None:
        if not self._plain:
            log.warning("ews.read.plain", mailbox=self._mailbox, code=code)
        self._plain = True


def _alone(error: RefusedRequestError | GarbledReplyError) -> Entry | _Garbled:
    if isinstance(error, GarbledReplyError):
        return _Garbled(error)
    return broken(error) if is_about_content(error) else error


def _weighed(merged: dict[str, Entry | _Garbled]) -> dict[str, Entry]:
    """Blame an unreadable answer on its item only if others could be read; if all must wait, so must the call."""
    if merged and all(isinstance(e, (_Garbled, TryLaterError)) for e in merged.values()):
        first = next(iter(merged.values()))
        raise first.error if isinstance(first, _Garbled) else _error(first)
    return {
        ident: ItemBrokenError("the answer about this item cannot be read", code=entry.error.code)
        if isinstance(entry, _Garbled)
        else entry
        for ident, entry in merged.items()
    }


def _error(entry: Entry) -> ExchangeError:
    assert isinstance(entry, ExchangeError)
    return entry


def _weigh(entry: Item, mine: Observation, target: Item, theirs: Observation) -> tuple[Item, Observation]:
    """Choose between a message and its calendar item."""
    if theirs.kind is Kind.SERIES and mine.kind is Kind.OCCURRENCE:
        return target, theirs  # a word about one occurrence must not speak for the series
    if not items.is_newer(entry, target):
        return target, theirs
    if entry.source is Source.CANCELLATION:
        return target, replace(theirs, cancelled=True, sent_at=mine.sent_at, sequence=mine.sequence)
    return entry, mine


def _leads_on(item: Item) -> bool:
    """Whether a message's calendar item is to be read in its place."""
    seen = item.observation
    return (
        item.source is not Source.CALENDAR
        and seen is not None
        and not seen.informational_copy
        and bool(item.associated)
    )


def _one_per_meeting(
    results: list[tuple[Item, Observation] | Unreadable],
) -> list[tuple[Item, Observation] | Unreadable]:
    """Keep one observation per meeting: the newest message or the calendar item; a series rather than its occurrences."""
    series = {r[1].key for r in results if isinstance(r, tuple) and r[1].kind is Kind.SERIES}
    kept: dict[object, tuple[Item, Observation] | Unreadable] = {}
    for result in results:
        if isinstance(result, Unreadable):
            kept[result.ref] = result
            continue
        item, seen = result
        if seen.kind is Kind.OCCURRENCE and seen.key in series:
            continue
        place = (seen.key, seen.kind is Kind.OCCURRENCE and seen.original_start, seen.informational_copy)
        before = kept.get(place)
        kept[place] = result if not isinstance(before, tuple) else _newer(before, (item, seen))
    return list(kept.values())


def _newer(one: tuple[Item, Observation], other: tuple[Item, Observation]) -> tuple[Item, Observation]:
    from_calendar = [pair for pair in (one, other) if pair[0].source is Source.CALENDAR]
    if len(from_calendar) == 2:  # noqa: PLR2004  both
        return max(from_calendar, key=lambda pair: items.standing(pair[1]))
    if from_calendar:
        calendar, message = (one, other) if one[0].source is Source.CALENDAR else (other, one)
        return message if items.is_newer(message[0], calendar[0]) else calendar
    if items.is_newer(other[0], one[0]):
        return _filled(other, one[1])
    return _filled(one, other[1])


def _filled(winner: tuple[Item, Observation], loser: Observation) -> tuple[Item, Observation]:
    """A cancellation that does not say when takes the times from the request it ends."""
    item, seen = winner
    if seen.cancelled and seen.span is None and loser.span is not None:
        seen = replace(seen, span=loser.span, kind=loser.kind, recurrence=loser.recurrence)
    return item, seen
