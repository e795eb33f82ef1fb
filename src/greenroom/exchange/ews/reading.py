"""From references to observations: GetItem in batches, messages led to their calendar items, names resolved.

```
refs ──▶ items ──▶ the calendar items messages belong to ──▶ the series occurrences belong to ──▶ which of the two is newer
     ──▶ one observation per meeting ──▶ bodies sent as text ──▶ answers to single occurrences ──▶ X500 organizers
```
"""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from greenroom.exchange.addresses import is_x500
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError, NotPermittedError, TryLaterError
from greenroom.exchange.ews import exceptions, items
from greenroom.exchange.ews.directory import Directory
from greenroom.exchange.ews.faults import CUT_SHORT, PROPERTY_REFUSED, RefusedRequestError, is_busy
from greenroom.exchange.ews.items import BATCH, Item, Source
from greenroom.exchange.ews.narrowing import Narrowing
from greenroom.exchange.ews.transport import EwsTransport
from greenroom.meetings.meeting import ItemRef, Kind, Observation

log = structlog.get_logger(__name__)

Entry = Item | ExchangeError
Fact = exceptions.Fact | ExchangeError
Settled = tuple[Item, Observation]


class Reader:
    """Reads items of one mailbox."""

    def __init__(self, transport: EwsTransport, mailbox: str, directory: Directory) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._directory = directory
        self._plain = False  # this server refuses what we ask for by name; learnt anew after every start

    async def read(self, refs: Sequence[ItemRef], *, batch: int = BATCH) -> list[Observation | Unreadable]:
        """Read items; several that lead to one meeting yield it once. Raises what concerns the whole call.

        `batch` is how many are asked for in one request.
        """
        found = await self._items([ref.id for ref in refs], batch)
        needed = {i.associated for i in found.values() if isinstance(i, Item) and _leads_on(i)}
        calendar = await self._items([i for i in needed if i and i not in found], batch) | found
        masters = await self._masters([e for e in calendar.values() if isinstance(e, Item) and e.in_series], batch)
        results = [_settle(ref, found[ref.id], calendar, masters) for ref in dict.fromkeys(refs)]
        return await self._finish(_one_per_meeting(results), batch)

    async def read_many(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items in one request; those to which Exchange did not come in its minute once more, as in `read`."""
        results = await self.read(refs, batch=max(1, len(refs)))
        late = [r.ref for r in results if isinstance(r, Unreadable) and r.error and r.error.code in CUT_SHORT]
        if not late:
            return results
        log.info("ews.read.cut-short", mailbox=self._mailbox, items=len(refs), late=len(late))
        return [r for r in results if r.ref not in late or isinstance(r, Observation)] + await self.read(late)

    async def _masters(self, occurrences: Sequence[Item], batch: int) -> dict[str, Entry]:
        """Return the series, by the ids of their occurrences; nothing for an occurrence that stands alone."""
        ids = [item.ref.id for item in occurrences if item.source is Source.CALENDAR and item.ref.id]
        if not ids:
            return {}
        found = await Narrowing(self._ask_masters, self._mailbox, batch=batch).get(ids)
        return {ident: one for ident, one in found.items() if not isinstance(one, (ItemGoneError, ItemBrokenError))}

    async def _ask_masters(self, ids: list[str]) -> list[Entry]:
        reply = await self._transport.call(items.get_masters(ids, plain=self._plain), self._mailbox)
        return items.read_items(reply, count=len(ids), mailbox=self._mailbox)

    async def _finish(self, results: list[Settled | Unreadable], batch: int) -> list[Observation | Unreadable]:
        texts = await self._texts([r[0].ref.id for r in results if isinstance(r, tuple) and r[0].textless], batch)
        facts = await self._facts([r[0] for r in results if isinstance(r, tuple)], batch)
        finished: list[Observation | Unreadable] = []
        for result in results:
            if isinstance(result, Unreadable):
                finished.append(result)
                continue
            item, observation = result
            if item.textless and (text := texts.get(item.ref.id)):
                observation = replace(observation, body_html=text[: items.LONGEST_BODY])
            asked = exceptions.worth_asking(item.differing)
            busy = [e for one in asked if isinstance(e := facts.get(one.ref.id), ExchangeError) and is_busy(e)]
            if busy:  # it will be known later what became of an occurrence; until then nothing is known of its series
                finished.append(Unreadable(observation.ref, busy[0]))
            else:
                finished.append(await self._named(exceptions.with_facts(observation, asked, facts)))
        return finished

    async def _facts(self, found: Sequence[Item], batch: int) -> dict[str, Fact]:
        """Ask what became of the occurrences that differ from their series."""
        ids = [one.ref.id for item in found for one in exceptions.worth_asking(item.differing)]
        return await Narrowing(self._ask_facts, self._mailbox, raises=False, batch=batch).get(ids) if ids else {}

    async def _ask_facts(self, ids: list[str]) -> list[Fact]:
        try:
            reply = await self._transport.call(exceptions.get_facts(ids, plain=self._plain), self._mailbox)
        except RefusedRequestError as error:
            if self._plain or error.code not in PROPERTY_REFUSED:
                raise
            reply = await self._transport.call(exceptions.get_facts(ids, plain=True), self._mailbox)
        return exceptions.read_facts(reply, count=len(ids), mailbox=self._mailbox)

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

    async def _texts(self, ids: list[str], batch: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for at in range(0, len(ids), batch):
            asked = ids[at : at + batch]
            reply = await self._transport.call(items.get_texts(asked), self._mailbox)
            texts = items.read_texts(reply, count=len(asked))
            found |= {ident: text for ident, text in zip(asked, texts, strict=True) if text}
        return found

    async def _items(self, ids: Sequence[str], batch: int) -> dict[str, Entry]:
        return await Narrowing(self._ask, self._mailbox, batch=batch).get(ids)

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


def _settle(ref: ItemRef, entry: Entry, calendar: dict[str, Entry], masters: dict[str, Entry]) -> Settled | Unreadable:
    """Say what an item tells: itself, its calendar item, or the series it is part of."""
    if isinstance(entry, ExchangeError):
        return Unreadable(ref, entry)
    mine = entry.observation
    if mine is None:
        return Unreadable(ref)
    target = calendar.get(entry.associated or "") if _leads_on(entry) else None
    ident = entry.ref.id if entry.source is Source.CALENDAR else entry.associated or ""
    series = masters.get(ident)
    if isinstance(series, ExchangeError) or (isinstance(series, Item) and series.observation):
        target = series
    if isinstance(target, ExchangeError) and not isinstance(target, (ItemGoneError, ItemBrokenError)):
        return Unreadable(ref, target)
    if isinstance(target, ItemGoneError) and entry.processed and entry.source is Source.REQUEST:
        return Unreadable(ref, target)  # somebody removed the item on purpose; its old request must not revive it
    if not isinstance(target, Item) or target.observation is None:
        return Unreadable(ref) if entry.outdated else (entry, mine)
    return _weigh(entry, mine, target, target.observation)


def _weigh(entry: Item, mine: Observation, target: Item, theirs: Observation) -> Settled:
    """Choose between a message and its calendar item."""
    if theirs.kind is Kind.SERIES and mine.kind is Kind.OCCURRENCE:
        # A word about one occurrence must not speak for the series; it counts where the series does not know it yet.
        return (entry, mine) if items.is_news_of_occurrence(entry, target) else (target, theirs)
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


def _one_per_meeting(results: list[Settled | Unreadable]) -> list[Settled | Unreadable]:
    """Keep one observation per meeting: the newest message or the calendar item; a series rather than what it knows of."""
    series = {r[1].key: r[0] for r in results if isinstance(r, tuple) and r[1].kind is Kind.SERIES}
    kept: dict[object, Settled | Unreadable] = {}
    for result in results:
        if isinstance(result, Unreadable):
            kept[result.ref] = result
            continue
        item, seen = result
        whole = series.get(seen.key.clean) if seen.kind is Kind.OCCURRENCE else None
        if whole is not None and not items.is_news_of_occurrence(item, whole):
            continue
        place = (seen.key, seen.informational_copy)
        before = kept.get(place)
        kept[place] = result if not isinstance(before, tuple) else _newer(before, (item, seen))
    return list(kept.values())


def _newer(one: Settled, other: Settled) -> Settled:
    from_calendar = [pair for pair in (one, other) if pair[0].source is Source.CALENDAR]
    if len(from_calendar) == 2:  # noqa: PLR2004  both
        return max(from_calendar, key=lambda pair: items.standing(pair[1]))
    if from_calendar:
        calendar, message = (one, other) if one[0].source is Source.CALENDAR else (other, one)
        # What is said of the calendar item may be a cancellation's word already, and newer than the item itself.
        told = replace(calendar[0], observation=calendar[1])
        return message if items.is_newer(message[0], told) else calendar
    if items.is_newer(other[0], one[0]):
        return _filled(other, one[1])
    return _filled(one, other[1])


def _filled(winner: Settled, loser: Observation) -> Settled:
    """A cancellation that does not say when takes the times from the request it ends."""
    item, seen = winner
    if seen.cancelled and seen.span is None and loser.span is not None:
        seen = replace(seen, span=loser.span, kind=loser.kind, recurrence=loser.recurrence, series=loser.series)
    return item, seen
