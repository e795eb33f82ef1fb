"""How the clocks of a zone are changed, as rules for one year and all that follow: what EWS and MAPI say of a zone.

```
zone ──▶ the changes of each year ──▶ years whose changes follow one rule ──▶ Era, Era, …
```

Found by looking at the zone's clock, so it serves zones of the tz database and those that a VTIMEZONE describes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_WEEK = timedelta(days=7)
_EXACT = timedelta(minutes=1)
_STEP = timedelta(days=12)  # nowhere clocks are changed forth and back within fewer days
_AHEAD = 12  # years: enough to tell the fourth Sunday of a month from the last, and to see what a VTIMEZONE lists
_FORTH_AND_BACK = 2


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of every year, at `time` after midnight by the clock before it; from then on `offset` counts.

    Either the `nth` (1 to 4, -1 the last) `weekday` (0 is Monday) of `month`, or its `day`.
    """

    month: int
    time: timedelta
    offset: timedelta
    weekday: int | None = None
    nth: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it came: the instant, and the offset from then on."""

    at: datetime
    offset: timedelta


@dataclass(frozen=True, slots=True)
class Era:
    """The years from `year` on. `january` is the offset they begin with.

    They have two `switches`, forth and back, or none. A year of its own kind has no switches but its `changes`.
    """

    year: int
    january: timedelta
    switches: tuple[Switch, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def begins(self) -> datetime:
        """The instant at which its first year begins."""
        return datetime(self.year, 1, 1, tzinfo=UTC) - self.january


@lru_cache(maxsize=256)
def eras(zone: tzinfo, year: int) -> tuple[Era, ...]:
    """The eras of a zone from a year on; the last is meant to hold for good."""
    found: list[Era] = []
    open_: list[set[Switch]] = []  # what the switches of the last era can be by all its years
    for number in range(year, year + _AHEAD):
        changes = _changes(zone, number)
        january = _offset(zone, datetime(number, 1, 1, tzinfo=UTC) - timedelta(hours=14))
        regular = not changes or (len(changes) == _FORTH_AND_BACK and changes[-1].offset == january)
        options = [_options(one, before) for one, before in _with_before(changes, january)] if regular else []
        if found and regular and not found[-1].changes and found[-1].january == january and len(open_) == len(options):
            both = [old & new for old, new in zip(open_, options, strict=True)]
            if all(both):
                open_ = both
                found[-1] = Era(found[-1].year, january, tuple(_best(one) for one in open_))
                continue
        open_ = options
        switches = tuple(_best(one) for one in options)
        found.append(Era(number, january, switches, () if regular else tuple(changes)))
    return tuple(found)


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _changes(zone: tzinfo, year: int) -> list[Change]:
    """The changes of a local year, in order."""
    found = []
    moment, end = datetime(year, 1, 1, tzinfo=UTC) - timedelta(hours=14), datetime(year + 1, 1, 1, 14, tzinfo=UTC)
    after = _offset(zone, moment)
    while moment < end:
        following = moment + _STEP
        before, after = after, _offset(zone, following)
        if before != after:
            low, high = moment, following
            while high - low > _EXACT:
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            at = (low + timedelta(seconds=59)).replace(second=0, microsecond=0)
            if (at + before).year == year:
                found.append(Change(at, after))
        moment = following
    return found


def _with_before(changes: list[Change], january: timedelta) -> list[tuple[Change, timedelta]]:
    befores = [january, *(one.offset for one in changes)]
    return list(zip(changes, befores, strict=False))


def _options(change: Change, before: timedelta) -> set[Switch]:
    """All yearly rules this change could come from."""
    local = (change.at + before).replace(tzinfo=None)
    time = timedelta(hours=local.hour, minutes=local.minute)
    found = {Switch(local.month, time, change.offset, day=local.day)}
    numbers = [(local.day - 1) // 7 + 1]
    if (local + _WEEK).month != local.month:
        numbers.append(-1)
    found |= {Switch(local.month, time, change.offset, local.weekday(), nth) for nth in numbers if nth < 5}  # noqa: PLR2004
    return found


def _best(options: set[Switch]) -> Switch:
    """Of several rules that fit, the last weekday of the month before the nth, and the date last of all."""
    return min(options, key=lambda one: (one.weekday is None, one.nth))
