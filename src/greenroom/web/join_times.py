"""What a visitor of a join link is told of the time: the state of the room at an instant, and the window that counts then. Pure.

```
 too-early ──opens──▶ open ──closes──▶ over
      │              ▲    │
      │        opens │    │ closes, and more of the series is to come
      │              │    ▼
      │             between
      └──────────────────┴──retired before the end──▶ cancelled
```
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from greenroom.meetings.admission import Admission, AdmissionWindow, Once, Times
from greenroom.meetings.recurrence import Series
from greenroom.web.contract import JoinRoom
from greenroom.web.zones import find_zone

_FAR = timedelta(days=7)


class JoinState(StrEnum):
    """What the page says."""

    TOO_EARLY = "too-early"
    OPEN = "open"
    BETWEEN = "between"
    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JoinTimes:
    """The window that is open, else the one that comes next; aware, in UTC. None where there is nothing to tell.

    starts, ends    the occurrence that is running, else the next; of a meeting that takes place once, always its own
    opens, closes   the window around it, one with those of its neighbours where they touch; never the end of a long series:
                    `closes` is None where neighbours keep the room open for more than a week past `ends`
    next_opens      when the room opens next, behind now
    """

    opens: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    closes: datetime | None = None
    next_opens: datetime | None = None


def state_of(room: JoinRoom, now: datetime) -> JoinState:
    """Judge the time, and for a retired room whether it came to its end or was called off before."""
    admission = room.spec.admission
    if room.retired_at is not None:
        return JoinState.OVER if admission.is_over(room.retired_at) else JoinState.CANCELLED
    if admission.is_open(now):
        return JoinState.OPEN
    if admission.is_over(now):
        return JoinState.OVER
    first = admission.first_opens
    return JoinState.TOO_EARLY if first is None or now < first else JoinState.BETWEEN


def times_of(room: JoinRoom, state: JoinState, now: datetime) -> JoinTimes:
    """Say what is told of the time in this state. Of a cancelled series it is the occurrence that would have been next."""
    admission = room.spec.admission
    at = room.retired_at or now
    window = admission.at(at) or admission.following(at)
    if window is None:
        window = _of_its_own(admission)
    if window is None:
        return JoinTimes()
    coming: datetime | None = None
    if state in {JoinState.TOO_EARLY, JoinState.BETWEEN}:
        coming = window.opens
    elif window.closes is not None and state is JoinState.OPEN:
        following = admission.following(window.closes)
        coming = None if following is None else following.opens
    ends = None if _is_open_ended(admission, window) else window.ends
    closes = window.closes
    if closes is not None and closes - window.ends > _FAR + admission.after:
        closes = None
    return JoinTimes(window.opens, window.starts, ends, closes, coming)


def is_series(admission: Admission) -> bool:
    """Whether the room is for more than one meeting, or for one of which nobody knows how often it takes place."""
    return len(admission.times) != 1 or not (
        isinstance(only := admission.times[0], Once) and only.end is not None  # its beginning alone is a series, too
    )


def zone_of(room: JoinRoom, starts: datetime | None) -> tzinfo | None:
    """Return the zone of who planned the meeting that is shown; None where it is UTC or not known.

    Where several meetings share the room it is the one planned nearest to the start that is shown.
    """
    if not room.planned:
        return None
    planned = room.planned[0]
    if starts is not None and len(room.planned) > 1:
        planned = min(room.planned, key=lambda one: _distance(one.times, starts))
    return find_zone(planned.zone)


def _of_its_own(admission: Admission) -> AdmissionWindow | None:
    """The window of a meeting that takes place once, also when it is past."""
    if is_series(admission):
        return None
    only = admission.times[0]
    if isinstance(only, Series) or only.end is None:
        return None
    only = only.bounded
    ends = only.end or only.start
    return AdmissionWindow(only.start - admission.before, only.start, ends, ends + admission.after)


def _is_open_ended(admission: Admission, window: AdmissionWindow) -> bool:
    return any(isinstance(one, Once) and one.end is None and one.start == window.starts for one in admission.times)


def _distance(times: Times, starts: datetime) -> timedelta:
    if isinstance(times, Once):
        return abs(times.start - starts)
    found = times.occurrences
    near = [abs(one.start - starts) for one in (found.before(starts), found.after(starts)) if one is not None]
    return min(near, default=timedelta.max)
