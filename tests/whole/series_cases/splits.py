""" "This and following": Outlook ends the old series and makes a new one, with a new key and the copied text."""

from datetime import date

from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from support.series_desk import DAY, HOUR, Desk
from support.series_life import Steps
from whole.series_cases.common import (
    ALL_FOUR,
    FIRST,
    HALF,
    MARCH,
    SECOND,
    THIRD,
    TUESDAYS,
    daily_now,
    fortnightly_now,
    weekly,
)
from whole.series_cases.registry import case


@case
def a_ticketed_series_is_split(desk: Desk) -> Steps:
    """Trap 18: two keys, one ticket, one organizer: the same room, no second instruction, one reply to each half."""
    old = weekly(desk, body=desk.ticketed(1))
    yield
    new = old.split(THIRD)
    yield
    assert old.key != new.key
    assert old.alias == new.alias == 100_000_001
    assert old.room.mark == new.room.mark
    assert old.replies == ["accept new series", "accept edited series"]
    assert new.replies == ["accept new series"]
    assert new.tickets == [100_000_001]
    assert new.times(*MARCH) == ALL_FOUR
    assert new.record.instructions.value == "present"


@case
def a_ticketed_series_is_split_and_the_new_half_comes_first(desk: Desk) -> Steps:
    """Traps 11 and 18: whichever message comes first, a split is told from a copy."""
    old = weekly(desk, body=desk.ticketed(1))
    yield
    new = old.split(THIRD, new_first=True)
    yield
    assert old.alias == new.alias == 100_000_001
    assert new.replies == ["accept new series"]
    assert old.replies == ["accept new series", "accept edited series"]
    assert new.times(*MARCH) == ALL_FOUR


@case
def an_unticketed_series_is_split(desk: Desk) -> Steps:
    """Trap 18: the instructions were ours, and were copied with the text: what they say stays true."""
    old = weekly(desk)
    yield
    alias = old.alias
    assert old.tickets == [alias]
    new = old.split(THIRD)
    yield
    assert new.alias == alias
    assert new.tickets == [alias]
    assert new.replies == ["accept new series"]
    assert new.times(*MARCH) == ALL_FOUR
    assert old.page["state"] == "too-early"


@case
def an_unticketed_series_is_split_and_the_new_half_comes_first(desk: Desk) -> Steps:
    """Traps 11 and 18: as with a ticket."""
    old = weekly(desk)
    yield
    new = old.split(SECOND, new_first=True)
    yield
    assert new.alias == old.alias
    assert new.tickets == [old.alias]
    assert new.times(*MARCH) == ALL_FOUR


@case
def a_series_is_split_and_moved(desk: Desk) -> Steps:
    """Trap 18: the usual reason: from now on at another time."""
    old = weekly(desk)
    yield
    new = old.split(THIRD, start=THIRD + 4 * HOUR, end=THIRD + 5 * HOUR)
    yield
    assert new.alias == old.alias
    assert new.times(*MARCH) == [*ALL_FOUR[:2], "2031-03-18 13:00-14:00", "2031-03-25 13:00-14:00"]
    assert not new.is_open(THIRD + HALF)
    assert len(new.replies) == 1


@case
def a_series_is_split_and_gets_another_rule(desk: Desk) -> Steps:
    """Trap 18: from Tuesdays to Thursdays."""
    old = weekly(desk)
    yield
    thursdays = Recurrence(Weekly(1, ("Thursday",)), date(2031, 3, 20), count=2)
    new = old.split(THIRD, start=THIRD + 2 * DAY, end=THIRD + 2 * DAY + HOUR, recurrence=thursdays)
    yield
    assert new.alias == old.alias
    assert new.times(*MARCH) == [*ALL_FOUR[:2], "2031-03-20 09:00-10:00", "2031-03-27 09:00-10:00"]


@case
def a_series_is_split_twice(desk: Desk) -> Steps:
    """Trap 18: three keys, one room."""
    old = weekly(desk)
    yield
    new = old.split(SECOND)
    yield
    newest = new.split(THIRD, start=THIRD + HOUR, end=THIRD + 2 * HOUR)
    yield
    assert old.alias == new.alias == newest.alias
    assert newest.times(*MARCH) == [*ALL_FOUR[:2], "2031-03-18 10:00-11:00", "2031-03-25 10:00-11:00"]
    assert newest.replies == ["accept new series"]


