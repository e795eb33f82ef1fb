"""Carrying out a recovery: a second walk through the calendar, in which the normal pass takes up what has to change.

```
 page ──judged──┬── left alone
                ├── quiet, or as many as may be told now ──▶ Attendant.take_up ── stored, with a line "recovered" each
                ├── the platform's room is missing       ──▶ the same, and the platform is told all of it again
                └── to be declined ──▶ after the walk: declined items leave the calendar, and pages would shift
 then records whose meeting is searched for and not found, and rooms that no meeting has
```

Everything is stored meeting by meeting, so that whoever runs it again goes on where it broke off. The cursor of the feed stays
where it was: the service's next pass sees echoes of all this. Whoever calls has borrowed the mailbox.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from greenroom.exchange.errors import ItemBrokenError, TryLaterError
from greenroom.meetings.meeting import ItemRef, Observation
from greenroom.meetings.reasons import AliasSource
from greenroom.meetings.record import Record, State
from greenroom.meetings.reply import Outcome
from greenroom.platforms.errors import PlatformError
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Case, Clock, Step, entry_of, no_step
from greenroom.scheduler.integration import Integration, Manner
from greenroom.scheduler.recovery.contract import Entry, Fate, Progress
from greenroom.scheduler.recovery.judging import UNREADABLE
from greenroom.scheduler.recovery.leftover import ending, gone, needs_room, orphans
from greenroom.scheduler.recovery.owned import OwnedRooms
from greenroom.scheduler.recovery.pacing import Pace
from greenroom.scheduler.recovery.plan import silent
from greenroom.scheduler.recovery.walking import WHOLE, Pause, Reach, Sighted, Walk
from greenroom.scheduler.vanished import end_vanished
from greenroom.scheduler.waiting import MARKED
from greenroom.storage import Standing, Storage

log = structlog.get_logger(__name__)

RECOVERED = "recovered"
"""The step of a journal's line; its code is the fate, its detail says more."""
_PER_MINUTE = 60
_SLICE = 100
_IN_VAIN = 25
"""After so many failures in a row nobody else's meeting is tried: something is wrong with all of them."""
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_NEWLY = (Fate.KEEP, Fate.ADOPT, Fate.NEW)


@dataclass(frozen=True, slots=True)
class Options:
    """How far a recovery goes.

    Without `updates` nobody's meeting is written to and nobody is mailed. At most `per_minute` meetings get a mail or an update in
    a minute (None: what Exchange lets the mailbox send, else 60), at most `limit` are changed at all.
    """

    reach: Reach = WHOLE
    updates: bool = True
    per_minute: int | None = None
    limit: int | None = None


USUAL = Options()


@dataclass(slots=True)
class Recovered:
    """What came of it: how many were done, by fate, and how many were left alone, by reason.

    `mails` are answers that went out, `updates` organizers' meetings that were written to; `waiting` answers go out later, by the
    service. `failed` are tried again by the service. `stopped` says that it came to an end before all was done: it was asked to,
    the limit was reached, or everything failed (`in_vain`).
    """

    done: Counter[Fate] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    updates: int = 0
    waiting: int = 0
    failed: list[Entry] = field(default_factory=list)
    stopped: bool = False
    in_vain: bool = False

    @property
    def changed(self) -> int:
        """How many meetings and rooms were done."""
        return self.done.total()


def per_minute_of(options: Options, sends: int | None) -> int:
    """Say how many meetings get a mail or an update in a minute; `sends` is what Exchange lets the mailbox send."""
    usual = _PER_MINUTE if sends is None else max(1, sends - 1)  # one is left to whatever else the mailbox sends
    return options.per_minute or usual


