"""Series as iCalendar (RFC 5545), both ways.

```
VCALENDAR
  VTIMEZONE             the series' zone, however it is named
  VEVENT                DTSTART, DTEND, RRULE; EXDATE for what is gone
  VEVENT ...            RECURRENCE-ID for what moved
```

What is written means to others what Exchange means by it, with the differences of docs/decisions/0012. What is read is taken as
Exchange takes it; who sent it is not asked, so everything is bounded.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from greenroom.meetings import content_lines, vtimezone
from greenroom.meetings.content_lines import Component, Property
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rrule import rrule_of, rule_of
from greenroom.meetings.rule_days import Days
from greenroom.meetings.zones import Zone, is_known, tzinfo_of

_UTC_ZONE = Zone("UTC")
_MOST_EXCEPTIONS = 10_000
_DAY = timedelta(days=1)
_WHEN = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?=[\dT])(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
_BEYOND_US = {"RDATE", "EXRULE", "X-MICROSOFT-RRULE"}


# --- writing ------------------------------------------------------------------------------------------------------


def write(series: Series, uid: str, stamp: datetime, *, all_day: bool = False, define_zone: bool = True) -> str:
    """Return a calendar with this series. `stamp` is its DTSTAMP. Raises ValueError for a series that has no first day.

    `all_day` writes days instead of times, as for whoever reads them in a zone of his own; the series then begins at midnight and
    lasts for whole days. Without `define_zone` the zone is only named, for readers that know it by name (RFC 7809).
    """
    first = Days(series.rule).first
    if first is None:
        raise ValueError("a series without any day cannot be written")
    write_as = _Dates(series) if all_day else _Times(series)
    day = date.fromordinal(first)
    head = [f"UID:{_escaped(uid)}", f"DTSTAMP:{_utc(stamp)}"]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Greenroom//EN",
        *(_zone_lines(series.zone, day) if define_zone and not all_day else ()),
        "BEGIN:VEVENT",
        *head,
        f"DTSTART{write_as.at(day)}",
        f"DTEND{write_as.at(day, series.length)}",
        f"RRULE:{write_as.rrule()}",
        *(f"EXDATE{write_as.at(one)}" for one in sorted(series.gone)),
        "END:VEVENT",
    ]
    for one in series.moved:
        start, end = write_as.moved(one)
        lines += ["BEGIN:VEVENT", *head, f"RECURRENCE-ID{write_as.at(one.day)}"]
        lines += [f"DTSTART{start}", f"DTEND{end}", "END:VEVENT"]
    return content_lines.write([*lines, "END:VCALENDAR"])


class _Times:
    """Times with their zone."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._zone = tzinfo_of(series.zone)
        self._tzid = content_lines.parameter(series.zone.name)

    def at(self, day: date, later: timedelta = timedelta()) -> str:
        wall = datetime.combine(day, self._series.begins) + later
        return f":{wall:%Y%m%dT%H%M%SZ}" if self._zone is UTC else f";TZID={self._tzid}:{wall:%Y%m%dT%H%M%S}"

    def moved(self, one: Moved) -> tuple[str, str]:
        return f":{_utc(one.start)}", f":{_utc(one.end)}"

    def rrule(self) -> str:
        rule = self._series.rule
        if rule.until is None:
            return rrule_of(rule)
        return rrule_of(rule, datetime.combine(rule.until, self._series.begins, self._zone))


class _Dates:
    """Days, whatever the zone."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._zone = tzinfo_of(series.zone)
        if series.begins != time() or series.length % _DAY:
            raise ValueError("a series of whole days begins and ends at midnight")

    def at(self, day: date, later: timedelta = timedelta()) -> str:
        return f";VALUE=DATE:{day + later:%Y%m%d}"

    def moved(self, one: Moved) -> tuple[str, str]:
        start, end = one.start.astimezone(self._zone), one.end.astimezone(self._zone)
        if start.time() == end.time() == time() and start < end:
            return f";VALUE=DATE:{start:%Y%m%d}", f";VALUE=DATE:{end:%Y%m%d}"
        return f":{_utc(one.start)}", f":{_utc(one.end)}"

    def rrule(self) -> str:
        return rrule_of(self._series.rule)


def _zone_lines(zone: Zone, day: date) -> list[str]:
    if tzinfo_of(zone) is UTC:
        return []
    text = vtimezone.write(zone, datetime.combine(day, time(), UTC))
    return re.sub(r"\r?\n[ \t]", "", text).rstrip().split("\r\n")


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


# --- reading ------------------------------------------------------------------------------------------------------


def read(text: str, floating: Zone = _UTC_ZONE) -> Series | None:
    """Read the series of a calendar; None for one that Exchange's patterns cannot say. Raises ValueError for what is no series.

    `floating` is the zone of times without one, and of days. Exceptions are those of the same UID; a cancelled one is gone.
    """
    calendar = content_lines.read(text)
    if calendar.components and calendar.components[0].name == "VCALENDAR":
        calendar = calendar.components[0]
    events = [one for one in calendar.components if one.name == "VEVENT"]
    master = next((one for one in events if one.one("RECURRENCE-ID") is None and _recurs(one)), None)
    if master is None:
        raise ValueError("this calendar has no series")
    own = [one for one in events if _said(one, "UID") == _said(master, "UID") and one.one("RECURRENCE-ID") is not None]
    zones = [one for one in calendar.components if one.name == "VTIMEZONE"]
    try:
        return _Reader(zones, floating).series(master, own)
    except OverflowError as error:
        raise ValueError("a calendar has times out of all time") from error


def _recurs(event: Component) -> bool:
    return any(one.name in {"RRULE", *_BEYOND_US} for one in event.properties)


def _said(component: Component, name: str) -> str:
    found = component.one(name)
    return "" if found is None else found.value.strip()


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a clock on the wall shows, or a whole day."""

    wall: datetime
    zone: Zone
    is_day: bool = False

    @property
    def instant(self) -> datetime:
        return self.wall.replace(tzinfo=tzinfo_of(self.zone)).astimezone(UTC)

    @property
    def original(self) -> datetime | date:
        """How an occurrence with this original start is known."""
        return self.wall.date() if self.is_day else self.instant


