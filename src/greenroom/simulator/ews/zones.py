"""Time zones as EWS writes them: an id of Windows, a definition with periods and the days on which they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

from greenroom.simulator import zones
from greenroom.simulator.ews.names import sub, t

if TYPE_CHECKING:
    from lxml import etree


def zone_of(name: str | None) -> tzinfo | None:
    """The zone of a name; None for no name and for one nobody knows."""
    return zones.find(name) if name else None


def local_time(text: str, zone: tzinfo | None) -> datetime:
    """Read an ``xs:dateTime``; one without offset is meant in ``zone`` (default UTC). Raises ValueError."""
    value = datetime.fromisoformat(text.strip())
    return (value.replace(tzinfo=zone or UTC) if value.tzinfo is None else value).astimezone(UTC)


def wall_clock(moment: datetime, name: str | None) -> str:
    """An instant as a clock on the wall of that zone shows it, as StartWallClock does."""
    return moment.astimezone(zone_of(name) or UTC).strftime("%Y-%m-%dT%H:%M:%S")


def write_definition(element: etree._Element, name: str, year: int) -> None:
    """Fill a TimeZoneDefinitionType with the rules that hold in that year."""
    element.set("Id", name)
    element.set("Name", name)
    zone = zone_of(name)
    changes = _changes(name, year) if zone is not None else ()
    january = datetime(year, 1, 1, tzinfo=UTC).astimezone(zone or UTC)
    offsets = {january.utcoffset() or timedelta(): "Standard"}
    for _, offset in changes:
        offsets.setdefault(offset, "Daylight")
    if len(offsets) == 2:  # noqa: PLR2004 - two periods: the smaller offset is the standard one on either hemisphere
        low, high = sorted(offsets)
        offsets = {low: "Standard", high: "Daylight"}
    periods = sub(element, t("Periods"))
    for offset, label in offsets.items():
        sub(periods, t("Period"), Bias=_duration(-offset), Name=label, Id=f"trule:{name}-{label}")
    groups = sub(element, t("TransitionsGroups"))
    group = sub(groups, t("TransitionsGroup"), Id="0")
    if len(changes) == 2 and len(offsets) == 2:  # noqa: PLR2004 - forth and back
        for moment, offset in changes:
            _recurring_day(group, moment, f"trule:{name}-{offsets[offset]}")
    else:
        _to(sub(group, t("Transition")), "Period", f"trule:{name}-{next(iter(offsets.values()))}")
    transitions = sub(element, t("Transitions"))
    _to(sub(transitions, t("Transition")), "Group", "0")


def _to(parent: etree._Element, kind: str, target: str) -> None:
    sub(parent, t("To"), target, Kind=kind)


def _recurring_day(group: etree._Element, moment: datetime, period: str) -> None:
    element = sub(group, t("RecurringDayTransition"))
    _to(element, "Period", period)
    midnight = timedelta(hours=moment.hour, minutes=moment.minute)
    sub(element, t("TimeOffset"), _duration(midnight))
    sub(element, t("Month"), str(moment.month))
    sub(element, t("DayOfWeek"), moment.strftime("%A"))
    last = (moment + timedelta(days=7)).month != moment.month
    sub(element, t("Occurrence"), "-1" if last else str((moment.day - 1) // 7 + 1))


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    sign = "-" if minutes < 0 else ""
    return f"{sign}PT{abs(minutes)}M"


@lru_cache(maxsize=512)
def _changes(name: str, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    """The changes of a year: the wall-clock moment before each (naive), and the offset after it."""
    zone = zone_of(name)
    found: list[tuple[datetime, timedelta]] = []

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(zone).utcoffset() or timedelta()

    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        before, following = offset(day), day + timedelta(days=1)
        if offset(following) != before:
            hours = (day + timedelta(hours=hour) for hour in range(1, 25))
            change = next(moment for moment in hours if offset(moment) != before)
            found.append(((change + before).replace(tzinfo=None), offset(change)))
        day = following
    return tuple(found)
