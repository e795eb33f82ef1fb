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
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greenroom.meetings.recurrence import Occurrence, Series, occurrences_of

_MOST_JOINED = 64


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


Times = Series | Once


@dataclass(frozen=True, slots=True)
class Admission:
    """When a room lets people in: `before` ahead of each start until `after` past each end. Pure: the time comes in."""

    times: tuple[Times, ...]
    before: timedelta
    after: timedelta

    def is_open(self, now: datetime) -> bool:
        """Whether people are let in at this instant."""
        return any(self._covering(one, now) for one in self.times)

    def at(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that is open now; None if none is."""
        covering = [one for times in self.times for one in self._covering(times, now)]
        if not covering:
            return None
        return self._window(covering, now)

    def following(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that opens next, behind this instant; None if none does, or none is in sight."""
        moment = now
        for _ in range(_MOST_JOINED):
            nexts = [one for times in self.times if (one := _after(times, moment + self.before)) is not None]
            if not nexts:
                return None
            first = min(nexts, key=lambda one: one.start)
            opens = first.start - self.before
            if not any(self._covering(times, opens - _TICK) for times in self.times):
                return self.at(opens)
            moment = opens
        return None

    def previous(self, now: datetime) -> Occurrence | None:
        """Return the occurrence that started last, at this instant or before; None before the first."""
        found = [one for times in self.times if (one := _before(times, now)) is not None]
        return max(found, key=lambda one: one.start, default=None)

    @property
    def first_opens(self) -> datetime | None:
        """When people are let in first; None if nothing takes place at all."""
        found = [one.start for times in self.times if (one := _after(times, _EVER)) is not None]
        return min(found) - self.before if found else None

    @property
    def closes(self) -> datetime | None:
        """When the last window closes for good; None if that is never, or not known."""
        last = _EVER
        for times in self.times:
            end = last_end(times)
            if end is None:
                return None
            last = max(last, end)
        return last if last == _EVER else last + self.after

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
            return cls(times, timedelta(seconds=said["before"]), timedelta(seconds=said["after"]))
        except (KeyError, TypeError) as error:
            raise ValueError("this is not an admission") from error

    def _covering(self, times: Times, now: datetime) -> Iterable[Occurrence]:
        if isinstance(times, Series):
            return occurrences_of(times).covering(now, self.before, self.after)
        if times.start - self.before <= now and (times.end is None or now < times.end + self.after):
            return (_as_occurrence(times),)
        return ()

    def _window(self, covering: list[Occurrence], now: datetime) -> AdmissionWindow:
        running = [one for one in covering if one.start <= now < one.end]
        coming = [one for one in covering if one.start > now]
        shown = min(running or coming, key=lambda one: one.start) if running or coming else covering[-1]
        opens = min(one.start for one in covering) - self.before
        return AdmissionWindow(opens, shown.start, shown.end, self._closing(covering))

    def _closing(self, covering: list[Occurrence]) -> datetime | None:
        """Follow windows that touch to where they end."""
        for _ in range(_MOST_JOINED):
            end = max(one.end for one in covering)
            if end == _NEVER:
                return None
            closes = end + self.after
            more = [one for times in self.times for one in self._covering(times, closes)]
            if not more:
                return closes
            covering = more
        return None


_TICK = timedelta(microseconds=1)
_EVER = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


def last_end(times: Times) -> datetime | None:
    """When it is over for good; None where that is never, or not known. With nothing left of a series: long ago."""
    if isinstance(times, Once):
        return times.end
    found = occurrences_of(times)
    return None if found.is_endless else found.last_end or _EVER


def _as_occurrence(once: Once) -> Occurrence:
    return Occurrence(once.start.date(), once.start, once.end or _NEVER)


def _after(times: Times, instant: datetime) -> Occurrence | None:
    if isinstance(times, Series):
        return occurrences_of(times).after(instant)
    return _as_occurrence(times) if times.start > instant else None


def _before(times: Times, instant: datetime) -> Occurrence | None:
    if isinstance(times, Series):
        return occurrences_of(times).before(instant)
    return _as_occurrence(times) if times.start <= instant else None


def _write(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _end(text: str | None) -> datetime | None:
    return None if text is None else _read(text)


__all__ = ["Admission", "AdmissionWindow", "Once", "Times", "last_end"]
