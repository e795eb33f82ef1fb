"""Everything a visitor of a join link is shown at an instant. Pure."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from greenroom.meetings.dialling import DialLine, PhoneLine, Ways, WaysToJoin
from greenroom.web.contract import JoinRoom
from greenroom.web.join_times import JoinState, JoinTimes, is_series, state_of, times_of, zone_of

_LONGEST_REFRESH = 300
_NO_WAYS = Ways(web_app=None, dial=(), phones=(), phone="")


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
    app_url: str | None
    dial: tuple[DialLine, ...]
    numeric_alias: str
    phones: tuple[PhoneLine, ...]
    phone: str
    needs_pin: bool
    host_has_pin: bool
    refresh: int | None


def view(room: JoinRoom, ways: WaysToJoin, now: datetime) -> JoinView:
    """Say what the visitor sees now. How to get in is there only while the room is open; a PIN never is.

    Raises ValueError or OverflowError for a room whose times make no sense.
    """
    alias = room.spec.alias
    state = state_of(room, now)
    times = times_of(room, state, now)
    is_open = state is JoinState.OPEN
    found = ways.of(alias, room.spec.join_id) if is_open else _NO_WAYS
    return JoinView(
        state=state,
        title=room.spec.name,
        times=times,
        is_series=is_series(room.spec.admission),
        now=now,
        zone=zone_of(room, times.starts),
        meeting_url=found.web_app,
        app_url=found.app,
        dial=found.dial,
        numeric_alias=alias.numeric if is_open else "",
        phones=found.phones,
        phone=found.phone,
        needs_pin=room.spec.guest_pin is not None,
        host_has_pin=room.spec.host_pin is not None,
        refresh=_refresh(state, times, now),
    )


def _refresh(state: JoinState, times: JoinTimes, now: datetime) -> int | None:
    if state in {JoinState.OVER, JoinState.CANCELLED}:
        return None
    change = times.closes if state is JoinState.OPEN else times.opens
    if change is None:
        return _LONGEST_REFRESH
    return min(_LONGEST_REFRESH, max(1, int((change - now).total_seconds()) + 1))
