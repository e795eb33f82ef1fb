"""What many cases plan."""

from datetime import date, datetime, timedelta
from typing import Any

from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from support.series_desk import DAY, Desk, Meeting, at

HALF = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
FIRST, SECOND, THIRD, FOURTH = (at(2031, 3, day, 9) for day in (4, 11, 18, 25))
"""The Tuesdays of `weekly`, at nine in Stockholm. Clocks are changed after the last of them."""
MARCH = at(2031, 3, 1), at(2031, 4, 1)
TUESDAYS = Recurrence(Weekly(1, ("Tuesday",)), date(2031, 3, 4), count=4)
ALL_FOUR = [f"2031-03-{day} 09:00-10:00" for day in ("04", "11", "18", "25")]


def weekly(desk: Desk, **more: Any) -> Meeting:
    """Four Tuesdays in March 2031, from nine to ten in Stockholm."""
    return desk.invite(FIRST, TUESDAYS, **more)


def daily_now(desk: Desk, *, since: int = 3, days: int | None = 10, **more: Any) -> tuple[Meeting, datetime]:
    """A daily series whose occurrence of today began twenty minutes ago; it began `since` days ago. Returns it with that start."""
    running = desk.now - 20 * MINUTE
    first = running - since * DAY
    return desk.invite(first, Recurrence(Daily(1), first.date(), count=days), zone="UTC", **more), running


def fortnightly_now(desk: Desk, **more: Any) -> tuple[Meeting, datetime]:
    """An endless series every second week, whose third occurrence began twenty minutes ago: there is room to move it."""
    running = desk.now - 20 * MINUTE
    first = running - 28 * DAY
    return desk.invite(first, Recurrence(Daily(14), first.date()), zone="UTC", **more), running
