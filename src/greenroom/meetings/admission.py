"""When a room lets people in: a window around every occurrence of every meeting it serves.

```
        before            after
 closed ┌─────┬──────────┬─────┐ closed ┌───── the next occurrence ...
        opens starts   ends  closes     └ windows that touch are one
```

Most rooms serve one meeting; a room that a series hands on to the one that follows it, or that several single occurrences of one
series share, serves more (`times` has one entry for each).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from greenroom.meetings.recurrence import Occurrence, Occurrences, Series
from greenroom.meetings.zones import slack_of

_MOST_JOINED = 64
_TICK = timedelta(microseconds=1)
_EVER = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class AdmissionWindow:
    """From `opens` (inclusive) to `closes` (exclusive) people are let in; `closes` None means that no end is in sight.

    `starts` and `ends` are of the occurrence it is about: the running one, else the next, else the last.
    """

    opens: datetime
    starts: datetime
    ends: datetime
    closes: datetime | None


@dataclass(frozen=True, slots=True)
class Once:
    """A meeting that takes place once; or, with `end` None, a series of which only its beginning can be told."""

    start: datetime
    end: datetime | None

    @property
    def occurrence(self) -> Occurrence:
        """The only one."""
        return Occurrence(self.start.date(), self.start, self.end or _NEVER)

    def is_covered(self, instant: datetime, before: timedelta, after: timedelta) -> bool:
        """Answer as `Occurrences.is_covered` does."""
        return self.start <= instant + before and (self.end is None or instant - after < self.end)

    def covering(self, instant: datetime, before: timedelta, after: timedelta) -> list[Occurrence]:
        """Answer as `Occurrences.covering` does."""
        return [self.occurrence] if self.is_covered(instant, before, after) else []

    def after(self, instant: datetime) -> Occurrence | None:
        """Answer as `Occurrences.after` does."""
        return self.occurrence if self.start > instant else None

    def before(self, instant: datetime) -> Occurrence | None:
        """Answer as `Occurrences.before` does."""
        return self.occurrence if self.start <= instant else None


Times = Series | Once


class _Opening(NamedTuple):
    """The window of one occurrence."""

    opens: datetime
    closes: datetime
    occurrence: Occurrence


class _Source:
    """One meeting with its own margins: where a zone's clocks are not known, they are wider by what that can do."""

    __slots__ = ("after", "before", "found")

    def __init__(self, times: Times, before: timedelta, after: timedelta) -> None:
        self.found: Occurrences | Once = times.occurrences if isinstance(times, Series) else times
        slack = slack_of(times.zone) if isinstance(times, Series) else timedelta()
        self.before = before + slack
        self.after = after + slack

    def is_open(self, now: datetime) -> bool:
        return self.found.is_covered(now, self.before, self.after)

    def openings(self, now: datetime) -> list[_Opening]:
        return [self._opening(one) for one in self.found.covering(now, self.before, self.after)]

    def following(self, now: datetime) -> _Opening | None:
        one = self.found.after(now + self.before)
        return None if one is None else self._opening(one)

    def _opening(self, one: Occurrence) -> _Opening:
        return _Opening(one.start - self.before, one.end + self.after, one)


