"""VTIMEZONE: the time zone that comes with an iCalendar meeting, and the one that is written into ours (RFC 5545 3.6.5).

Read: STANDARD and DAYLIGHT with DTSTART, TZOFFSETFROM, TZOFFSETTO, and yearly RRULE (BYMONTH with BYDAY, BYMONTHDAY or both; UNTIL;
COUNT) or RDATE. Before the first change of all the clocks are those it was a change from; where the first thing said is a rule,
that rule holds since ever.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greenroom.meetings.vtimezone_writing import write
from greenroom.meetings.zone_rules import MAX_ERAS, Era, Yearly
from greenroom.meetings.zone_rules import write as write_definition
from greenroom.meetings.zones import Zone, find
from greenroom.meetings.zones import zone_of as choose

MAX_TEXT = 256 * 1024
MAX_PARTS = 192
MAX_DATES = 2048
_DAY = 86400
_WEEK = 7
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)")
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_LAST_YEAR = 9998
_FIRST_YEAR = 1601
_USUALLY = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Part:
    """A STANDARD or DAYLIGHT: its yearly rule from the first year to the last, and its dated changes, with wall clock times."""

    before: int
    after: int
    rule: Yearly | None
    first: int
    last: int
    dates: tuple[datetime, ...]

    def holds(self, year: int) -> bool:
        return self.rule is not None and self.first <= year <= self.last


class _Changes:
    """What all parts say of a year."""

    def __init__(self, parts: list[_Part]) -> None:
        self._ruled = [part for part in parts if part.rule is not None]
        self._dated: dict[int, dict[int, Yearly]] = {}
        for part in parts:
            for wall in part.dates:
                dated = Yearly(wall.month, -1, wall.day, _time_of_day(wall), part.before, part.after)
                self._dated.setdefault(wall.year, {}).setdefault(dated.instant(wall.year), dated)

    @property
    def bounds(self) -> list[int]:
        """The years in which something begins or ends."""
        ruled = {year for part in self._ruled for year in (part.first, part.last + 1)}
        dated = {year + more for year in self._dated for more in (0, 1)}
        return sorted(year for year in ruled | dated if year <= _LAST_YEAR)

    def is_dated(self, year: int) -> bool:
        return year in self._dated

    def of(self, year: int) -> dict[int, Yearly]:
        """Return the changes by their instant, in order."""
        ruled = [part.rule for part in self._ruled if part.holds(year) and part.rule is not None]
        found = self._dated.get(year, {}) | {rule.instant(year): rule for rule in ruled}
        return dict(sorted(found.items()))


def zone_of(text: str, around: datetime = _USUALLY) -> Zone:
    """Return the zone of a VTIMEZONE: by its TZID where that is known (`greenroom.meetings.zones.zone_of`), else as it is defined.

    `text` may have more around it, such as a whole calendar: the first VTIMEZONE counts. Where its name is known it may say of
    itself what it likes. Raises ValueError for anything else.
    """
    if len(text) > MAX_TEXT:
        raise ValueError("a time zone is not that long")
    names, parts = _read(text)
    name = next((name for name in names if find(Zone(name))), names[0] if names else "")
    try:
        definition = _definition(parts)
    except ValueError:
        if not find(Zone(name)):
            raise
        definition = ""
    return choose(name, definition, around)


def _definition(parts: list[list[tuple[str, str]]]) -> str:
    if not 1 <= len(parts) <= MAX_PARTS:
        raise ValueError("this is not a VTIMEZONE, or one of too many parts")
    return write_definition(_eras([_part(lines) for lines in parts]))


def _read(text: str) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """Return the names of the first VTIMEZONE, and the lines of its parts."""
    names: list[str] = []
    parts: list[list[tuple[str, str]]] = []
    within: list[str] = []
    found: list[tuple[str, str]] = []
    for line in re.split(r"\r?\n", _FOLD.sub("", text)):
        said = _LINE.fullmatch(line.rstrip())
        if said is None:
            continue
        name, value = said[1].upper(), said[3].strip()
        if name == "BEGIN":
            within.append(value.upper())
            found = []
        elif name == "END":
            if "VTIMEZONE" in within and value.upper() in {"STANDARD", "DAYLIGHT"}:
                parts.append(found)
            if value.upper() == "VTIMEZONE":
                break
            within = within[:-1]
        elif within[-1:] == ["VTIMEZONE"] and name in {"TZID", "X-LIC-LOCATION"}:
            names.append(value)
        else:
            found.append((name, value))
    return names, parts


def _part(lines: Iterable[tuple[str, str]]) -> _Part:
    said: dict[str, str] = {}
    dates: list[datetime] = []
    for name, value in lines:
        if name == "RDATE":
            dates += [_time(one.partition("/")[0]) for one in value.strip(",").split(",")]
        else:
            said.setdefault(name, value)
    if len(dates) > MAX_DATES:
        raise ValueError("a VTIMEZONE has not that many dates")
    try:
        start, before, after = _time(said["DTSTART"]), _offset(said["TZOFFSETFROM"]), _offset(said["TZOFFSETTO"])
    except KeyError as error:
        raise ValueError("a part of a VTIMEZONE is not complete") from error
    dates = [_local(one, before) for one in dates]
    if "RRULE" not in said:
        return _Part(before, after, None, 0, 0, tuple(sorted({_local(start, before), *dates})))
    rule, first, last = _yearly(said["RRULE"], _local(start, before), before, after)
    return _Part(before, after, rule, first, last, tuple(sorted(set(dates))))


def _yearly(text: str, start: datetime, before: int, after: int) -> tuple[Yearly, int, int]:
    parts = dict(pair.partition("=")[::2] for pair in text.upper().split(";"))
    if parts.get("FREQ") != "YEARLY" or parts.get("INTERVAL", "1") != "1":
        raise ValueError("clocks are changed every year, or on dates")
    if parts.keys() - {"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"}:
        raise ValueError("a VTIMEZONE has a rule that is not read here")
    month = _whole(parts.get("BYMONTH", str(start.month)))
    time = _time_of_day(start)
    weekday, day = _day(parts, start)
    rule = Yearly(month, weekday, day, time, before, after)
    first = start.year if rule.on(start.year) * _DAY + time >= _count(start) else start.year + 1
    last = _LAST_YEAR
    if "UNTIL" in parts:
        until = _time(parts["UNTIL"])
        end = _count(until) - (before if until.tzinfo is None else 0)
        if len(parts["UNTIL"]) == len("YYYYMMDD"):
            end += _DAY - 1
        last = until.year + 1
        while last >= until.year - 1 and rule.instant(min(max(last, 1), _LAST_YEAR)) > end:
            last -= 1
    if "COUNT" in parts:
        last = min(last, first + _whole(parts["COUNT"]) - 1)
    return rule, first, min(last, _LAST_YEAR)


def _day(parts: dict[str, str], start: datetime) -> tuple[int, int]:
    """Return weekday and day as `Yearly` has them."""
    dates = sorted(_whole(one) for one in parts["BYMONTHDAY"].split(",")) if "BYMONTHDAY" in parts else []
    if "BYDAY" not in parts:
        if len(dates) > 1:
            raise ValueError("clocks are changed on one day of a month")
        day = dates[0] if dates else start.day
        if day > 0:
            return -1, day
        raise ValueError("a VTIMEZONE has a rule that is not read here")
    said = _BYDAY.fullmatch(parts["BYDAY"])
    if said is None:
        raise ValueError("clocks are changed on one day of the week")
    weekday = _WEEKDAYS.index(said[2])
    if dates:
        if said[1] or dates != list(range(dates[0], dates[0] + _WEEK)) or (dates[0] < 0 <= dates[-1]):
            raise ValueError("a VTIMEZONE has a rule that is not read here")
        return weekday, dates[0] if dates[0] > 0 else dates[-1]
    nth = int(said[1] or 0)
    if nth not in {-5, -4, -3, -2, -1, 1, 2, 3, 4}:
        raise ValueError("a weekday of a month is the first to the fourth, or the last")
    return weekday, 1 + _WEEK * (nth - 1) if nth > 0 else -1 + _WEEK * (nth + 1)


def _eras(parts: list[_Part]) -> Iterator[Era]:
    """Yield times of equal rules: whole years with the same rules in force, and every year with dates of its own."""
    said = _Changes(parts)
    years = said.bounds
    if not years or len(years) > 2 * MAX_ERAS:
        raise ValueError("a time zone has at least one era, and not that many")
    first = list(said.of(years[0]).values())
    if not first:
        raise ValueError("a VTIMEZONE has a rule that never applies")
    dated = said.is_dated(years[0])
    state = first[0].before if dated else first[-1].after
    yield Era(None, state, () if dated else tuple(first))
    for year in years:
        begins = datetime(year, 1, 1, tzinfo=UTC).toordinal() * _DAY - state
        own = said.of(year)
        past = {instant: one.after for instant, one in (said.of(year - 1) | own).items() if instant <= begins}
        state = past[max(past)] if past else state
        yield Era(begins, state, tuple(own.values()))
        state = next((one.after for one in reversed(own.values())), state)


def _time_of_day(wall: datetime) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second


def _count(wall: datetime) -> int:
    return wall.toordinal() * _DAY + _time_of_day(wall)


def _time(text: str) -> datetime:
    said = _TIME.fullmatch(text)
    if said is None:
        raise ValueError("this is no time of a VTIMEZONE")
    numbers = [int(one or 0) for one in said.groups()[:6]]
    year, month, day, hour, minute, second = numbers
    zone = UTC if said[7] else None
    return datetime(min(max(year, _FIRST_YEAR), _LAST_YEAR), month, day, hour, minute, min(second, 59), tzinfo=zone)


def _local(at: datetime, before: int) -> datetime:
    return at if at.tzinfo is None else at.replace(tzinfo=None) + timedelta(seconds=before)


def _offset(text: str) -> int:
    said = _OFFSET.fullmatch(text)
    if said is None:
        raise ValueError("this is no offset from UTC")
    seconds = int(said[2]) * 3600 + int(said[3]) * 60 + int(said[4] or 0)
    return -seconds if said[1] == "-" else seconds


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,4}", text, re.ASCII):
        raise ValueError("this is no number of a VTIMEZONE")
    return int(text)


__all__ = ["write", "zone_of"]
