"""When the clocks of a zone are changed, and by what yearly rule: what is written of a zone for others to read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from greenroom.meetings.zone_rules import Yearly

_DAY = 86400
_STEP = timedelta(hours=12)
_SECOND = timedelta(seconds=1)
_LATER = 6
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the clocks: the instant, and the offsets from UTC before and after it in seconds."""

    instant: datetime
    before: int
    after: int

    @property
    def wall(self) -> datetime:
        """What clocks showed then, before they were changed."""
        return self.instant.replace(tzinfo=None) + timedelta(seconds=self.before)


def offset(zone: tzinfo, instant: datetime) -> int:
    """Return the seconds from UTC at an instant."""
    return (instant.astimezone(zone).utcoffset() or timedelta()) // _SECOND


def changes(zone: tzinfo, years: Sequence[int]) -> Iterator[Change]:
    """Yield the changes whose wall clock time lies in one of these consecutive years, in order."""
    at = datetime(max(years[0], 2), 1, 1, tzinfo=UTC) - timedelta(days=2)
    end = datetime(min(years[-1], 9998) + 1, 1, 3, tzinfo=UTC)
    before = offset(zone, at)
    while at < end:
        until = at + _STEP
        after = offset(zone, until)
        if after != before:
            change = Change(_between(zone, at, until), before, after)
            if change.wall.year in years:
                yield change
        at, before = until, after


def _between(zone: tzinfo, since: datetime, until: datetime) -> datetime:
    before = offset(zone, since)
    while until - since > _SECOND:
        middle = since + (until - since) // 2 // _SECOND * _SECOND
        since, until = (middle, until) if offset(zone, middle) == before else (since, middle)
    return until


def rule_of(change: Change, later: Sequence[Change]) -> Yearly:
    """Return the yearly rule that names this change and the most of the later ones, one or none a year."""
    known = [one for one in later if (one.before, one.after) == (change.before, change.after)][:_LATER]
    return max(_candidates(change), key=lambda rule: sum(_names(rule, one) for one in known))


def names_all(rule: Yearly, years: Sequence[int], found: Sequence[Change]) -> bool:
    """Whether the rule names just the changes of its kind that these years have."""
    own = [one for one in found if (one.before, one.after) == (rule.before, rule.after) and one.wall.year in years]
    return len(own) == len(years) and all(_names(rule, one) for one in own)


def _names(rule: Yearly, change: Change) -> bool:
    wall = change.wall
    return rule.instant(wall.year) == _count(wall) - change.before


def _count(wall: datetime) -> int:
    return wall.toordinal() * _DAY + wall.hour * 3600 + wall.minute * 60 + wall.second


def _candidates(change: Change) -> Iterator[Yearly]:
    """Yield the rules it may follow, the most usual first."""
    wall = change.wall
    for day, time in ((wall.date(), 0), (wall.date() - timedelta(days=1), _DAY)):
        at = _count(wall) - wall.toordinal() * _DAY + time
        if time and at != _DAY:
            return
        last = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)).day
        forms: list[tuple[int, int]] = []
        if day.day + _WEEK > last:
            forms.append((day.weekday(), -1))
        forms.append((day.weekday(), 1 + (day.day - 1) // _WEEK * _WEEK))
        forms += [(-1, day.day), *((day.weekday(), first) for first in range(max(1, day.day - 6), day.day + 1))]
        for weekday, first in forms:
            yield Yearly(day.month, weekday, first, at, change.before, change.after)
