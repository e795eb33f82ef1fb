"""The rule of a series as Outlook keeps it: the binary PidLidAppointmentRecur (MS-OXOCAL 2.2.1.44.1, .2, .5).

Times are minutes since 1601 by the clock on the wall. Of exceptions only their times are told, not what else is different.
"""

import calendar
import struct
from collections.abc import Sequence
from datetime import date, datetime, time, tzinfo

from greenroom.simulator.days import days_from, last_day
from greenroom.simulator.model import Meeting
from greenroom.simulator.occurrences import zone_of
from greenroom.simulator.recurrence import (
    DAYS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)

_VERSION, _READER, _WRITER = 0x3004, 0x3006, 0x3009
_DAILY, _WEEKLY, _MONTHLY, _YEARLY = 0x200A, 0x200B, 0x200C, 0x200D
_BY_DAY, _BY_WEEK, _BY_MONTH, _BY_NTH = 0, 1, 2, 3
_ON_DATE, _AFTER, _NEVER = 0x2021, 0x2022, 0x2023
_NO_END = 0x5AE980DF
_NOT_COUNTED = 10  # what Outlook writes where a number of occurrences is not what ends the series
_EPOCH = datetime.combine(date(1601, 1, 1), time())
_MINUTES = 1440
_WEEK = 7
_YEAR = 12
_SUNDAY_FIRST = ("Sunday", *DAYS[:-1])
_GROUPS = {
    "Day": _SUNDAY_FIRST,
    "Weekday": _SUNDAY_FIRST[1:6],
    "WeekendDay": (_SUNDAY_FIRST[0], _SUNDAY_FIRST[6]),
}
_NTH = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": 5}


def write_rule(meeting: Meeting) -> bytes | None:
    """The structure for a series; None for what is none, and for rules and times that Exchange cannot say."""
    rule, zone = meeting.recurrence, zone_of(meeting)
    try:
        return None if rule is None or zone is None else _written(meeting, rule, zone)
    except struct.error:
        return None


def _written(meeting: Meeting, rule: Recurrence, zone: tzinfo) -> bytes:
    first = next(iter(days_from(rule, rule.start)), rule.start)
    frequency, kind, period, specific = _pattern(rule)
    gone = sorted({_midnight(one.start, zone) for one in meeting.deleted} | _original_days(meeting, zone))
    moved = sorted(_midnight(one.start, zone) for one in meeting.modified)
    last = last_day(rule)
    end = _AFTER if rule.count else _ON_DATE if rule.until else _NEVER
    begins = _minutes(meeting.start, zone) - _midnight(meeting.start, zone)
    ends = _minutes(meeting.end, zone) - _midnight(meeting.start, zone)
    week = DAYS.index(rule.pattern.first_day) if isinstance(rule.pattern, Weekly) else DAYS.index("Sunday")
    return b"".join(
        (
            struct.pack("<HHHHH", _VERSION, _VERSION, frequency, kind, 0),
            struct.pack("<III", _first_date(rule, period), period, 0),
            specific,
            struct.pack("<III", end, rule.count or _NOT_COUNTED, (week + 1) % _WEEK),
            _many(gone),
            _many(moved),
            struct.pack("<II", _of_day(first), _NO_END if last is None else _of_day(last)),
            struct.pack("<IIII", _READER, _WRITER, begins, ends),
            _exceptions(meeting, zone),
        )
    )


def _pattern(rule: Recurrence) -> tuple[int, int, int, bytes]:
    """Frequency, kind of pattern, period, and the part that depends on the kind."""
    match rule.pattern:
        case Daily(interval):
            return _DAILY, _BY_DAY, interval * _MINUTES, b""
        case Weekly(interval, days):
            return _WEEKLY, _BY_WEEK, interval, struct.pack("<I", _mask(days))
        case AbsoluteMonthly(interval, day):
            return _MONTHLY, _BY_MONTH, interval, struct.pack("<I", day)
        case RelativeMonthly(interval, day, index):
            return _MONTHLY, _BY_NTH, interval, struct.pack("<II", _mask(_GROUPS.get(day, (day,))), _NTH[index])
        case AbsoluteYearly(_, day):
            return _YEARLY, _BY_MONTH, _YEAR, struct.pack("<I", day)
        case RelativeYearly(_, day, index):
            return _YEARLY, _BY_NTH, _YEAR, struct.pack("<II", _mask(_GROUPS.get(day, (day,))), _NTH[index])


def _mask(days: Sequence[str]) -> int:
    return sum(1 << _SUNDAY_FIRST.index(day) for day in days)


def _first_date(rule: Recurrence, period: int) -> int:
    """When the first period began, modulo the period (MS-OXOCAL 2.2.1.44.1, FirstDateTime)."""
    match rule.pattern:
        case Daily():
            return _of_day(rule.start) % period
        case Weekly(first_day=first):
            back = (rule.start.weekday() - DAYS.index(first)) % _WEEK
            return (_of_day(rule.start) - back * _MINUTES) % (period * _WEEK * _MINUTES)
        case AbsoluteYearly(month=month) | RelativeYearly(month=month):
            months = month - 1
        case _:
            months = ((rule.start.year - _EPOCH.year) * _YEAR + rule.start.month - 1) % period
    days = sum(calendar.monthrange(_EPOCH.year + n // _YEAR, n % _YEAR + 1)[1] for n in range(months))
    return days * _MINUTES


def _original_days(meeting: Meeting, zone: tzinfo) -> set[int]:
    return {_midnight(one.original_start, zone) for one in meeting.modified}


def _exceptions(meeting: Meeting, zone: tzinfo) -> bytes:
    """ExceptionInfo of each without any override, then the reserved blocks and ExtendedException of each."""
    changed = sorted(meeting.modified, key=lambda one: one.start)
    told = b"".join(
        struct.pack("<IIIH", *(_minutes(at, zone) for at in (one.start, one.end, one.original_start)), 0)
        for one in changed
    )
    extended = struct.pack("<III", 4, 0, 0) * len(changed)
    return struct.pack("<H", len(changed)) + told + struct.pack("<I", 0) + extended + struct.pack("<I", 0)


def _many(values: Sequence[int]) -> bytes:
    return struct.pack(f"<I{len(values)}I", len(values), *values)


def _minutes(moment: datetime, zone: tzinfo) -> int:
    return int((moment.astimezone(zone).replace(tzinfo=None) - _EPOCH).total_seconds()) // 60


def _midnight(moment: datetime, zone: tzinfo) -> int:
    return _of_day(moment.astimezone(zone).date())


def _of_day(day: date) -> int:
    return (datetime.combine(day, time()) - _EPOCH).days * _MINUTES
