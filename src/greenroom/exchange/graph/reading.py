"""From references to observations: what was changed together is listed together, the rest is read by id.

```
refs ──▶ ranges of their times, listed whole ──▶ the others by id ──▶ masters again, with their exceptions
     ──▶ where a series that ends has its last occurrence ──▶ one observation per meeting
```
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError, TryLaterError
from greenroom.exchange.graph import facts, series, shapes
from greenroom.exchange.graph.answers import TooLongError
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.events import Broken, Event, Instance, Page, raw_page, read_event, read_page, version_time
from greenroom.exchange.graph.facts import Series
from greenroom.exchange.graph.refused import for_item
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.exchange.graph.values import stamp
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation

log = structlog.get_logger(__name__)

_FEW = 3
_MOST_PAGES_OF_RANGE = 2
_MOST_PAGES_OF_INSTANCES = 5
_MOST_REMEMBERED = 2000

Found = Event | Broken | ExchangeError


@dataclass(frozen=True, slots=True)
class _Range:
    """References whose versions were made one after the other."""

    refs: tuple[ItemRef, ...]
    first: datetime
    last: datetime


class Masters:
    """Ids of items known to be series, told by lists: such an item is read together with its exceptions."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, ident: str) -> bool:
        return ident in self._known

    def add(self, ident: str) -> None:
        """Remember one; the oldest is forgotten."""
        self._known[ident] = None
        self._known.move_to_end(ident)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    def learn(self, rows: Iterable[Event | Broken]) -> None:
        """Remember the masters of a list."""
        for row in rows:
            if _is_master(row):
                self.add(row.ref.id)