@case
def a_series_is_split_when_all_that_was_is_past(desk: Desk) -> Steps:
    """Traps 18 and known product 2.4: the old half is over by the split: nobody calls it late, and the room goes on."""
    first = desk.now - 5 * DAY + 3 * HOUR
    old = desk.invite(first, Recurrence(Daily(1), first.date(), count=10), zone="UTC")
    yield
    new = old.split(first + 5 * DAY)
    yield
    assert old.replies == ["accept new series"]
    assert old.state == "ended"
    assert new.replies == ["accept new series"]
    assert new.alias == old.alias
    assert new.page["state"] in ("between", "too-early")
    assert new.is_open(first + 5 * DAY)


@case
def a_series_is_split_behind_its_running_occurrence(desk: Desk) -> Steps:
    """Traps 18 and neighbours 44: from tomorrow on otherwise: who is in the room now stays in it."""
    old, running = daily_now(desk)
    yield
    new = old.split(running + DAY, start=running + DAY, end=running + DAY + 2 * HOUR)
    yield
    assert new.alias == old.alias
    told = new.page
    assert (told["state"], told["closes"]) == ("open", (running + 2 * HOUR).isoformat())
    assert new.is_open(running + DAY + 2 * HOUR + HALF)


@case
def a_series_is_split_at_its_running_occurrence(desk: Desk) -> Steps:
    """Traps 18 and neighbours 44: the running one is the first of the new series: nobody is put out."""
    old, running = fortnightly_now(desk)
    yield
    new = old.split(running)
    yield
    assert new.alias == old.alias
    assert new.page["state"] == "open"
    assert old.replies == ["accept new series"]
    assert new.replies == ["accept new series"]
    assert new.record.review_at is not None
    assert new.is_open(running + 14 * DAY)


@case
def a_series_with_exceptions_is_split(desk: Desk) -> Steps:
    """Traps 18 and 20: the exception before the split stays, the one behind it is lost with its occurrence."""
    old = weekly(desk)
    yield
    old.move(SECOND, to=SECOND + DAY)
    old.move(THIRD + 7 * DAY, to=THIRD + 8 * DAY)
    yield
    new = old.split(THIRD)
    yield
    assert new.alias == old.alias
    assert new.times(*MARCH) == [ALL_FOUR[0], "2031-03-12 09:00-10:00", *ALL_FOUR[2:]]
    assert new.replies == ["accept new series"]


@case
def the_old_half_of_a_split_is_cancelled(desk: Desk) -> Steps:
    """Traps 18 and 23: the room stays for those who need it."""
    old = weekly(desk)
    yield
    new = old.split(THIRD)
    yield
    old.cancel()
    yield
    assert new.times(*MARCH) == ALL_FOUR[2:]
    assert new.page["state"] == "too-early"
    assert old.state == "ended"
    assert not new.is_open(FIRST + HALF)


@case
def the_new_half_of_a_split_is_cancelled(desk: Desk) -> Steps:
    """Traps 18 and 23: likewise the other way round."""
    old = weekly(desk)
    yield
    new = old.split(THIRD)
    yield
    new.cancel()
    yield
    assert old.times(*MARCH) == ALL_FOUR[:2]
    assert old.page["state"] == "too-early"
    assert new.state == "ended"


@case
def somebody_else_copies_a_series(desk: Desk) -> Steps:
    """Traps 18 and neighbours 53: the same ticket from another organizer is a copy: a room of its own, told in the text."""
    olgas = weekly(desk)
    yield
    copied = desk.invite(THIRD, TUESDAYS_AFTER, body=olgas.own.body.content, organizer=desk.other)
    yield
    assert copied.alias != olgas.alias
    assert copied.tickets == [copied.alias]
    assert olgas.times(*MARCH) == ALL_FOUR
    assert copied.replies == ["accept new series"]
    assert olgas.replies == ["accept new series"]


@case
def a_copy_that_runs_beside(desk: Desk) -> Steps:
    """Traps 18 and neighbours 53: the same organizer, but both take place at once: no split, and not one room for two."""
    series = weekly(desk)
    yield
    copied = desk.invite(FIRST + HOUR, TUESDAYS, body=series.own.body.content)
    yield
    assert copied.alias != series.alias
    assert copied.tickets == [copied.alias]
    assert copied.times(*MARCH) == [f"2031-03-{day} 10:00-11:00" for day in ("04", "11", "18", "25")]
    assert series.times(*MARCH) == ALL_FOUR


@case
def a_single_meeting_copied_out_of_a_series(desk: Desk) -> Steps:
    """Neighbours 53: one more meeting with the copied text is no part of the series."""
    series = weekly(desk)
    yield
    copied = desk.invite(SECOND + DAY, body=series.own.body.content)
    yield
    assert copied.alias != series.alias
    assert copied.tickets == [copied.alias]
    assert copied.replies == ["accept new single"]


TUESDAYS_AFTER = Recurrence(TUESDAYS.pattern, date(2031, 3, 18), count=2)
