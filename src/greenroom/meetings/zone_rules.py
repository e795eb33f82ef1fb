"""Time zones of their own: what calendars send when a zone's name tells nothing, as one canonical text.

```
definition = eras, each from an instant on (the first since ever):
  offset   seconds east of UTC at its beginning, and throughout if it has no onsets
  onsets   [month, weekday, day, time, before, after] of every year: clocks then go from `before` to `after`
             weekday 0 Monday to 6 Sunday: the first one from that day of the month on, or, with a negative day, the last one up
             to that day counted from the month's end; weekday -1: that day itself, the last one in a shorter month
             time: seconds from that day's midnight by the clock that was right before
```

`define` makes it of what Exchange says (EWS TimeZoneDefinition, MS-OXOCAL 2.2.1.41), `greenroom.meetings.vtimezone` of iCalendar.
Two protocols that tell the same zone make the same text. Everything is bounded: a definition comes from a stranger's calendar.
"""

import json
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

MAX_ERAS = 256
MAX_ONSETS = 8
MAX_TEXT = 32 * 1024
_DAY = 86400
_MONTHS = 12
_WEEK = 7
_LAST = (-1, 5)
_YEARS = (1, 9999)


@dataclass(frozen=True, slots=True, order=True)
class Yearly:
    """A change of the clocks on the same day of every year; the fields are those of the module's text."""

    month: int
    weekday: int
    day: int
    time: int
    before: int
    after: int

    def __post_init__(self) -> None:
        fits = (
            1 <= self.month <= _MONTHS
            and -1 <= self.weekday < _WEEK
            and (1 <= self.day <= 31 or (self.weekday >= 0 and -31 <= self.day <= -1))  # noqa: PLR2004 (days of a month)
            and -_DAY <= self.time <= 2 * _DAY
            and max(abs(self.before), abs(self.after)) < _DAY
        )
        if not fits:
            raise ValueError("this is no day of the year on which clocks could be changed")

    def on(self, year: int) -> int:
        """Return the proleptic ordinal of its day in a year."""
        length = monthrange(year, self.month)[1]
        if self.weekday < 0:
            return date(year, self.month, min(self.day, length)).toordinal()
        if self.day > 0:
            first = date(year, self.month, min(self.day, length)).toordinal()
            return first + (self.weekday + 1 - first) % _WEEK
        last = date(year, self.month, max(1, length + 1 + self.day)).toordinal()
        return last - (last - self.weekday - 1) % _WEEK

    def instant(self, year: int) -> int:
        """Return when it takes place in a year: seconds since the day with ordinal 0, in UTC."""
        return self.on(year) * _DAY + self.time - self.before


@dataclass(frozen=True, slots=True)
class Era:
    """A time with the same rules: from `begins` (UTC, seconds since the day with ordinal 0; None: since ever) on."""

    begins: int | None
    offset: int
    onsets: tuple[Yearly, ...] = ()

    def __post_init__(self) -> None:
        if abs(self.offset) >= _DAY:
            raise ValueError("an offset from UTC is less than a day")
        if len(self.onsets) > MAX_ONSETS:
            raise ValueError("clocks that often changed in a year belong to no calendar")


@dataclass(frozen=True, slots=True)
class Rules:
    """A definition that was read. `guessed` marks one that stands in for a zone nobody knows."""

    eras: tuple[Era, ...]
    guessed: bool = False


def write(eras: Iterable[Era], *, guessed: bool = False) -> str:
    """Return the canonical text. Raises ValueError for none and for too many."""
    kept: list[Era] = []
    for era in eras:
        plain = all(onset.before == onset.after == era.offset for onset in era.onsets)
        said = Era(era.begins, era.offset, () if plain else tuple(sorted(era.onsets)))
        if not kept:
            kept.append(Era(None, said.offset, said.onsets))
        elif said.onsets != kept[-1].onsets or not _goes_on(kept[-1], said):
            kept.append(said)
    if not kept or len(kept) > MAX_ERAS:
        raise ValueError("a time zone has at least one era, and not that many")
    written: dict[str, Any] = {"eras": [_written(era) for era in kept]}
    if guessed:
        written["guessed"] = True
    text = json.dumps(written, separators=(",", ":"), sort_keys=True)
    if len(text) > MAX_TEXT:
        raise ValueError("a time zone is not that long")
    return text


def _goes_on(former: Era, era: Era) -> bool:
    """Whether the era begins as the former one would have gone on."""
    if not era.onsets or era.begins is None:
        return former.offset == era.offset
    return _offset_at(former, era.begins) == era.offset


def _written(era: Era) -> dict[str, Any]:
    said: dict[str, Any] = {"offset": era.offset}
    if era.begins is not None:
        said["from"] = era.begins
    if era.onsets:
        said["onsets"] = [[one.month, one.weekday, one.day, one.time, one.before, one.after] for one in era.onsets]
    return said


@lru_cache(maxsize=256)
def read(definition: str) -> Rules:
    """Read the canonical text. Raises ValueError for any other."""
    if len(definition) > MAX_TEXT:
        raise ValueError("a time zone is not that long")
    try:
        said = json.loads(definition)
        eras = tuple(
            Era(
                None if at == 0 else _whole(one["from"]),
                _whole(one["offset"]),
                tuple(Yearly(*map(_whole, onset)) for onset in one.get("onsets", ())),
            )
            for at, one in enumerate(said["eras"])
        )
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as error:
        raise ValueError("this is not a time zone") from error
    begins = [era.begins for era in eras[1:] if era.begins is not None]
    if not 1 <= len(eras) <= MAX_ERAS or begins != sorted(set(begins)):
        raise ValueError("a time zone has eras, in order")
    return Rules(eras, said.get("guessed") is True)