class Reader:
    """Reads events of one mailbox."""

    def __init__(self, transport: GraphTransport, mailbox: str, masters: Masters) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._masters = masters
        self._exceptions: bool | None = (
            None  # whether this server shows a master's exceptions; learnt anew after every start
        )
        self._ends: OrderedDict[tuple[str, str], datetime | None] = OrderedDict()
        self._lone: OrderedDict[MeetingKey, datetime] = OrderedDict()

    def lone_occurrence(self, key: MeetingKey) -> datetime | None:
        """Return the original start of the one occurrence of a series this mailbox was last seen to be invited to."""
        return self._lone.get(key)

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items; several that lead to one meeting yield it once. Raises what concerns the whole call."""
        wanted = list(dict.fromkeys(refs))
        listed = await self._together([ref for ref in wanted if ref.id not in self._masters])
        found: dict[str, Found] = {ident: one for ident, one in listed.items() if not _is_master(one)}
        found |= await self._by_id([ref.id for ref in wanted if ref.id not in found])
        return await self._settled([(ref, found[ref.id]) for ref in wanted])

    async def read_listed(self, rows: Sequence[Event | Broken]) -> list[Observation | Unreadable]:
        """Make observations of what a list showed whole; masters are read once more, with their exceptions."""
        masters = await self._by_id([row.ref.id for row in rows if _is_master(row)])
        return await self._settled([(row.ref, masters.get(row.ref.id, row)) for row in rows])

    async def _settled(self, found: Sequence[tuple[ItemRef, Found]]) -> list[Observation | Unreadable]:
        led = await self._led_to_masters([one for _, one in found])
        results = await _side_by_side(self._observed(ref, one) for (ref, _), one in zip(found, led, strict=True))
        for result in results:
            if isinstance(result, Observation):
                self._remember(result)
        return _one_per_meeting(results)

    def _remember(self, seen: Observation) -> None:
        self._lone.pop(seen.key, None)
        if seen.kind is Kind.OCCURRENCE and seen.original_start is not None:
            self._lone[seen.key] = seen.original_start
        while len(self._lone) > _MOST_REMEMBERED:
            self._lone.popitem(last=False)

    # --- getting events -------------------------------------------------------------------------------------------

    async def _together(self, refs: Sequence[ItemRef]) -> dict[str, Event | Broken]:
        found: dict[str, Event | Broken] = {}
        for one in _ranges(refs):
            try:
                found |= await self._list(one)
            except RefusedError as error:
                if error.elsewhere:
                    raise for_item(error, self._mailbox) from error
                log.warning("graph.read.range-refused", mailbox=self._mailbox, code=error.code)
                break
            except TooLongError as error:  # bodies of megabytes, which whoever invites us can send
                log.warning("graph.read.range-refused", mailbox=self._mailbox, code=error.code)
        return found

    async def _list(self, wanted: _Range) -> dict[str, Event | Broken]:
        name = "lastModifiedDateTime"
        where = f"{name} ge {stamp(wanted.first)} and {name} le {_end_of(wanted.last)}"
        call = shapes.list_whole(self._mailbox, where=where, order=name)
        missing = {ref.id for ref in wanted.refs}
        found: dict[str, Event | Broken] = {}
        page = read_page((await self._transport.call(call)).body, self._mailbox)
        for turn in range(_MOST_PAGES_OF_RANGE):
            for row in page.events:
                ident = row.ref.id
                if ident in missing:
                    missing.discard(ident)
                    found[ident] = row
            if not missing or not page.next_link or turn + 1 == _MOST_PAGES_OF_RANGE:
                break
            page = await self._follow(page, call)
        return found

    async def _follow(self, page: Page, like: Call) -> Page:
        return read_page((await self._transport.follow(page.next_link, like)).body, self._mailbox)

    async def _by_id(self, ids: Sequence[str]) -> dict[str, Found]:
        """Read items by id, masters with their exceptions: those known to be masters in one go, others in a second one."""
        unique = list(dict.fromkeys(ids))
        known = {ident for ident in unique if self._exceptions is not False and ident in self._masters}
        found = await self._asked(unique, known)
        refused = {ident for ident in known if isinstance(found[ident], ItemBrokenError)}
        if refused:  # what is no master any more has no exceptions to expand
            found |= await self._asked(sorted(refused), set())
        shallow = [
            i for i, one in found.items() if isinstance(one, Event) and one.is_series and i not in known - refused
        ]
        for ident in shallow:
            self._masters.add(ident)
        if shallow and self._exceptions is not False:
            deep = await self._asked(shallow, set(shallow))
            self._learn(deep.values())
            found |= {ident: one for ident, one in deep.items() if not isinstance(one, ItemBrokenError)}
        return found

    def _learn(self, deep: Collection[Found]) -> None:
        """Learn whether exceptions are shown at all: one odd master proves nothing, and what was shown once will be again."""
        if any(isinstance(one, Event) for one in deep):
            self._exceptions = True
        elif self._exceptions is None and len(deep) > 1 and all(isinstance(one, ItemBrokenError) for one in deep):
            log.warning("graph.read.no-exceptions", mailbox=self._mailbox)
            self._exceptions = False

    async def _asked(self, ids: Sequence[str], deep: set[str]) -> dict[str, Found]:
        answers = await self._get([shapes.get_whole(self._mailbox, i, exceptions=i in deep) for i in ids])
        return {ident: self._entry(ident, answer) for ident, answer in zip(ids, answers, strict=True)}

    async def _get(self, calls: Sequence[Call]) -> list[Answer | ExchangeError]:
        if len(calls) > 1:
            try:
                return await self._transport.batch(calls)
            except TooLongError as error:
                log.warning("graph.read.batch-refused", mailbox=self._mailbox, code=error.code)
        found: list[Answer | ExchangeError] = []
        for call in calls:
            try:
                found.append(await self._transport.call(call))
            except RefusedError as error:
                found.append(error)
            except TooLongError as error:
                found.append(ItemBrokenError("the item is too long to be read", code=error.code, mailbox=self._mailbox))
        return found

    def _entry(self, ident: str, answer: Answer | ExchangeError) -> Found:
        if isinstance(answer, Answer):
            return read_event(answer.body, ident)
        error = for_item(answer, self._mailbox) if isinstance(answer, RefusedError) else answer
        if isinstance(error, (ItemGoneError, ItemBrokenError, TryLaterError)):
            return error
        raise error  # a refused sign-in or a missing right concerns the whole mailbox

    async def _led_to_masters(self, found: Sequence[Found]) -> list[Found]:
        """Put a master in the place of its occurrences: a word about one of them must not speak for the series."""
        inside = {one.series_master_id for one in found if isinstance(one, Event) and _is_part(one)}
        here = {one.id for one in found if isinstance(one, Event)}
        masters = await self._by_id([ident for ident in inside if ident not in here])
        masters |= {one.id: one for one in found if isinstance(one, Event)}
        led: list[Found] = []
        for one in found:
            master = masters.get(one.series_master_id) if isinstance(one, Event) and _is_part(one) else None
            gone = master is None or isinstance(master, ItemGoneError)
            led.append(one if gone or master is None else master)
        return led

    # --- making observations --------------------------------------------------------------------------------------

    async def _observed(self, ref: ItemRef, one: Found) -> Observation | Unreadable:
        if isinstance(one, Broken):
            return Unreadable(ref, one.error)
        if isinstance(one, ExchangeError):
            return Unreadable(ref, one)
        try:
            rule = await self._series(one) if one.is_series else None
        except TryLaterError as error:
            return Unreadable(ref, error)
        result = facts.observation(one, self._mailbox, rule)
        return result if isinstance(result, Observation) else Unreadable(ref, result)

    async def _series(self, master: Event) -> Series:
        text = series.series_text(master)
        place = master.id, f"{text}/{master.starts}/{master.ends}"
        if place not in self._ends:
            self._ends[place] = await self._until(master)
        self._ends.move_to_end(place)
        while len(self._ends) > _MOST_REMEMBERED:
            self._ends.popitem(last=False)
        return Series(text, self._ends[place])

    async def _until(self, master: Event) -> datetime | None:
        """Ask where the last occurrence ends: only Exchange knows the zone in which a rule is to be counted."""
        tail = series.tail_of(master)
        if tail is None or master.ends is None:
            return None
        moved = series.last_end(master.exception_occurrences)
        for start, end in tail.windows():
            try:
                last = series.last_end(await self._instances(master.id, start, end))
            except RefusedError as error:
                log.info("graph.read.no-instances", mailbox=self._mailbox, code=error.code)
                break
            if last is not None:
                return max(last, moved) if moved else last
        return tail.guess(master.ends)

    async def _instances(self, ident: str, start: datetime, end: datetime) -> list[Instance]:
        call = series.instances(self._mailbox, ident, start, end)
        answer = await self._transport.call(call)
        found: list[Instance] = []
        for _ in range(_MOST_PAGES_OF_INSTANCES):
            raws, link = raw_page(answer.body, self._mailbox)
            events = (read_event(raw) for raw in raws)
            found.extend(
                Instance(id=e.id, start=e.start, end=e.end, is_cancelled=e.is_cancelled)
                for e in events
                if isinstance(e, Event)
            )
            if not link:
                break
            answer = await self._transport.follow(link, call)
        return found


def _is_master(one: Event | Broken) -> bool:
    return isinstance(one, Event) and one.is_series


def _is_part(event: Event) -> bool:
    return bool(event.series_master_id) and event.type in ("occurrence", "exception")


def _ranges(refs: Iterable[ItemRef]) -> list[_Range]:
    """Cut references into runs that fit one page each; a few are read by id, which wastes nothing."""
    timed = sorted(((when, ref) for ref in refs if (when := version_time(ref)) is not None), key=lambda pair: pair[0])
    runs = [timed[at : at + shapes.MOST_READ] for at in range(0, len(timed), shapes.MOST_READ)]
    return [_Range(tuple(ref for _, ref in run), first=run[0][0], last=run[-1][0]) for run in runs if len(run) >= _FEW]


def _end_of(when: datetime) -> str:
    """Write an instant as the end of its microsecond: Exchange keeps seven digits, we six."""
    return stamp(when).replace("Z", "9Z")


async def _side_by_side(work: Iterable[object]) -> list[Observation | Unreadable]:
    results = await asyncio.gather(*work, return_exceptions=True)  # type: ignore[call-overload]
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)


def _one_per_meeting(results: Iterable[Observation | Unreadable]) -> list[Observation | Unreadable]:
    """Keep one observation per meeting: the newest item, and a series rather than its occurrences."""
    results = list(results)
    masters = {r.key for r in results if isinstance(r, Observation) and r.kind is Kind.SERIES}
    kept: dict[object, Observation | Unreadable] = {}
    for result in results:
        if isinstance(result, Unreadable):
            kept[result.ref] = result
            continue
        if result.kind is Kind.OCCURRENCE and result.key in masters:
            continue
        place = result.key, result.kind is Kind.OCCURRENCE and result.original_start
        before = kept.get(place)
        if not isinstance(before, Observation) or facts.standing(before) < facts.standing(result):
            kept[place] = result
    waiting = [r.error for r in results if isinstance(r, Unreadable) and isinstance(r.error, TryLaterError)]
    if waiting and len(waiting) == len(results):
        raise waiting[0]  # if all must wait, so must the call
    return list(kept.values())