async def recover(
    integration: Integration,
    storage: Storage,
    attendant: Attendant,
    clock: Clock,
    options: Options = Options(),
    *,
    expected: int = 0,
    progress: Progress = silent,
    stopped: Callable[[], bool] = lambda: False,
    pause: Pause = asyncio.sleep,
    step: Step = no_step,
) -> Recovered:
    """Bring calendar, database and platform together again. Safe to repeat.

    `expected` is what `progress` is told there is, as a plan found it. `stopped` is asked between steps. Raises ExchangeError,
    PlatformError and StorageError; what was done until then stays done.
    """
    progress("platform", 0, 0)
    rooms = await OwnedRooms.load(integration)
    walk = Walk(integration, storage, rooms, clock, updates=options.updates, binds=True, pause=pause)
    work = _Work(integration, storage, attendant, clock, options, expected, progress, stopped, pause, step)
    declined: list[ItemRef] = []
    async with aclosing(walk.pages(options.reach)) as pages:
        async for page in pages:
            declined += [one.observation.ref for one in page if one.declines and one.entry.fate is not Fate.LEAVE]
            await work.take([one for one in page if not one.declines or one.entry.fate is Fate.LEAVE])
            if work.is_over:
                break
    for start in range(0, len(declined), _SLICE):
        if not work.is_over:
            read = await integration.mailbox.read(declined[start : start + _SLICE])
            await work.take(await walk.again([one for one in read if isinstance(one, Observation)]))
    if walk.unread:
        work.result.left[UNREADABLE] = len(walk.unread)
    if options.reach.is_whole and not work.is_over:
        await work.end(await gone(integration, storage, walk, clock()), walk)
    if options.reach.is_whole and not work.is_over:
        fresh = await OwnedRooms.load(integration, wanted=lambda mark: not walk.needs(mark))
        await work.remove((await orphans(integration, storage, walk, fresh, clock())).entries)
    work.tell()
    return work.result


