"""From references to observations: what was changed together is listed together, the rest is read by id.

```
refs ──▶ ranges of their times, listed whole ──▶ the others by id ──▶ masters again, with their exceptions
     ──▶ occurrences led to their masters ──▶ one observation per meeting
```
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ExchangeError, ItemBrokenError, ItemGoneError, TryLaterError
from greenroom.exchange.graph import facts, shapes
from greenroom.exchange.graph.answers import TooLongError
from greenroom.exchange.graph.call import Answer, Call, RefusedError
from greenroom.exchange.graph.events import Broken, Event, Page, read_event, read_page, version_time
from greenroom.exchange.graph.refused import for_item
from greenroom.exchange.graph.rule_blob import RULE, is_unbroken
from greenroom.exchange.graph.shapes import Depth
from greenroom.exchange.graph.transport import GraphTransport
from greenroom.exchange.graph.values import stamp
from greenroom.meetings.meeting import ItemRef, Kind, Observation

log = structlog.get_logger(__name__)

_FEW = 3
_MOST_PAGES_OF_RANGE = 2
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

    def drop(self, ident: str) -> None:
        """Forget one that is no master any more."""
        self._known.pop(ident, None)

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
        self._depth = Depth.ANSWERS  # what this server shows of exceptions; learnt anew after every start
        self._proven = Depth.NOTHING
        self._shown_less: set[str] = set()

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        """Read items; several that lead to one meeting yield it once. Raises what concerns the whole call."""
        wanted = list(dict.fromkeys(refs))
        listed = await self._together([ref for ref in wanted if ref.id not in self._masters])
        self._masters.learn(listed.values())
        found: dict[str, Found] = {ident: one for ident, one in listed.items() if not _is_master(one)}
        found |= await self._by_id([ref.id for ref in wanted if ref.id not in found])
        return await self._settled([(ref, found[ref.id]) for ref in wanted])

    async def read_listed(self, rows: Sequence[Event | Broken]) -> list[Observation | Unreadable]:
        """Make observations of what a list showed whole; masters that may have exceptions are read once more, with these."""
        self._masters.learn(rows)
        masters = await self._by_id([row.ref.id for row in rows if _is_master(row) and not _is_unbroken(row)])
        return await self._settled([(row.ref, masters.get(row.ref.id, row)) for row in rows])

    async def _settled(self, found: Sequence[tuple[ItemRef, Found]]) -> list[Observation | Unreadable]:
        led = await self._led_to_masters([one for _, one in found])
        return _one_per_meeting(self._observed(ref, one) for (ref, _), one in zip(found, led, strict=True))

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

    async def _by_id(self, ids: Iterable[str]) -> dict[str, Found]:
        """Read items by id, masters with their exceptions: those known to be masters in one go, others in a second one.

        What is refused with its exceptions is asked for once more with less of them, and without.
        """
        wanted = {ident: self._depth if ident in self._masters else Depth.NOTHING for ident in dict.fromkeys(ids)}
        found: dict[str, Found] = {}
        refused: dict[str, Depth] = {}
        while wanted:
            again: dict[str, Depth] = {}
            for ident, one in (await self._asked(wanted)).items():
                depth = wanted[ident]
                if depth and isinstance(one, ItemBrokenError):
                    refused[ident] = depth
                    if (less := Depth(depth - 1)) or ident not in found:
                        again[ident] = less
                    continue
                found[ident] = one
                if depth and _is_master(one):
                    self._shown(ident, depth, refused.get(ident))
                elif _is_master(one):
                    self._masters.add(ident)
                    if self._depth and ident not in refused:
                        again[ident] = self._depth
                elif isinstance(one, Event):
                    self._masters.drop(ident)
            wanted = again
        self._refused(refused.values())
        return found

    def _shown(self, ident: str, depth: Depth, refused: Depth | None) -> None:
        """Learn that exceptions are shown, and no more of them where more was refused: one odd master proves nothing."""
        self._proven = max(self._proven, depth)
        if refused is None or self._proven >= self._depth:
            return
        self._shown_less.add(ident)
        if len(self._shown_less) > 1:
            log.warning("graph.read.no-answers-of-exceptions", mailbox=self._mailbox)
            self._depth = self._proven

    def _refused(self, refused: Collection[Depth]) -> None:
        """Learn that no exceptions are shown: one odd master proves nothing, and what was shown once will be again."""
        if not self._proven and len(refused) > 1 and all(depth is Depth.TIMES for depth in refused):
            log.warning("graph.read.no-exceptions", mailbox=self._mailbox)
            self._depth = Depth.NOTHING

    async def _asked(self, wanted: Mapping[str, Depth]) -> dict[str, Found]:
        answers = await self._get([shapes.get_whole(self._mailbox, i, depth) for i, depth in wanted.items()])
        return {ident: self._entry(ident, answer) for ident, answer in zip(wanted, answers, strict=True)}

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

    def _observed(self, ref: ItemRef, one: Found) -> Observation | Unreadable:
        if isinstance(one, Broken):
            return Unreadable(ref, one.error)
        if isinstance(one, ExchangeError):
            return Unreadable(ref, one)
        result = facts.observation(one, self._mailbox)
        return result if isinstance(result, Observation) else Unreadable(ref, result)


def _is_master(one: Found) -> bool:
    return isinstance(one, Event) and one.is_series


def _is_unbroken(one: Found) -> bool:
    return isinstance(one, Event) and is_unbroken(one.extended(RULE))


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


def _one_per_meeting(results: Iterable[Observation | Unreadable]) -> list[Observation | Unreadable]:
    """Keep one observation per meeting: the newest item, and a series rather than its occurrences."""
    results = list(results)
    masters = {r.key for r in results if isinstance(r, Observation) and r.kind is Kind.SERIES}
    kept: dict[object, Observation | Unreadable] = {}
    for result in results:
        if isinstance(result, Unreadable):
            kept[result.ref] = result
            continue
        if result.kind is Kind.OCCURRENCE and result.key.clean in masters:
            continue
        before = kept.get(result.key)
        if not isinstance(before, Observation) or facts.standing(before) < facts.standing(result):
            kept[result.key] = result
    waiting = [r.error for r in results if isinstance(r, Unreadable) and isinstance(r.error, TryLaterError)]
    if waiting and len(waiting) == len(results):
        raise waiting[0]  # if all must wait, so must the call
    return list(kept.values())
