"""Occurrences: what of a series takes place when, asked in place, without expanding it.

Start and end of what follows the rule are in the order of its days, whatever clocks do; so everything is found beside the day of
the instant in question: `_latest`. What moved is kept in order of start, with the latest end so far beside it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from greenroom.meetings.rule_days import Days
from greenroom.meetings.zones import tzinfo_of

if TYPE_CHECKING:
    from greenroom.meetings.recurrence import Series

_DAY = timedelta(days=1)
_CHANGE = timedelta(hours=2)
"""No change of the clocks that people live by is longer."""
_MOST_COVERING = 16


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One dated instance of a series; instants are in UTC."""

    day: date
    start: datetime
    end: datetime


class Occurrences:
    """What of a series takes place when. Make it once and ask often; instants may be in any zone, answers are in UTC."""

    __slots__ = (
        "_asked",
        "_begins",
        "_by_day",
        "_days",
        "_length",
        "_moved",
        "_named",
        "_reach",
        "_starts",
        "_wall",
        "_zone",
        "is_endless",
    )

    def __init__(self, series: "Series") -> None:
        self.is_endless = series.rule.is_endless
        self._zone = tzinfo_of(series.zone)
        self._wall = series.begins
        self._begins = series.begins.replace(tzinfo=self._zone)
        self._length = series.length
        self._named = Days(series.rule)
        self._by_day = {one.day: Occurrence(one.day, one.start, one.end) for one in series.moved}
        changed = [day.toordinal() for day in (*self._by_day, *series.gone)]
        self._days = Days(series.rule, changed) if changed else self._named
        self._moved = sorted(self._by_day.values(), key=_order)
        self._starts = [one.start for one in self._moved]
        self._reach = list(accumulate((one.end for one in self._moved), max))
        self._asked: tuple[datetime | None, tuple[int, datetime] | None] = None, None

    def day_of(self, original: datetime | date) -> date:
        """Return the day an occurrence was first meant for, from its original start.

        An instant told under other zone data may miss the rule's times by a little: the nearest day then counts.
        """
        if not isinstance(original, datetime):
            return original
        local = original.astimezone(self._zone).toordinal()
        if self._named.has(local) and self._start(local) == original:
            return date.fromordinal(local)
        named = [day for day in (local, local - 1, local + 1) if self._named.has(day)]
        nearest = min(named, key=lambda day: abs(self._start(day) - original), default=local)
        return date.fromordinal(nearest if named and abs(self._start(nearest) - original) < _DAY / 4 else local)

    def on(self, day: date) -> Occurrence | None:
        """Return the occurrence first meant for this day, wherever it is now; None if there is none, or none any more."""
        ordinal = day.toordinal()
        return self._by_day.get(day) or (self._plain(ordinal) if self._days.has(ordinal) else None)

    def after(self, instant: datetime) -> Occurrence | None:
        """Return the occurrence that starts first behind this instant; None if there is none."""
        return next(iter(self.upcoming(instant, 1)), None)

    def upcoming(self, instant: datetime, most: int = 2) -> list[Occurrence]:
        """Return the next occurrences that start behind this instant, in order, not more than `most`."""
        latest = self._latest(instant)
        day = None if latest is None else latest[0]
        index = bisect_right(self._starts, instant)
        found = self._moved[index : index + most]
        for _ in range(most):
            day = self._days.first if day is None else self._days.on_or_after(day + 1)
            if day is None:
                break
            found.append(self._plain(day))
        if len(found) > most:
            found.sort(key=_order)
            del found[most:]
        return found

    def coming(self, instant: datetime) -> tuple[Occurrence, datetime | None] | None:
        """Return the occurrence that starts first behind this instant, and when the next but one starts."""
        if self._starts:
            found = self.upcoming(instant)
            return (found[0], found[1].start if len(found) > 1 else None) if found else None
        latest = self._latest(instant)
        day = self._days.first if latest is None else self._days.on_or_after(latest[0] + 1)
        if day is None:
            return None
        then = self._days.on_or_after(day + 1)
        return self._plain(day), None if then is None else self._start(then)

    def before(self, instant: datetime) -> Occurrence | None:
        """Return the occurrence that started last, at this instant or before; None if there is none."""
        latest = self._latest(instant)
        plain = None if latest is None else self._plain(latest[0])
        index = bisect_right(self._starts, instant)
        if index == 0:
            return plain
        moved = self._moved[index - 1]
        return moved if plain is None or moved.start > plain.start else plain

    def between(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield in order of start, then of days, what touches the time from `since` to before `until`.

        What has no length counts, too.
        """
        near = self._moved[bisect_left(self._reach, since) : bisect_right(self._starts, until)]
        moved = (one for one in near if _touches(one, since, until))
        waiting = next(moved, None)
        for plain in self._plain_between(since, until):
            while waiting is not None and _order(waiting) < _order(plain):
                yield waiting
                waiting = next(moved, None)
            yield plain
        if waiting is not None:
            yield waiting
        yield from moved

    def is_covered(self, instant: datetime, before: timedelta, after: timedelta) -> bool:
        """Whether any occurrence lets people in at this instant: the short form of `covering`."""
        return self._covered(instant + before, instant - after, self._latest(instant + before)) is not None

    def state(self, instant: datetime, before: timedelta, after: timedelta) -> tuple[bool, datetime | None]:
        """Return whether any occurrence lets people in at this instant, and until when this holds at least; None: for ever."""
        latest = self._latest(instant + before)
        end = self._covered(instant + before, instant - after, latest)
        if end is not None:
            return True, end + after
        day = self._days.first if latest is None else self._days.on_or_after(latest[0] + 1)
        index = bisect_right(self._starts, instant + before)
        coming = self._starts[index : index + 1]
        if day is not None:
            coming.append(self._start(day))
        return False, min(coming) - before if coming else None

    def _covered(self, begun: datetime, ended: datetime, latest: tuple[int, datetime] | None) -> datetime | None:
        """Return the end of an occurrence that has begun by the one instant, and not ended by the other."""
        if latest is not None:
            day, start = latest
            end = self._end(datetime.combine(date.fromordinal(day), self._begins), start)
            if end > ended:
                return end
        if self._starts:
            index = bisect_right(self._starts, begun)
            if index > 0 and self._reach[index - 1] > ended:
                return self._reach[index - 1]
        return None

    def covering(self, instant: datetime, before: timedelta, after: timedelta) -> list[Occurrence]:
        """Return the occurrences that let people in at this instant, in order of start; of very many, the latest.

        Those are the ones from `before` ahead of the start (inclusive) to `after` past the end (exclusive).
        """
        begun, ended = instant + before, instant - after
        found: list[Occurrence] = []
        latest = self._latest(begun)
        day = None if latest is None else latest[0]
        while day is not None and len(found) < _MOST_COVERING and (plain := self._plain(day)).end > ended:
            found.append(plain)
            day = self._days.on_or_before(day - 1)
        index, most = bisect_right(self._starts, begun), len(found) + _MOST_COVERING
        while index > 0 and self._reach[index - 1] > ended and len(found) < most:
            index -= 1
            if self._moved[index].end > ended:
                found.append(self._moved[index])
        found.sort(key=_order)
        return found[-_MOST_COVERING:]

    def stretch(
        self, instant: datetime, before: timedelta, after: timedelta
    ) -> tuple[datetime, datetime | None] | None:
        """Return the first start and the last end of the windows that touch around this instant; None if none is open.

        Of those it returns what is known at once: the windows that are open, and days in a row, as many as there are. What touches
        an end may go on behind it. The end is None where a rule without end keeps it open for ever.
        """
        begun, ended = instant + before, instant - after
        starts: list[datetime] = []
        ends: list[datetime] = []
        latest = self._latest(begun)
        if latest is not None and (plain := self._plain(latest[0])).end > ended:
            last = latest[0]
            if self._joins(before + after):
                first, last = self._days.run(last)
                if self.is_endless and last == self._days.last:
                    return self._start(first), None
            else:
                first = self._earliest(ended) or last
                while first < last and self._plain(first).end <= ended:
                    first = self._days.on_or_after(first + 1) or last
            starts.append(self._start(first))
            ends.append(plain.end if last == latest[0] else self._plain(last).end)
        index = bisect_right(self._starts, begun)
        if index > 0 and self._reach[index - 1] > ended:
            starts.append(self._starts[bisect_right(self._reach, ended)])
            ends.append(self._reach[index - 1])
        return (min(starts), max(ends)) if starts else None

    def _joins(self, margins: timedelta) -> bool:
        """Whether windows of neighbours always touch, with that much around them: also across a change of the clocks."""
        widest = self._named.widest * _DAY
        return self._length >= widest and (not self._length % _DAY or self._length + margins >= widest + _CHANGE)

    def _earliest(self, ended: datetime) -> int | None:
        """Return a day up to which all that follows the rule has ended by this instant, and hardly any day before it."""
        return self._days.on_or_after(max(1, (ended - self._length).toordinal() - 2))

    @property
    def first(self) -> Occurrence | None:
        """The occurrence that starts first; None if none is left."""
        return self.after(datetime.min.replace(tzinfo=UTC))

    @property
    def last_end(self) -> datetime | None:
        """When the last one ends; None for a series without end, and for one of which nothing is left."""
        if self.is_endless:
            return None
        last = self._days.last
        ends = self._reach[-1:] if last is None else [*self._reach[-1:], self._plain(last).end]
        return max(ends, default=None)

    # --- what follows the rule ------------------------------------------------------------------------------------

    def _start(self, day: int) -> datetime:
        return datetime.combine(date.fromordinal(day), self._begins).astimezone(UTC)

    def _end(self, wall: datetime, start: datetime) -> datetime:
        end = (wall + self._length).astimezone(UTC)
        # No later than the start: the hour in which it takes place is skipped. The exact length then counts.
        return end if end > start else start + self._length

    def _plain(self, day: int) -> Occurrence:
        date_ = date.fromordinal(day)
        wall = datetime.combine(date_, self._begins)
        start = wall.astimezone(UTC)
        return Occurrence(date_, start, self._end(wall, start))

    def _plain_between(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        day = self._earliest(since)
        while day is not None and (plain := self._plain(day)).start < until:
            if _touches(plain, since, until):
                yield plain
            day = self._days.on_or_after(day + 1)

    def _latest(self, instant: datetime) -> tuple[int, datetime] | None:
        """Return day and start of the last occurrence that follows the rule and starts at this instant or before.

        By the clock on the wall it is not later than the instant, except while the clocks, put back, show an hour for the second
        time: what was meant for a later minute of it has begun. And what was meant for a skipped hour begins only behind it.
        """
        asked, answer = self._asked
        if asked == instant:
            return answer  # nearly always there is a second question to the same instant
        try:
            local = instant.astimezone(self._zone)
        except OverflowError:
            local = instant
        later = local.fold if local.fold or local.time() >= self._wall else -1
        day = self._days.on_or_before(local.toordinal() + later)
        while day is not None and (start := self._start(day)) > instant:
            day = self._days.on_or_before(day - 1)
        answer = None if day is None else (day, start)
        self._asked = instant, answer
        return answer


def _order(one: Occurrence) -> tuple[datetime, date]:
    return one.start, one.day


def _touches(one: Occurrence, since: datetime, until: datetime) -> bool:
    return one.start < until and (one.end > since or one.start == one.end >= since)
