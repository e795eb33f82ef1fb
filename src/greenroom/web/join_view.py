"""Everything a visitor of a join link is shown at an instant. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from greenroom.meetings.patterns import expand, expand_address, values_of
from greenroom.web.contract import JoinRoom, Place
from greenroom.web.join_times import JoinState, JoinTimes, is_series, state_of, times_of, zone_of

_LINKED = frozenset({"sip", "sips", "h323", "tel", "https"})
_LONGEST_REFRESH = 300


@dataclass(frozen=True, slots=True)
class DialLine:
    """One way to dial in: `href` only where a browser knows what to do with it."""

    label: str
    value: str
    href: str | None


@dataclass(frozen=True, slots=True)
class JoinView:
    """Everything the page says. Times are in UTC; `zone` is the organizer's, where it is known.

    `refresh` is after how many seconds a page without JavaScript looks again, or None.
    """

    state: JoinState
    title: str
    times: JoinTimes
    is_series: bool
    now: datetime
    zone: tzinfo | None
    meeting_url: str | None
    dial: tuple[DialLine, ...]
    numeric_alias: str
    phone: str
    needs_pin: bool
    host_has_pin: bool
    refresh: int | None


def view(room: JoinRoom, place: Place, now: datetime) -> JoinView:
    """Say what the visitor sees now. How to get in is there only while the room is open; a PIN never is.

    Raises ValueError or OverflowError for a room whose times make no sense.
    """
    alias = room.spec.alias
    state = state_of(room, now)
    times = times_of(room, state, now)
    is_open = state is JoinState.OPEN
    values = values_of(alias, room.spec.join_id)
    return JoinView(
        state=state,
        title=room.spec.name,
        times=times,
        is_series=is_series(room.spec.admission),
        now=now,
        zone=zone_of(room, times.starts),
        meeting_url=expand_address(place.meeting_url, values) if place.meeting_url and is_open else None,
        dial=tuple(_dial(label, expand(pattern, values)) for label, pattern in place.dial) if is_open else (),
        numeric_alias=alias.numeric if is_open else "",
        phone=expand(place.phone, values) if is_open else "",
        needs_pin=room.spec.guest_pin is not None,
        host_has_pin=room.spec.host_pin is not None,
        refresh=_refresh(state, times, now),
    )


def _dial(label: str, value: str) -> DialLine:
    scheme, colon, _ = value.partition(":")
    linked = bool(colon) and scheme.lower() in _LINKED and not re.search(r"\s", value)
    return DialLine(label, value, value if linked else None)


def _refresh(state: JoinState, times: JoinTimes, now: datetime) -> int | None:
    if state in {JoinState.OVER, JoinState.CANCELLED}:
        return None
    change = times.closes if state is JoinState.OPEN else times.opens
    if change is None:
        return _LONGEST_REFRESH
    return min(_LONGEST_REFRESH, max(1, int((change - now).total_seconds()) + 1))