@dataclass(slots=True)
class _Work:
    integration: Integration
    storage: Storage
    attendant: Attendant
    clock: Clock
    options: Options
    expected: int
    progress: Progress
    stopped: Callable[[], bool]
    pause: Pause
    step: Step
    result: Recovered = field(default_factory=Recovered)
    pace: Pace = field(init=False)
    in_a_row: int = 0

    def __post_init__(self) -> None:
        self.pace = Pace(per_minute_of(self.options, self.integration.mailbox.sends_per_minute))

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done."""
        if self.in_a_row >= _IN_VAIN:
            self.result.in_vain = self.result.stopped = True
        if self.stopped() or self.room_left == 0:
            self.result.stopped = True
        return self.result.stopped

    @property
    def room_left(self) -> int | None:
        """How many may still be changed; None: all."""
        limit = self.options.limit
        return None if limit is None else max(0, limit - self.result.changed - len(self.result.failed))

    def tell(self) -> None:
        """Say how far it got."""
        done = self.result.changed + len(self.result.failed)
        self.progress("recover", done, max(done, self.expected))

    async def take(self, sighted: Sequence[Sighted]) -> None:
        """Let the pass take up what is to be changed, in order, no more at once than may be told now."""
        changing = [one for one in sighted if one.entry.fate is not Fate.LEAVE]
        self.result.left.update(one.entry.detail for one in sighted if one.entry.fate is Fate.LEAVE)
        usual = [one for one in changing if one.entry.fate is not Fate.MAKE]
        afresh = [one for one in changing if one.entry.fate is Fate.MAKE]
        updates = self.options.updates
        for part in self._parts(usual):
            await self._take_up(part, Manner(updates=updates, untold=updates))
        for part in self._parts(afresh):
            await self._take_up(part, Manner(updates=updates, untold=updates, afresh=True))
        self.tell()

    def _parts(self, sighted: Sequence[Sighted]) -> Iterator[list[Sighted]]:
        """Cut into parts of which none tells more people than may be told in a minute; the time to wait is the part's own."""
        part: list[Sighted] = []
        most = max(1, self.pace.most)
        for one in sighted:
            if one.told and sum(other.told for other in part) >= most:
                yield part
                part = []
            part.append(one)
        if part:
            yield part

    async def _take_up(self, part: list[Sighted], manner: Manner) -> None:
        telling = sum(one.told for one in part)
        while telling and not self.is_over and self.pace.free(self.clock()) < telling:
            self.tell()
            await self.pause(max(1.0, self.pace.wait(self.clock()).total_seconds()))
        if self.is_over:
            return
        part = part[: self.room_left]
        began = self.clock()
        cases = await self.attendant.take_up([one.observation for one in part], manner=manner)
        self.step("taken-up")
        self.pace.told(telling, self.clock())
        await self._note(part, cases, began, telling=telling > 0)
        log.info(
            "recovering", integration=self.integration.name, done=self.result.changed, failed=len(self.result.failed)
        )

    async def _note(self, part: Sequence[Sighted], cases: Sequence[Case], began: datetime, *, telling: bool) -> None:
        """Write what became of each into the journal, and count."""
        now, number, lines = self.clock(), self.integration.number, []
        for one, case in zip(part, cases, strict=True):
            entry = Entry(
                _as_done(one, case),
                one.entry.detail,
                key=one.entry.key,
                starts_at=one.entry.starts_at,
                organizer=one.entry.organizer,
                alias=one.entry.alias,
                correlation_id=case.record.correlation_id,
            )
            if _has_failed(one, case):
                self._failed(entry)
                continue
            self.in_a_row = 0
            self.result.done[entry.fate] += 1
            self.result.waiting += case.waiting
            lines.append(entry_of(case.record, now, RECOVERED, entry.fate.value, entry.detail))
        async with self.storage.work() as work:
            await work.journal.append(lines)
            if telling:
                keys = {case.record.key for case in cases}
                replied = await work.journal.recent(number, "replied", began)
                written = await work.journal.recent(number, "instructions", began)
                self.result.mails += sum(o.key in keys and o.code in _OUTCOMES and o.detail != MARKED for o in replied)
                self.result.updates += sum(one.key in keys and one.code == "written" for one in written)
        self.step("recovered")

    def _failed(self, entry: Entry) -> None:
        self.in_a_row += 1
        self.result.failed.append(entry)
        log.warning("not recovered", correlation=entry.correlation_id, fate=entry.fate.value, mark=entry.mark)

    async def end(self, standings: Sequence[Standing], walk: Walk) -> None:
        """End what is in the calendar no more; what is there after all is looked at."""
        for standing in standings:
            if self.is_over:
                return
            entry = ending(standing)
            try:
                observation = await self.integration.mailbox.find(standing.key)
            except (TryLaterError, ItemBrokenError) as error:
                log.warning("meeting not searched", mark=standing.key.digest, code=error.code)
                self._failed(entry)
                continue
            if observation is not None:
                await self.take(await walk.again([observation]))
                continue
            record = await self._end_one(standing)
            if record is not None and record.retry_at is not None and record.held is None:
                self._failed(entry)
            elif record is not None:
                self.in_a_row = 0
                self.result.done[Fate.END] += 1
            self.tell()

    async def _end_one(self, standing: Standing) -> Record | None:
        """End one meeting; returns its record as it is then, or None if there was none to end."""
        number, key = self.integration.number, standing.key
        async with self.attendant.undisturbed:
            async with self.storage.reading() as work:
                before = (await work.meetings.by_keys(number, [key])).get(key)
            if before is None:
                return None
            await end_vanished(self.integration, self.storage, [before], self.clock(), self.step)
            async with self.storage.work() as work:
                after = (await work.meetings.by_keys(number, [key]))[key]
                if after.state is State.ENDED:
                    await work.journal.append([entry_of(after, self.clock(), RECOVERED, Fate.END.value)])
        return after

    async def remove(self, entries: Sequence[Entry]) -> None:
        """Close rooms that no meeting has, each after a last look at the records."""
        for entry in entries:
            if self.is_over:
                return
            async with self.attendant.undisturbed:
                async with self.storage.reading() as work:
                    found = await work.housing.of(self.integration.number, [entry.mark])
                if any(needs_room(one) for one in found):
                    continue
                try:
                    await self.integration.platform.retire(entry.mark)
                except PlatformError as error:
                    log.warning("room not retired", mark=entry.mark, error=type(error).__name__)
                    self._failed(entry)
                    continue
            self.in_a_row = 0
            self.result.done[Fate.ORPHAN] += 1
            log.info("orphan removed", integration=self.integration.name, mark=entry.mark)
            self.step("orphan")
            self.tell()


def _as_done(one: Sighted, case: Case) -> Fate:
    """Say what was done: in the meantime another meeting may have come with the same ticket."""
    drawn = case.decision.alias is AliasSource.DRAW
    return Fate.NEW if drawn and one.entry.fate in _NEWLY else one.entry.fate


def _has_failed(one: Sighted, case: Case) -> bool:
    """Whether a meeting has to be tried again, or the platform refused its room."""
    if case.record.state is State.DEFECTIVE or (case.waiting and case.record.attempts > 0):
        return True
    return case.decision.state is State.DECLINED and not one.declines
