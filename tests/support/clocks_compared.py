"""Compares two time zones: at every half hour around changes and now and then elsewhere, by instants and by wall clocks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

HOUR = timedelta(hours=1)


def instants(zone: tzinfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield instants: one every 75 hours, and one every half hour from four hours before to four hours after a change."""
    at, step = since, timedelta(hours=75)
    while at < until:
        yield at
        low, high = at, at + step
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > HOUR / 2:
                middle = low + (high - low) / 2
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            begin = low.replace(minute=0, second=0, microsecond=0)
            yield from (begin + HOUR / 2 * more for more in range(-8, 10))
        at += step


def differences(
    ours: tzinfo, theirs: tzinfo, since: datetime, until: datetime
) -> list[tuple[datetime, object, object]]:
    """Return where two zones differ in what they say of an instant, or of a wall clock time (`fold` 0 and 1)."""
    found: list[tuple[datetime, object, object]] = []
    for at in instants(theirs, since, until):
        one, other = at.astimezone(ours), at.astimezone(theirs)
        if (one.replace(tzinfo=None), one.fold) != (other.replace(tzinfo=None), other.fold):
            found.append((at, one, other))
        for fold in (0, 1):
            wall = at.replace(fold=fold)
            mine, real = wall.replace(tzinfo=ours).utcoffset(), wall.replace(tzinfo=theirs).utcoffset()
            if mine != real:
                found.append((wall.replace(tzinfo=None), mine, real))
    return found


def year(number: int) -> datetime:
    """Return the first instant of a year."""
    return datetime(number, 1, 1, tzinfo=UTC)
