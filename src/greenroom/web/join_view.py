"""What a visitor of a join link is shown at an instant. Pure.

```
 too-early ──opens──▶ open ──closes──▶ over
      └──────────retired before────────▶ cancelled
```
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from greenroom.meetings.patterns import expand, expand_address, values_of
from greenroom.meetings.room import AdmissionWindow
from greenroom.web.contract import JoinRoom, Place
from greenroom.web.zones import find_zone

_LINKED = frozenset({"sip", "sips", "h323", "tel", "https"})
_LONGEST_AFTER = timedelta(hours=3)  # a window that stays open longer past the first end is that of a series
_LONGEST_REFRESH = 300


class JoinState(StrEnum):
    """What the page says."""

    TOO_EARLY = "too-early"
    OPEN = "open"
    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class DialLine:
    """One way to dial in: `href` only where a browser knows what to do with it."""

    label: str
    value: str
    href: str | None


@dataclass(frozen=True, slots=True)
class JoinView:
    """Everything the page says. Times are in UTC; `zone` is the organizer's, where it is known.

    `ends` is None for a series, whose window spans many occurrences. `refresh` is after how many seconds a page without
    JavaScript looks again, or None.
    """

    state: JoinState
    title: str
    window: AdmissionWindow
    now: datetime
    zone: tzinfo | None
    ends: datetime | None
    meeting_url: str | None
    dial: tuple[DialLine, ...]
    numeric_alias: str
    phone: str
    needs_pin: bool
    host_has_pin: bool
    refresh: int | None


def view(room: JoinRoom, place: Place, now: datetime) -> JoinView:
    """Say what the visitor sees now. How to get in is there only while the room is open; a PIN never is."""
    window, alias = room.spec.window, room.spec.alias
    state = state_of(room, now)
    is_open = state is JoinState.OPEN
    values = values_of(alias, room.spec.join_id)
    return JoinView(
        state=state,
        title=room.spec.name,
        window=window,
        now=now,
        zone=find_zone(room.zone),
        ends=window.ends if is_single(window) else None,
        meeting_url=expand_address(place.meeting_url, values) if place.meeting_url and is_open else None,
        dial=tuple(_dial(label, expand(pattern, values)) for label, pattern in place.dial) if is_open else (),
        numeric_alias=alias.numeric if is_open else "",
        phone=expand(place.phone, values) if is_open else "",
        needs_pin=room.spec.guest_pin is not None,
        host_has_pin=room.spec.host_pin is not None,
        refresh=_refresh(state, window, now),
    )


def is_single(window: AdmissionWindow) -> bool:
    """Whether the window is that of one meeting; that of a series spans many, and its first end tells a visitor nothing."""
    return window.closes is not None and window.closes - window.ends <= _LONGEST_AFTER


def state_of(room: JoinRoom, now: datetime) -> JoinState:
    """Judge the time, and for a retired room whether it came to its end or was called off before."""
    window = room.spec.window
    if room.retired_at is not None and not window.is_over(room.retired_at):
        return JoinState.CANCELLED
    if room.retired_at is not None or window.is_over(now):
        return JoinState.OVER
    return JoinState.OPEN if window.is_open(now) else JoinState.TOO_EARLY


def _dial(label: str, value: str) -> DialLine:
    scheme, colon, _ = value.partition(":")
    linked = bool(colon) and scheme.lower() in _LINKED and not re.search(r"\s", value)
    return DialLine(label, value, value if linked else None)


def _refresh(state: JoinState, window: AdmissionWindow, now: datetime) -> int | None:
    if state is JoinState.TOO_EARLY:
        return min(_LONGEST_REFRESH, max(1, int((window.opens - now).total_seconds()) + 1))
    return _LONGEST_REFRESH if state is JoinState.OPEN else None
