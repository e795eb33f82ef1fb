"""The clock of a zone of its own: a `tzinfo` that counts by a definition (`greenroom.meetings.zone_rules`)."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from greenroom.meetings.zone_rules import Era, read

_DAY = 86400
_MOST_YEARS = 32


@lru_cache(maxsize=256)
def clock_of(definition: str) -> "ZoneClock":
    """Return the clock of a definition; the same one for the same text. Raises ValueError for what is no definition."""
    return ZoneClock(definition)


class _Year:
    """All changes of a year and its neighbours, in order: instants, and what wall clocks take for them."""

    __slots__ = ("ahead", "early", "instants", "late", "offsets")

    def __init__(self, first: int, changes: list[tuple[int, int]]) -> None:
        self.offsets = [first]
        self.ahead = [timedelta(seconds=offset) for offset in (first, *(after for _, after in changes))]
        self.instants: list[int] = []
        self.early: list[int] = []
        self.late: list[int] = []
        for instant, after in changes:
            before = self.offsets[-1]
            self.instants.append(instant)
            self.late.append(instant + max(before, after))
            self.early.append(instant + min(before, after))
            self.offsets.append(after)


class ZoneClock(tzinfo):
    """A time zone that counts by a definition: skipped and doubled times as PEP 495 says (`fold`)."""

    def __init__(self, definition: str) -> None:
        self._definition = definition
        self._eras = read(definition).eras
        self._begins = [-(1 << 62) if era.begins is None else era.begins for era in self._eras]
        self._bases = [min((era.offset, *(one.after for one in era.onsets))) for era in self._eras]
        self._years: dict[int, _Year] = {}

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Return how far its clocks are ahead of UTC."""
        if dt is None:
            return None
        year = self._years.get(dt.year) or self._year(dt.year)
        return year.ahead[bisect_right(year.early if dt.fold else year.late, _count(dt))]

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Return how far its clocks are ahead of what the era's earliest clocks show."""
        if dt is None:
            return None
        offset = self._offset(dt)
        era = bisect_right(self._begins, _count(dt) - offset) - 1
        return timedelta(seconds=max(0, offset - self._bases[era]))

    def tzname(self, dt: datetime | None) -> str:
        """Return the offset in words, such as UTC+01:00; no definition names its periods in a way people would know."""
        if dt is None:
            return "local"
        said = f"{datetime.combine(date.min, dt.time(), UTC).replace(tzinfo=timezone(timedelta(seconds=self._offset(dt)))):%z}"
        return f"UTC{said[:3]}:{said[3:5]}"

    def fromutc(self, dt: datetime) -> datetime:
        """Return the local time of an instant, with `fold` set for the second one of two that read the same."""
        instant = _count(dt)
        year = self._years.get(dt.year) or self._year(dt.year)
        at = bisect_right(year.instants, instant)
        local = dt + year.ahead[at]
        again = at > 0 and instant - year.instants[at - 1] < year.offsets[at - 1] - year.offsets[at]
        return local.replace(fold=1) if again else local

    def __eq__(self, other: object) -> bool:
        """Clocks of the same definition are the same."""
        return isinstance(other, ZoneClock) and other._definition == self._definition

    def __hash__(self) -> int:
        """Return a hash of the definition."""
        return hash(self._definition)

    def __repr__(self) -> str:
        """Tell it apart without saying whose it is."""
        return f"ZoneClock({len(self._eras)} eras)"

    def __reduce__(self) -> tuple[object, ...]:
        """Let it be copied as its definition."""
        return clock_of, (self._definition,)

    def _offset(self, dt: datetime) -> int:
        year = self._year(dt.year)
        return year.offsets[bisect_right(year.early if dt.fold else year.late, _count(dt))]

    def _year(self, year: int) -> _Year:
        found = self._years.get(year)
        if found is None:
            if len(self._years) >= _MOST_YEARS:
                self._years.clear()  # nobody asks for so many years; somebody who does pays for them
            found = self._years[year] = self._around(year)
        return found

    def _around(self, year: int) -> _Year:
        years = range(max(year - 1, 1), min(year + 2, 10_000))
        since, until = date(years[0], 1, 1).toordinal() * _DAY, (date(years[-1], 12, 31).toordinal() + 1) * _DAY
        at = max(bisect_right(self._begins, since) - 1, 0)
        first = self._state(at, since, years[0])
        changes: list[tuple[int, int]] = []
        while at < len(self._eras) and self._begins[at] < until:
            era = self._eras[at]
            end = self._begins[at + 1] if at + 1 < len(self._begins) else until
            if since < self._begins[at]:
                changes.append((self._begins[at], era.offset))
            changes += sorted(
                (instant, one.after)
                for y in years
                for one in era.onsets
                if max(self._begins[at], since) < (instant := one.instant(y)) < end
            )
            at += 1
        return _Year(first, changes)

    def _state(self, at: int, instant: int, year: int) -> int:
        era: Era = self._eras[at]
        past = [
            (found, one.after)
            for y in (max(year - 2, 1), max(year - 1, 1), year)
            for one in era.onsets
            if self._begins[at] < (found := one.instant(y)) <= instant
        ]
        return max(past)[1] if past else era.offset


def _count(dt: datetime) -> int:
    return dt.toordinal() * _DAY + dt.hour * 3600 + dt.minute * 60 + dt.second
