"""Compares two time zones: at every hour around their changes and now and then elsewhere, by instants and by wall clocks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

HOUR = timedelta(hours=1)


def instants(
    zone: tzinfo, since: datetime, until: datetime, around: timedelta = timedelta(hours=5)
) -> Iterator[datetime]:
    """Yield instants: one every nineteen hours, and one every half hour within `around` of a change."""
    at, step = since, timedelta(hours=19)
    offset = at.astimezone(zone).utcoffset()
    while at < until:
        yield at
        following = (at + step).astimezone(zone).utcoffset()
        if following != offset:
            close = at - around
            while close < at + step + around:
                yield close
                close += HOUR / 2
        at, offset = at + step, following


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
