"""The windows of a room: what opens and closes when, for all the meetings that it serves together.

```
Times             Series, or Once
AdmissionWindow   one stretch of time in which people are let in, whatever occurrences it is made of
Windows           the questions to all times of a room, each with its margins
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from greenroom.meetings.recurrence import Occurrence, Occurrences, Series
from greenroom.meetings.zones import slack_of

_MOST_JOINED = 64
_TICK = timedelta(microseconds=1)
EVER = datetime(1601, 1, 1, tzinfo=UTC)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)


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
    def bounded(self) -> "Once":
        """The part of it that lies within all calendars: a stranger may invite until the last minute of time."""
        if self.start >= EVER and (self.start if self.end is None else self.end) <= NEVER:
            return self
        return Once(_within(self.start), None if self.end is None else _within(self.end))

    @property
    def occurrence(self) -> Occurrence:
        """The only one."""
        return Occurrence(self.start.date(), self.start, self.end or NEVER)

    def is_covered(self, instant: datetime, before: timedelta, after: timedelta) -> bool:
        """Answer as `Occurrences.is_covered` does."""
        return self.start <= instant + before and (self.end is None or instant - after < self.end)

    def state(self, instant: datetime, before: timedelta, after: timedelta) -> tuple[bool, datetime | None]:
        """Answer as `Occurrences.state` does."""
        if self.is_covered(instant, before, after):
            return True, self.end and self.end + after
        return False, self.start - before if instant < self.start - before else None

    def covering(self, instant: datetime, before: timedelta, after: timedelta) -> list[Occurrence]:
        """Answer as `Occurrences.covering` does."""
        return [self.occurrence] if self.is_covered(instant, before, after) else []

    def stretch(
        self, instant: datetime, before: timedelta, after: timedelta
    ) -> tuple[datetime, datetime | None] | None:
        """Answer as `Occurrences.stretch` does."""
        return (self.start, self.end) if self.is_covered(instant, before, after) else None

    def coming(self, instant: datetime) -> tuple[Occurrence, datetime | None] | None:
        """Answer as `Occurrences.coming` does."""
        return (self.occurrence, None) if self.start > instant else None

    def before(self, instant: datetime) -> Occurrence | None:
        """Answer as `Occurrences.before` does."""
        return self.occurrence if self.start <= instant else None


def _within(at: datetime) -> datetime:
    return min(max(at, EVER), NEVER)


Times = Series | Once


class _Opening(NamedTuple):
    """The window of one occurrence."""

    opens: datetime
    closes: datetime
    occurrence: Occurrence


class Source:
    """One meeting with its own margins: where a zone's clocks are not known, they are wider by what that can do."""

    __slots__ = ("after", "before", "found")

    def __init__(self, times: Times, before: timedelta, after: timedelta) -> None:
        self.found: Occurrences | Once = times.occurrences if isinstance(times, Series) else times.bounded
        slack = slack_of(times.zone) if isinstance(times, Series) else timedelta()
        self.before = before + slack
        self.after = after + slack

    def is_open(self, now: datetime) -> bool:
        return self.found.is_covered(now, self.before, self.after)

    def state(self, now: datetime) -> tuple[bool, datetime | None]:
        return self.found.state(now, self.before, self.after)

    def openings(self, now: datetime) -> list[_Opening]:
        return [self._opening(one) for one in self.found.covering(now, self.before, self.after)]

    def stretch(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Return when what is open now opened and closes, with what touches it as far as that is known at once."""
        found = self.found.stretch(now, self.before, self.after)
        if found is None:
            return None
        start, end = found
        return start - self.before, NEVER if end is None else end + self.after

    def coming(self, now: datetime) -> tuple[_Opening, datetime] | None:
        """Return what opens first behind this instant, and when the next but one opens."""
        found = self.found.coming(now + self.before)
        if found is None:
            return None
        one, then = found
        return self._opening(one), NEVER if then is None else then - self.before

    def _opening(self, one: Occurrence) -> _Opening:
        return _Opening(one.start - self.before, one.end + self.after, one)


class Windows:
    """Answers for all meetings of a room, and remembers how long an answer holds: nearly all questions are about now."""

    __slots__ = ("_coming", "_state", "sources")

    def __init__(self, times: tuple[Times, ...], before: timedelta, after: timedelta) -> None:
        self.sources = tuple(Source(one, before, after) for one in times)
        self._state = False, NEVER, EVER  # the answer, from when it holds, and until when
        self._coming: tuple[AdmissionWindow | None, datetime, datetime] = None, NEVER, EVER

    def is_open(self, now: datetime) -> bool:
        """Whether any window is open."""
        answer, since, until = self._state
        if not since <= now < until:
            states = [source.state(now) for source in self.sources]
            answer = any(is_open for is_open, _ in states)
            ends = [end or NEVER for is_open, end in states if is_open == answer]
            self._state = answer, now, (max if answer else min)(ends, default=NEVER)
        return answer

    def state(self, now: datetime) -> tuple[bool, datetime]:
        """Answer as `Admission.state` says."""
        return self.is_open(now), self._state[2]

    def at(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that is open now, as `Admission.at` says."""
        if not self.is_open(now):
            return None
        return _window(self._openings(now), now, self._opened(now), self._closing(now))

    def following(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that opens next, as `Admission.following` says."""
        answer, since, until = self._coming
        if not since <= now < until:
            answer, until = self._following(now)
            self._coming = answer, now, until
        return answer

    def _following(self, now: datetime) -> tuple[AdmissionWindow | None, datetime]:
        """Return the next separate window, and until when it is that."""
        moment = now
        if self._is_open(now):
            closes = self._closing(now)
            if closes is None:
                return None, now
            moment = closes
        for _ in range(_MOST_JOINED):
            coming = [one for source in self.sources if (one := source.coming(moment)) is not None]
            if not coming:
                return None, NEVER
            first, then = coming[0]
            if len(coming) == 1 and first.opens < first.closes < then:
                shown = first.occurrence
                return AdmissionWindow(first.opens, shown.start, shown.end, first.closes), first.opens
            moment = min(one.opens for one, _ in coming)
            if openings := self._openings(moment):
                return _window(openings, moment, moment, self._closing(moment)), moment
            # What takes no time, without margins, lets nobody in.
        return None, now

    def _is_open(self, now: datetime) -> bool:
        for source in self.sources:  # noqa: SIM110 (a generator costs as much as a tenth of the answer)
            if source.is_open(now):
                return True
        return False

    def _openings(self, now: datetime) -> list[_Opening]:
        return [one for source in self.sources for one in source.openings(now)]

    def _stretch(self, now: datetime) -> tuple[datetime, datetime] | None:
        found = [one for source in self.sources if (one := source.stretch(now)) is not None]
        if len(found) > 1:
            return min(opens for opens, _ in found), max(closes for _, closes in found)
        return found[0] if found else None

    def _opened(self, now: datetime) -> datetime:
        """Follow windows that touch back to where they begin."""
        opens, found = now, self._stretch(now)
        for _ in range(1 + _MOST_JOINED):
            if found is None:
                break
            opens = found[0]
            found = self._stretch(opens - _TICK)
        return opens

    def _closing(self, now: datetime) -> datetime | None:
        """Follow windows that touch to where they end."""
        closes = now
        for _ in range(1 + _MOST_JOINED):
            further = self._stretch(closes)
            if further is None:
                return closes
            closes = further[1]
            if closes >= NEVER:
                return None
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
    return None if found.is_endless else found.last_end or EVER