class _Reader:
    """Reads times as the zones of one calendar tell them."""

    def __init__(self, zones: Iterable[Component], floating: Zone) -> None:
        self._floating = floating
        self._told = {_said(one, "TZID"): one.text for one in zones}
        self._zones: dict[str, Zone] = {}

    def series(self, master: Component, exceptions: Sequence[Component]) -> Series | None:
        start, end = self._span(master)
        rules = master.all("RRULE")
        if len(rules) != 1 or any(master.all(name) for name in _BEYOND_US):
            return None
        here = tzinfo_of(start.zone)
        rule = rule_of(rules[0].value, start.wall.date() if start.is_day else start.wall.replace(tzinfo=here))
        if rule is None:
            return None
        moved: list[tuple[datetime | date, datetime, datetime]] = []
        gone = [one.original for found in master.all("EXDATE") for one in self._moments(found)]
        if len(gone) + len(exceptions) > _MOST_EXCEPTIONS:
            raise ValueError("a series has not that many exceptions")
        for event in exceptions:
            (original,) = event.all("RECURRENCE-ID")[:1]
            if "RANGE" in original.parameters:
                return None  # Exchange would have made another series of it
            if _said(event, "STATUS").upper() == "CANCELLED":
                gone.append(self._moment(original).original)
            else:
                begins, ends = self._span(event)
                moved.append((self._moment(original).original, begins.instant, ends.instant))
        last = end.wall if end.zone == start.zone else end.instant.astimezone(here).replace(tzinfo=None)
        length = last - start.wall if last > start.wall else max(end.instant - start.instant, timedelta())
        return Series(rule, start.wall.time(), length, start.zone).differing(moved, gone)

    def _span(self, event: Component) -> tuple[_Moment, _Moment]:
        """Return start and end: a day without an end is a whole one, a time without an end takes none."""
        begins, ends, length = event.one("DTSTART"), event.one("DTEND"), event.one("DURATION")
        if begins is None:
            raise ValueError("an event begins at no time")
        start = self._moment(begins)
        if ends is not None:
            return start, self._moment(ends)
        if length is None:
            return start, replace(start, wall=start.wall + _DAY) if start.is_day else start
        days, exact = _duration(length.value.strip())
        end = replace(start, wall=start.wall + days)
        if not exact:
            return start, end
        # Days are counted on the calendar, hours by the stopwatch (RFC 5545 3.3.6).
        return start, _Moment((end.instant + exact).replace(tzinfo=None), _UTC_ZONE)

    def _moment(self, found: Property) -> _Moment:
        return next(iter(self._moments(found)))

    def _moments(self, found: Property) -> list[_Moment]:
        return [self._read(one.strip(), found.parameters.get("TZID", "")) for one in found.value.split(",")]

    def _read(self, text: str, tzid: str) -> _Moment:
        said = _WHEN.fullmatch(text)
        if said is None:
            raise ValueError("a calendar has a time that is none")
        wall = datetime.strptime(said[1] + (said[2] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007 (a clock on the wall)
        if said[3]:
            return _Moment(wall, _UTC_ZONE)
        return _Moment(wall, self._zone(tzid, wall) if tzid else self._floating, is_day=said[2] is None)

    def _zone(self, tzid: str, around: datetime) -> Zone:
        if tzid not in self._zones:
            self._zones[tzid] = self._zone_of(tzid, around.replace(tzinfo=UTC))
        return self._zones[tzid]

    def _zone_of(self, tzid: str, around: datetime) -> Zone:
        try:
            return vtimezone.zone_of(self._told[tzid], around) if tzid in self._told else Zone(tzid)
        except ValueError:
            if is_known(Zone(tzid)):
                return Zone(tzid)  # the name tells what its definition does not
            raise


def _duration(text: str) -> tuple[timedelta, timedelta]:
    """Return its days and its time."""
    said = _DURATION.fullmatch(text)
    if said is None:
        raise ValueError("a calendar has a duration that is none")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in said.groups())
    return timedelta(weeks=weeks, days=days), timedelta(hours=hours, minutes=minutes, seconds=seconds)


__all__ = ["read", "rrule_of", "rule_of", "write"]