def _whole(value: object) -> int:
    if type(value) is not int or abs(value) > 10_000 * 366 * _DAY:
        raise ValueError("a time zone is made of whole numbers")
    return value


# --- as Exchange says it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Onset:
    """One transition of a TransitionsGroup: from when in the year on a period holds.

    `to` names the period. Without `month` it holds all year (a plain Transition). With it: `weekday` (0 Monday to 6 Sunday)
    and `nth` (1 to 4; 5 and -1 are the last: EWS RecurringDayTransition, Occurrence; MS-OXOCAL wDay), or, with `weekday` None,
    `day` of the month (RecurringDateTransition). `at` is the time of day (TimeOffset), by the clock that was right before.
    """

    to: str
    month: int | None = None
    weekday: int | None = None
    nth: int = 0
    day: int = 0
    at: timedelta = timedelta()


def define(
    periods: Mapping[str, timedelta],
    groups: Mapping[str, Sequence[Onset]],
    eras: Sequence[tuple[datetime | None, str]],
) -> str:
    """Make the canonical definition of an EWS TimeZoneDefinition (MS docs: TimeZoneDefinition, TransitionsGroup).

    ```
    define(
        {"std": timedelta(minutes=-60), "dlt": timedelta(minutes=-120)},             # Period Id -> Bias as it is sent
        {                                                                            # TransitionsGroup Id -> what is in it
            "0": [
                Onset("dlt", month=3, weekday=6, nth=-1, at=timedelta(hours=2)),
                Onset("std", month=10, weekday=6, nth=-1, at=timedelta(hours=3)),
            ]
        },
        [(None, "0")],                                                               # Transitions, in order
    )
    ```

    `periods`: Bias is what is added to local time to get UTC, as Exchange sends it: -PT1H is one hour east of Greenwich.
    `groups`: a group of one onset without month holds all year round.
    `eras`: what Transitions says: (None, group) for the plain first Transition, (DateTime, group) for each AbsoluteDateTransition;
    the second may name a period, too (To Kind="Period"). A naive DateTime is local, by the clocks up to then. The first era
    counts since ever, whatever date it bears. Order need not be kept.

    Raises ValueError, and nothing else, for what makes no time zone: unknown names, impossible days, more than a stranger needs.
    """
    if not eras or len(eras) > MAX_ERAS:
        raise ValueError("a time zone has at least one era, and not that many")
    made: list[Era] = []
    for begins, key in sorted(eras, key=_begin):
        found = groups.get(key) or ([Onset(key)] if key in periods else None)
        if not found:
            raise ValueError("an era of a time zone names no group of transitions")
        made.append(_era(_local(begins), made, found, periods, aware=begins is not None and begins.tzinfo is not None))
    return write(made)


def _begin(era: tuple[datetime | None, str]) -> datetime:
    begins = era[0]
    return datetime.min if begins is None else begins.replace(tzinfo=None)  # noqa: DTZ901 (only compared)


def _local(begins: datetime | None) -> int:
    if begins is None:
        return 0
    try:
        at = begins if begins.tzinfo is None else begins.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an era of a time zone begins outside of time") from error
    return at.toordinal() * _DAY + at.hour * 3600 + at.minute * 60 + at.second


def _era(
    begins: int, former: list[Era], onsets: Sequence[Onset], periods: Mapping[str, timedelta], *, aware: bool
) -> Era:
    if len(onsets) > MAX_ONSETS:
        raise ValueError("clocks that often changed in a year belong to no calendar")
    if former and not aware:
        begins -= _offset_at(former[-1], begins - former[-1].offset)
    offsets = [_offset(periods, onset.to) for onset in onsets]
    timed = [(onset, offset) for onset, offset in zip(onsets, offsets, strict=True) if onset.month is not None]
    if not timed:
        return Era(begins if former else None, offsets[0])
    bare = sorted((_yearly(onset, 0, offset) for onset, offset in timed), key=lambda one: one.instant(2001))
    yearly = tuple(
        Yearly(one.month, one.weekday, one.day, one.time, bare[at - 1].after, one.after) for at, one in enumerate(bare)
    )
    era = Era(None, yearly[-1].after, yearly)
    return Era(begins, _offset_at(era, begins), yearly) if former else era


def _yearly(onset: Onset, before: int, after: int) -> Yearly:
    at = _seconds(onset.at)
    if at == _DAY - 1:
        at = _DAY  # Windows says 23:59:59.999 where midnight is meant
    if onset.weekday is None:
        return Yearly(onset.month or 0, -1, onset.day, at, before, after)
    if onset.nth not in {*_LAST, 1, 2, 3, 4} or not 0 <= onset.weekday < _WEEK:
        raise ValueError("a weekday of a month is the first to the fourth, or the last")
    day = -1 if onset.nth in _LAST else 1 + _WEEK * (onset.nth - 1)
    return Yearly(onset.month or 0, onset.weekday, day, at, before, after)


def _offset(periods: Mapping[str, timedelta], name: str) -> int:
    if name not in periods:
        raise ValueError("a transition of a time zone names no period")
    return -_seconds(periods[name])


def _seconds(length: timedelta) -> int:
    seconds = length // timedelta(seconds=1)
    if abs(seconds) > 2 * _DAY:
        raise ValueError("an offset from UTC is less than a day")
    return seconds


def _offset_at(era: Era, instant: int) -> int:
    """Return the offset by the era's rules at an instant, as if the era had always been."""
    year = min(
        max(date.fromordinal(min(max(instant // _DAY, 1), date.max.toordinal())).year, _YEARS[0] + 2), _YEARS[1] - 1
    )
    past = [
        (at, one.after) for one in era.onsets for y in (year - 1, year, year + 1) if (at := one.instant(y)) <= instant
    ]
    return max(past)[1] if past else era.offset
