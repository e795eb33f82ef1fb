"""Values that are kept as JSON in one column: series, changed occurrences, admission.

What cannot be read (another version wrote it, or a hand did) is told to the log and counts as not known: the calendar tells it
again, and one odd row must not keep all the others from being read.

What was read last is remembered, with the answers it has prepared: a join page is looked at by many, and each looks often.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Generic, TypeVar

import structlog

from greenroom.meetings.admission import Admission
from greenroom.meetings.recurrence import Moved, Series

T = TypeVar("T")

_log = structlog.get_logger(__name__)
NEVER_OPEN = Admission((), timedelta(), timedelta())
"""What a room has whose admission cannot be read."""
_LONG = 4096


class _Remembered(Generic[T]):
    """A reader of texts that remembers the last values; of long texts, which a stranger can make at will, only a few."""

    def __init__(self, parse: Callable[[str], T]) -> None:
        self._short = lru_cache(maxsize=256)(parse)
        self._long = lru_cache(maxsize=4)(parse)

    def __call__(self, text: str) -> T:
        return self._short(text) if len(text) <= _LONG else self._long(text)

    def forget(self) -> None:
        self._short.cache_clear()
        self._long.cache_clear()


_series = _Remembered(Series.parse)
_admission = _Remembered(Admission.parse)


def forget() -> None:
    """Read everything anew: for whoever changes zone data in a living process."""
    _series.forget()
    _admission.forget()


def write_moved(moved: Iterable[Moved]) -> str | None:
    """Return what a column keeps; None for nothing."""
    rows = [[one.day.isoformat(), one.start.isoformat(), one.end.isoformat()] for one in moved]
    return json.dumps(rows, separators=(",", ":")) if rows else None


def read_series(text: str | None, correlation_id: str) -> Series | None:
    """Return the series; None where there is none, or none that can be read."""
    return _read("series", _series, text, correlation_id)


def read_moved(text: str | None, correlation_id: str) -> tuple[Moved, ...]:
    """Return changed occurrences; none where they cannot be read."""
    return _read("handled", _moved, text, correlation_id) or ()


def read_admission(text: str, mark: str) -> Admission:
    """Return the admission; one that never opens where it cannot be read."""
    return _read("admission", _admission, text, mark) or NEVER_OPEN


def _read(what: str, parse: Callable[[str], T], text: str | None, ident: str) -> T | None:
    if text is None:
        return None
    try:
        return parse(text)
    except (ValueError, OverflowError, RecursionError) as error:
        # Without its text: it would show a piece of the row.
        _log.warning("storage.unreadable", what=what, id=ident, error=type(error).__name__)
        return None


def _moved(text: str) -> tuple[Moved, ...]:
    try:
        return tuple(Moved(date.fromisoformat(day), _at(start), _at(end)) for day, start, end in json.loads(text))
    except TypeError as error:
        raise ValueError("these are no occurrences") from error


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
