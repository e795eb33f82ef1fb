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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from greenroom.meetings.admission_windows import EVER, NEVER, AdmissionWindow, Once, Times, Windows, last_end
from greenroom.meetings.recurrence import Occurrence, Series

_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Admission:
    """When a room lets people in: `before` ahead of each start until `after` past each end. Pure: the time comes in.

    It prepares itself at the first question, and remembers its last answers while they hold: keep it where questions come often.
    """

    times: tuple[Times, ...]
    before: timedelta
    after: timedelta

    @cached_property
    def _windows(self) -> Windows:
        return Windows(self.times, self.before, self.after)

    def is_open(self, now: datetime) -> bool:
        """Whether people are let in at this instant."""
        return self._windows.is_open(now)

    def state(self, now: datetime) -> tuple[bool, datetime]:
        """Whether people are let in at this instant, and until when at least the answer stays so."""
        return self._windows.state(now)

    def at(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that is open now; None if none is.

        Of windows that touch without end, not all are followed: it then has been open for long, and closes at no time in sight.
        """
        return self._windows.at(now)

    def following(self, now: datetime) -> AdmissionWindow | None:
        """Return the window that opens next, behind this instant; None if none does, or none is in sight.

        While one is open, it is the next that is separate from it.
        """
        return self._windows.following(now)

    def previous(self, now: datetime) -> Occurrence | None:
        """Return the occurrence that started last, at this instant or before; None before the first."""
        found = [one for source in self._windows.sources if (one := source.found.before(now)) is not None]
        return max(found, key=lambda one: one.start, default=None)

    @property
    def first_opens(self) -> datetime | None:
        """When people are let in first; None if nothing takes place at all."""
        found = [one for source in self._windows.sources if (one := source.coming(EVER)) is not None]
        return min((first.opens for first, _ in found), default=None)

    @property
    def closes(self) -> datetime | None:
        """When the last window closes for good; None if that is never, or not known."""
        last = EVER
        for times, source in zip(self.times, self._windows.sources, strict=True):
            end = last_end(times)
            if end is None:
                return None
            last = max(last, end if end == EVER else min(end, NEVER) + source.after)
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
