"""Recurrence as the composer offers it: daily, on weekdays or weekly, with a last day or without end."""

from dataclasses import replace
from datetime import date

from greenroom.simulator.model import Meeting
from greenroom.simulator.occurrences import zone_of
from greenroom.simulator.recurrence import (
    DAYS,
    MONTHS,
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)

KEEP = "keep"
CHOICES = (("none", "Does not repeat"), ("daily", "Every day"), ("weekdays", "Every weekday"), ("weekly", "Every week"))
_WEEKDAYS = DAYS[:5]
_NAMES: dict[str, str] = {"Day": "day", "Weekday": "weekday", "WeekendDay": "day of a weekend"}


def repeat_of(meeting: Meeting) -> str:
    """Which choice says the meeting's rule; "keep" for rules the composer cannot say."""
    rule = meeting.recurrence
    if rule is None:
        return KEEP if meeting.raw_rrule is not None else "none"
    if rule.count is not None:
        return KEEP
    match rule.pattern:
        case Daily(1):
            return "daily"
        case Weekly(1, days) if set(days) == set(_WEEKDAYS):
            return "weekdays"
        case Weekly(1, (only,)) if only == DAYS[rule.start.weekday()]:
            return "weekly"
    return KEEP


def ending(meeting: Meeting) -> str:
    """The last day as the date field shows it, empty for none."""
    rule = meeting.recurrence
    return "" if rule is None or rule.until is None else rule.until.isoformat()


def rule_from(repeat: str, until: str, start: date, current: Meeting | None) -> Recurrence | str | None:
    """The rule that was chosen, None for none, or a sentence that says what is wrong with it."""
    if repeat == KEEP and current is not None:
        return _kept(current, start)
    patterns: dict[str, Pattern] = {
        "daily": Daily(1),
        "weekdays": Weekly(1, _WEEKDAYS),
        "weekly": Weekly(1, (DAYS[start.weekday()],)),
    }
    if repeat not in patterns:
        return None if repeat in {"", "none"} else "Choose how the meeting repeats from the list."
    try:
        last = date.fromisoformat(until.strip()) if until.strip() else None
    except ValueError:
        return "Give the last day as a date, or leave it empty for no end."
    if last is not None and last < start:
        return "The last day lies before the first meeting."
    return Recurrence(patterns[repeat], start, until=last)


def _kept(current: Meeting, start: date) -> Recurrence | str | None:
    """The same rule from a new first day on."""
    rule, zone = current.recurrence, zone_of(current)
    if rule is None or zone is None or current.start.astimezone(zone).date() == start:
        return rule
    if rule.until is not None and rule.until < start:
        return "The series ends before this day."
    return replace(rule, start=start)


def in_words(meeting: Meeting) -> str:
    """A rule as a phrase, for the reading pane; empty for single meetings."""
    rule = meeting.recurrence
    if rule is None:
        return "Repeats by a rule that only the invitation file can say" if meeting.raw_rrule is not None else ""
    return _pattern(rule) + _range(rule)


def _pattern(rule: Recurrence) -> str:
    match rule.pattern:
        case Daily(interval):
            words = _every(interval, "day")
        case Weekly(1, days) if set(days) == set(_WEEKDAYS):
            words = "Every weekday"
        case Weekly(interval, days):
            words = f"{_every(interval, 'week')} on {', '.join(name for name in DAYS if name in days)}"
        case AbsoluteMonthly(interval, day):
            words = f"{_every(interval, 'month')} on day {day}"
        case RelativeMonthly(interval, name, index):
            words = f"{_every(interval, 'month')} on the {index.lower()} {_NAMES.get(name, name)}"
        case AbsoluteYearly(month, day):
            words = f"Every year on {day} {MONTHS[month - 1]}"
        case RelativeYearly(month, name, index):
            words = f"Every year on the {index.lower()} {_NAMES.get(name, name)} of {MONTHS[month - 1]}"
    return words


def _every(interval: int, unit: str) -> str:
    return f"Every {unit}" if interval == 1 else f"Every {interval} {unit}s"


def _range(rule: Recurrence) -> str:
    if rule.count is not None:
        return f", {rule.count} times"
    if rule.until is not None:
        return f", until {rule.until.day} {rule.until:%B %Y}"
    return ""