@dataclass(frozen=True)
class Admission:
    """When a room lets people in: `before` ahead of each start until `after` past each end. Pure: the time comes in.

    It prepares itself at the first question: keep it where questions come often.
    """

    times: tuple[Times, ...]
    before: timedelta
    after: timedelta

    @cached_property
    def _sources(self) -> tuple[_Source, ...]:
        return tuple(_Source(times, self.before, self.after) for times in self.times)

    def is_open(self, now: datetime) -> bool:
        """Whether people are let in at this instant."""
        for source in self._sources:  # noqa: SIM110 (asked at every call to a room: a generator would cost as much again)
            if source.is_open(now):
                return True
        return False

    def at(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that is open now; None if none is.

        Of windows that touch without end, not all are followed: it then has been open for long, and closes at no time in sight.
        """
        if not self.is_open(now):
            return None
        openings = self._openings(now)
        return _window(openings, now, self._opened(openings), self._closing(openings))

    def following(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that opens next, behind this instant; None if none does, or none is in sight.

        While one is open, it is the next that is separate from it.
        """
        moment = now
        for _ in range(_MOST_JOINED):
            if self.is_open(moment):
                closes = self._closing(self._openings(moment))
                if closes is None:
                    return None
                moment = closes
            coming = [one for source in self._sources if (one := source.following(moment)) is not None]
            if not coming:
                return None
            moment = min(one.opens for one in coming)
            first = [one for one in coming if one.opens == moment < one.closes] or self._openings(moment)
            if first:
                return _window(first, moment, moment, self._closing(first))
        return None

    def previous(self, now: datetime) -> Occurrence | None:
        """Return the occurrence that started last, at this instant or before; None before the first."""
        found = [one for source in self._sources if (one := source.found.before(now)) is not None]
        return max(found, key=lambda one: one.start, default=None)

    @property
    def first_opens(self) -> datetime | None:
        """When people are let in first; None if nothing takes place at all."""
        found = [one.opens for source in self._sources if (one := source.following(_EVER)) is not None]
        return min(found, default=None)

    @property
    def closes(self) -> datetime | None:
        """When the last window closes for good; None if that is never, or not known."""
        last = _EVER
        for times, source in zip(self.times, self._sources, strict=True):
            end = last_end(times)
            if end is None:
                return None
            last = max(last, end if end == _EVER else end + source.after)
        return last

    def is_over(self, now: datetime) -> bool:
        """Whether nobody will ever be let in again."""
        closes = self.closes
        return closes is not None and now >= closes

    @property
    def text(self) -> str:
        """The canonical form, as storage keeps it."""
        times = [
            {"series": one.text} if isinstance(one, Series) else {"start": _write(one.start), "end": _write(one.end)}
            for one in self.times
        ]
        said = {"before": self.before.total_seconds(), "after": self.after.total_seconds(), "times": times}
        return json.dumps(said, separators=(",", ":"), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Admission":
        """Read `text`. Raises ValueError."""
        try:
            said = json.loads(text)
            times = tuple(
                Series.parse(one["series"]) if "series" in one else Once(_read(one["start"]), _end(one["end"]))
                for one in said["times"]
            )
            return cls(times, _margin(said["before"]), _margin(said["after"]))
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError("this is not an admission") from error

    def _openings(self, now: datetime) -> list[_Opening]:
        return [one for source in self._sources for one in source.openings(now)]

    def _opened(self, openings: Sequence[_Opening]) -> datetime:
        """Follow windows that touch back to where they begin."""
        opens = min(one.opens for one in openings)
        for _ in range(_MOST_JOINED):
            if not self.is_open(opens - _TICK):
                break
            opens = min(one.opens for one in self._openings(opens - _TICK))
        return opens

    def _closing(self, openings: Sequence[_Opening]) -> datetime | None:
        """Follow windows that touch to where they end."""
        for _ in range(_MOST_JOINED):
            closes = max(one.closes for one in openings)
            if closes >= _NEVER:
                return None
            if not self.is_open(closes):
                return closes
            openings = self._openings(closes)
        return None


def _window(openings: Sequence[_Opening], now: datetime, opens: datetime, closes: datetime | None) -> AdmissionWindow:
    shown = openings[0].occurrence
    if len(openings) > 1:
        found = sorted((one.occurrence for one in openings), key=lambda one: one.start)
        current = [one for one in found if one.start <= now < one.end] or [one for one in found if one.start > now]
        shown = current[0] if current else found[-1]
    return AdmissionWindow(opens, shown.start, shown.end, closes)


def last_end(times: Times) -> datetime | None:
    """When it is over for good; None where that is never, or not known. With nothing left of a series: long ago."""
    if isinstance(times, Once):
        return times.end
    found = times.occurrences
    return None if found.is_endless else found.last_end or _EVER


def _write(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _read(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return at.astimezone(UTC)


def _end(text: str | None) -> datetime | None:
    return None if text is None else _read(text)


def _margin(seconds: float) -> timedelta:
    margin = timedelta(seconds=seconds)
    if not timedelta() <= margin <= _LONGEST:
        raise ValueError("a margin is some time, and less than a year")
    return margin


__all__ = ["Admission", "AdmissionWindow", "Once", "Times", "last_end"]
