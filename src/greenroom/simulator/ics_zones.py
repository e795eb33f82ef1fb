"""Times in iCalendar files, and the zones that VTIMEZONE components define (RFC 5545 3.6.5)."""

import contextlib
import re
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from greenroom.simulator import zones
from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.ics_lines import Component, Property, parse
from greenroom.simulator.ics_zone_names import guessed_zone

_WHEN = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_OFFSET = re.compile(r"([+-]?)(\d{2}):?(\d{2}):?(\d{2})?")
_DURATION = re.compile(r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NONE = timedelta(0)
_MAX_OBSERVANCES = 300
_MAX_DATES = 1000  # RDATEs of a whole zone
_FIRST_YEAR, _LAST_YEAR = 1602, 4500  # what an Exchange calendar can hold


@dataclass(frozen=True, slots=True)
class Observance:
    """One STANDARD or DAYLIGHT part: from `first` (local, naive) on, yearly by rule, `offset` counts."""

    first: datetime
    before: timedelta
    offset: timedelta
    month: int | None = None  # None: only at `first` and `more`
    weekday: int | None = None
    nth: int | None = None
    month_days: tuple[int, ...] = ()
    until: datetime | None = None  # naive, local
    more: tuple[datetime, ...] = ()

    def onset(self, year: int) -> list[datetime]:
        """When it begins in this year (naive local time of before)."""
        found = [one for one in (self.first, *self.more) if one.year == year]
        if self.month is not None:
            by_rule = self._by_rule(year)
            if by_rule is not None and by_rule > self.first and (self.until is None or by_rule <= self.until):
                found.append(by_rule)
        return found

    def last_before(self, moment: datetime) -> datetime:
        """About when it last began, for moments after the last change of a zone."""
        known = [one for one in (*self.more, self.until) if one is not None and one <= moment]
        return max(known, default=self.first)

    def _by_rule(self, year: int) -> datetime | None:
        assert self.month is not None, "asked for yearly rules only"
        days = _days_of_month(year, self.month)
        if self.month_days:
            wanted = {one if one > 0 else days[-1].day + 1 + one for one in self.month_days}
            days = [day for day in days if day.day in wanted]
        if self.weekday is not None:
            days = [day for day in days if day.weekday() == self.weekday]
        index = (self.nth or 1) - 1 if (self.nth or 1) > 0 else self.nth or 0
        if not -len(days) <= index < len(days):
            return None
        return datetime.combine(days[index], self.first.time())


def _days_of_month(year: int, month: int) -> list[date]:
    first = date(year, month, 1)
    return [day for day in (first + timedelta(days=n) for n in range(31)) if day.month == month]


@dataclass(slots=True, eq=False)
class RulesZone(tzinfo):
    """A zone known only by its VTIMEZONE. Local times that are skipped or come twice follow `fold`, as in zoneinfo."""

    name: str
    observances: tuple[Observance, ...]
    _years: dict[int, list[tuple[datetime, Observance]]] = field(default_factory=dict)

    def __reduce__(self) -> str | tuple[object, ...]:
        return RulesZone, (self.name, self.observances)

    def _onsets(self, year: int) -> list[tuple[datetime, Observance]]:
        """All changes of a year in order; the yearly rules of 1601 count too."""
        if year not in self._years:
            found = [(onset, one) for one in self.observances for onset in one.onset(year)]
            self._years[year] = sorted(found, key=lambda pair: pair[0])
        return self._years[year]

    def _offset_at(self, moment: datetime, *, local: bool, fold: int = 0) -> timedelta:
        for year in (moment.year + 1, moment.year, moment.year - 1):
            for onset, one in reversed(self._onsets(year) if year <= MAXYEAR and year >= 1 else []):
                # By the local clock, both offsets claim the hour of the change: the one before it at first, then the one behind.
                change = one.offset - one.before
                since = onset + (min(change, _NONE) if fold else max(change, _NONE))
                if (since if local else onset - one.before) <= moment:
                    return one.offset
        past = [one for one in self.observances if one.first <= moment]
        if past:
            return max(past, key=lambda one: one.last_before(moment)).offset
        return min(self.observances, key=lambda one: one.first).before

    def utcoffset(self, moment: datetime | None) -> timedelta:
        if moment is None:
            return self.observances[0].offset
        return self._offset_at(moment.replace(tzinfo=None, fold=0), local=True, fold=moment.fold)

    def dst(self, moment: datetime | None) -> timedelta:  # noqa: ARG002  the interface of tzinfo
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:  # noqa: ARG002  the interface of tzinfo
        return self.name

    def fromutc(self, moment: datetime) -> datetime:
        naive = moment.replace(tzinfo=None)
        offset = self._offset_at(naive, local=False)
        local = naive + offset
        return local.replace(tzinfo=self, fold=int(self._offset_at(local, local=True) != offset))


def zone_from_component(component: Component) -> RulesZone | None:
    """The zone a VTIMEZONE describes, None when it has no usable part."""
    found: list[Observance] = []
    dates_left = _MAX_DATES
    for part in component.children[:_MAX_OBSERVANCES]:
        if part.name in {"STANDARD", "DAYLIGHT"}:
            one = _observance(part, dates_left)
            if one is not None:
                found.append(one)
                dates_left -= len(one.more)
    identifier = component.first("TZID")
    return RulesZone(identifier.text if identifier else "", tuple(found)) if found else None


@lru_cache(maxsize=64)
def zone_from_rules(text: str) -> tzinfo | None:
    """The zone of a VTIMEZONE kept as text (Meeting.zone_rules)."""
    try:
        calendar = parse(f"BEGIN:VCALENDAR\n{text}\nEND:VCALENDAR\n".encode())
    except BadInvitation:
        return None
    components = calendar.inside("VTIMEZONE")
    return zone_from_component(components[0]) if components else None


def _observance(part: Component, max_dates: int) -> Observance | None:
    start, before, offset = part.first("DTSTART"), part.first("TZOFFSETFROM"), part.first("TZOFFSETTO")
    if start is None or offset is None:
        return None
    to = _offset(offset.value)
    since = _offset(before.value) if before is not None else to
    try:
        first = naive(start.value)
    except ValueError:
        return None
    if to is None or since is None:
        return None
    more = _extra_dates(part, max_dates)
    rule = part.first("RRULE")
    if rule is None:
        return Observance(first, since, to, more=more)
    return _with_rule(Observance(first, since, to, more=more), rule_parts(rule.value))


def _extra_dates(part: Component, limit: int) -> tuple[datetime, ...]:
    texts = [text for prop in part.all("RDATE") for text in prop.value.split(",", limit)][:limit]
    found = []
    for text in texts:
        with contextlib.suppress(ValueError, OverflowError):
            found.append(naive(text.partition("/")[0]))
    return tuple(found)


def _with_rule(one: Observance, rule: dict[str, str]) -> Observance:
    month = rule.get("BYMONTH", "").split(",")[0]
    weekday = nth = None
    match = _BYDAY.fullmatch(rule.get("BYDAY", "").split(",")[0])
    if match is not None:
        weekday, nth = WEEKDAYS.index(match[2]), int(match[1]) if match[1] else None
    days = tuple(int(day) for day in rule.get("BYMONTHDAY", "").split(",") if re.fullmatch(r"-?\d{1,2}", day))
    if weekday is None and not days:
        days = (one.first.day,)
    until = None
    try:
        if "UNTIL" in rule:
            until = naive(rule["UNTIL"]) + (one.before if rule["UNTIL"].endswith("Z") else timedelta(0))
    except (ValueError, OverflowError):
        until = None
    number = int(month) if re.fullmatch(r"0?[1-9]|1[0-2]", month) else one.first.month
    return Observance(one.first, one.before, one.offset, number, weekday, nth, days, until, one.more)


def rule_parts(text: str) -> dict[str, str]:
    """The parts of a recurrence rule, names and values in upper case."""
    pairs = (part.partition("=") for part in text.upper().replace(" ", "").split(";"))
    return {name: value for name, _, value in pairs if name}


def _offset(text: str) -> timedelta | None:
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    if size >= timedelta(hours=24):
        return None
    return -size if match[1] == "-" else size


def naive(text: str) -> datetime:
    """A date or date-time as a naive local one. Raises ValueError."""
    match = _WHEN.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second = (int(one or 0) for one in match.groups()[:6])
    late = timedelta(days=1) if (hour, minute) == (24, 0) else timedelta(0)
    hour = 0 if late else hour
    return datetime(year, month, day, hour, minute, min(second, 59)) + late  # noqa: DTZ001  local time of a zone to come


@dataclass(frozen=True, slots=True)
class When:
    """A moment as a file names it: UTC instant, whether it is a date only, and the zone it was named in."""

    utc: datetime
    is_date: bool
    zone_name: str | None  # TZID as it came; None for UTC, floating and date-only values
    zone: tzinfo
    local: datetime  # naive


class Zones:
    """The zones of one file."""

    def __init__(self, calendar: Component) -> None:
        self._components: dict[str, Component] = {}
        for component in calendar.inside("VTIMEZONE"):
            identifier = component.first("TZID")
            self._components[_key(identifier.text if identifier else "")] = component
        hint = calendar.first("X-WR-TIMEZONE")
        self.floating: tzinfo = (zones.find(hint.text) if hint is not None and hint.text else None) or UTC
        self._made: dict[str, tuple[tzinfo, str | None]] = {}

    def get(self, name: str, line: int) -> tuple[tzinfo, str | None]:
        """The zone of a TZID and, where only its rules say what it is, the VTIMEZONE text. Raises BadInvitation."""
        key = _key(name)
        if key not in self._made:
            self._made[key] = self._find(name, line)
        return self._made[key]

    def _find(self, name: str, line: int) -> tuple[tzinfo, str | None]:
        exact = zones.find_exact(name)
        if exact is not None:
            return exact, None
        component = self._components.get(_key(name))
        if component is None and len(self._components) == 1 and zones.find(name) is None:
            component = next(iter(self._components.values()))  # the only zone of the file must be meant
        if component is not None:
            place = component.first("X-LIC-LOCATION")
            known = zones.find_exact(place.text) if place is not None else None
            if known is not None:
                return known, "\n".join(component.source)
            by_rules = zone_from_component(component)
            if by_rules is not None:
                return by_rules, "\n".join(component.source)
        loosely = zones.find(name) or guessed_zone(name)
        if loosely is not None:
            return loosely, None
        raise BadInvitation("the time zone of the event is neither known nor defined in the file", line)

    def when(self, prop: Property, value: str | None = None, *, beside: "When | None" = None) -> When:
        """Read a DATE or DATE-TIME; one without a zone takes that of the moment it stands beside. Raises BadInvitation."""
        text = (prop.value if value is None else value).strip().strip('"')
        match = _WHEN.fullmatch(text)
        try:
            local = naive(text)
        except (ValueError, OverflowError):
            raise BadInvitation(f"{prop.name} is no date that can be read", prop.line) from None
        if match is None or not _FIRST_YEAR <= local.year <= _LAST_YEAR:
            raise BadInvitation(f"{prop.name} is outside the years a calendar can hold", prop.line)
        is_date = match[4] is None
        zone: tzinfo
        name = None
        if is_date:
            zone = UTC
        elif match[7]:
            zone = UTC
            if match[7] != "Z":
                local -= _offset(match[7]) or timedelta(0)
        elif prop.param("TZID"):
            name = (prop.param("TZID") or "").strip()
            zone, _ = self.get(name, prop.line)
        elif beside is not None and not beside.is_date:
            zone, name = beside.zone, beside.zone_name
        else:
            zone = self.floating
            name = str(zone) if zone is not UTC else None
        return When(local.replace(tzinfo=zone).astimezone(UTC), is_date, name, zone, local)

    def rules_for(self, when: When) -> str | None:
        """The VTIMEZONE text to keep for a moment's zone."""
        return (
            None
            if when.zone_name is None or _key(when.zone_name) not in self._made
            else self._made[_key(when.zone_name)][1]
        )


def duration(prop: Property) -> timedelta:
    """Raises BadInvitation for what is no duration, or a negative one."""
    match = _DURATION.fullmatch(prop.value.strip().upper())
    if match is None or not any(match.groups()[1:]) or match[1] == "-":
        raise BadInvitation("DURATION is no positive duration", prop.line)
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in match.groups()[1:])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _key(name: str) -> str:
    return name.strip().strip("\"'").lower()
