"""When a meeting is and when its room lets people in, as `greenroom explain` shows it."""

from datetime import datetime

from greenroom.cli.coming import next_occurrences, window_of
from greenroom.cli.reading import local
from greenroom.cli.repeating import exceptions, in_words
from greenroom.meetings.admission import AdmissionWindow
from greenroom.meetings.icalendar import rrule_of
from greenroom.meetings.meeting import Kind
from greenroom.meetings.record import Record
from greenroom.meetings.recurrence import Occurrence, Series
from greenroom.settings import Settings
from greenroom.storage import RoomEnd, StoredRoom

_COMING = ("next", "after that", "and then")


def when(settings: Settings, record: Record, now: datetime) -> dict[str, str]:
    """Return the facts by name; what is empty is not shown."""
    span = record.span
    kind = "one occurrence of a series" if record.kind is Kind.OCCURRENCE else record.kind.value
    day = record.key.occurrence
    meant = f", first meant for {day.isoformat()}" if day is not None else ""
    said = {"when": "" if span is None else f"{_period(span.start, span.end)}, {kind}{meant}"}
    if record.series is not None:
        said |= _repeats(settings, record, record.series, now)
    held = record.held
    if held is not None:
        said["held"] = f"{_period(*held)}: what began then keeps its room, whatever became of the meeting"
    return said


def how_it_stands(room: StoredRoom, now: datetime) -> str:
    """Say whether people are let in now, and when that changes."""
    if room.retired_at is not None:
        why = "over" if room.reason is RoomEnd.OVER else "not needed any more"
        return f"closed on {local(room.retired_at)}: {why}"
    admission = room.spec.admission
    window = admission.at(now)
    if window is not None:
        return "open" if window.closes is None else f"open, closes {local(window.closes)}"
    following = admission.following(now)
    return "closed, all windows are past" if following is None else f"closed, opens {local(following.opens)}"


def _repeats(settings: Settings, record: Record, series: Series, now: datetime) -> dict[str, str]:
    coming = [(one, window_of(settings, record, one)) for one in next_occurrences(series, now, len(_COMING))]
    last = series.occurrences.last_end
    over = "" if last is None else f"nothing more; the last one ended {local(last)}"
    return {
        "repeats": in_words(series),
        "rule": rrule_of(series.rule),
        "exceptions": exceptions(series),
        **(dict(zip(_COMING, (_occurrence(*one) for one in coming), strict=False)) or {"next": over}),
        "review": "" if record.review_at is None else f"{local(record.review_at)}, as it has no end",
    }


def _occurrence(one: Occurrence, window: AdmissionWindow | None) -> str:
    said = _period(one.start, one.end)
    if window is None:
        return said
    closes = "" if window.closes is None else f" to {_short(window.closes, window.opens)}"
    return f"{said}, open {_short(window.opens, one.start)}{closes}"


def _period(start: datetime, end: datetime) -> str:
    return f"{local(start)} to {_short(end, start)}"


def _short(at: datetime, beside: datetime) -> str:
    """Leave out the day where it is the same."""
    said = local(at)
    return said.rpartition(" ")[2] if said[:10] == local(beside)[:10] else said
