"""Single occurrences that differ from their series: moved, longer, cancelled, renamed, without the equipment."""

from datetime import date, timedelta

import pytest

from greenroom.simulator.errors import InvalidOperation
from greenroom.simulator.recurrence import Recurrence, Weekly
from support import planted
from support.series_desk import DAY, HOUR, Desk, at
from support.series_life import Steps
from whole.series_cases.common import (
    ALL_FOUR,
    FIRST,
    FOURTH,
    HALF,
    MARCH,
    MINUTE,
    SECOND,
    THIRD,
    TUESDAYS,
    daily_now,
    fortnightly_now,
    weekly,
)
from whole.series_cases.registry import case


@case
def an_occurrence_is_moved(desk: Desk) -> Steps:
    """Trap 15: it is known by its original start, is answered by itself, opens at its new time and not at its old."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + DAY + 3 * HOUR)
    yield
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]
    assert series.times(*MARCH) == series.shown(*MARCH)
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-12 12:00-13:00", *ALL_FOUR[2:]]
    assert not series.is_open(SECOND + HALF)
    assert series.is_open(SECOND + DAY + 3 * HOUR + HALF)
    assert series.tracked == "Accept"
    assert series.record.series is not None
    assert [one.day for one in series.record.series.moved] == [date(2031, 3, 11)]


@case
def an_occurrence_is_moved_twice(desk: Desk) -> Steps:
    """Trap 15: each move is answered once; of the first nothing is left."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + 3 * HOUR)
    yield
    series.move(SECOND, to=SECOND + 2 * DAY)
    yield
    assert series.replies == ["accept new series", *["accept edited occurrence 2031-03-11"] * 2]
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-13 09:00-10:00", *ALL_FOUR[2:]]


@case
def an_occurrence_is_moved_and_moved_back(desk: Desk) -> Steps:
    """Trap 15: back at its time it is an exception still, for Exchange; the room is open as before all that."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + 3 * HOUR)
    yield
    series.move(SECOND, to=SECOND)
    yield
    assert series.replies == ["accept new series", *["accept edited occurrence 2031-03-11"] * 2]
    assert series.times(*MARCH) == ALL_FOUR


@case
def two_occurrences_are_moved_at_once(desk: Desk) -> Steps:
    """Traps 10 and 15: two messages, one look; each is answered by itself."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + HOUR)
    series.move(THIRD, to=THIRD - 2 * HOUR)
    yield
    assert series.replies[0] == "accept new series"
    assert sorted(series.replies[1:]) == ["accept edited occurrence 2031-03-11", "accept edited occurrence 2031-03-18"]
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-11 10:00-11:00", "2031-03-18 07:00-08:00", ALL_FOUR[3]]


@case
def an_occurrence_is_moved_before_anybody_looked(desk: Desk) -> Steps:
    """Trap 11: invitation and exception come in one look; the state counts, and one answer says yes to all of it."""
    series = weekly(desk)
    series.move(SECOND, to=SECOND + HOUR)
    yield
    assert series.replies == ["accept new series"]
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-11 10:00-11:00", *ALL_FOUR[2:]]
    assert series.tickets == [series.alias]


@case
def a_running_occurrence_becomes_longer(desk: Desk) -> Steps:
    """Neighbours 44: who is in stays in, and the window closes an hour after the new end."""
    series, running = daily_now(desk)
    yield
    assert series.page["state"] == "open"
    series.move(running, to=running, length=4 * HOUR)
    yield
    told = series.page
    assert (told["state"], told["closes"]) == ("open", (running + 5 * HOUR).isoformat())
    assert series.replies == ["accept new series", f"accept edited occurrence {running.date()}"]
    assert series.is_open(running + DAY + HALF)
    assert not series.is_open(running + DAY + 2 * HOUR + MINUTE)


@case
def a_running_occurrence_becomes_shorter(desk: Desk) -> Steps:
    """Neighbours 44: the organizer ends just this one early, and means it: the window closes earlier."""
    series, running = daily_now(desk)
    yield
    series.move(running, to=running, length=15 * MINUTE)
    yield
    told = series.page
    assert (told["state"], told["closes"]) == ("open", (running + 75 * MINUTE).isoformat())


@case
def a_running_occurrence_is_put_off(desk: Desk) -> Steps:
    """Traps 15 and neighbours 44: the organizer moves just the one that runs to the day after tomorrow: it is closed until then."""
    series, running = fortnightly_now(desk)
    yield
    assert series.page["state"] == "open"
    series.move(running, to=running + 2 * DAY)
    yield
    told = series.page
    assert (told["state"], told["starts"]) == ("between", (running + 2 * DAY).isoformat())
    assert series.replies == ["accept new series", f"accept edited occurrence {running.date()}"]


@case
def a_running_occurrence_is_cancelled(desk: Desk) -> Steps:
    """Traps 17 and neighbours 44: a word about just this one: it is closed at once, the next one is not."""
    series, running = fortnightly_now(desk)
    yield
    series.cancel_one(running)
    yield
    told = series.page
    assert (told["state"], told["starts"]) == ("between", (running + 14 * DAY).isoformat())
    assert series.replies == ["accept new series"]


@case
def an_occurrence_that_is_past_is_changed(desk: Desk) -> Steps:
    """Known product 2.4: what is over needs no answer, and the series goes on."""
    series, running = fortnightly_now(desk)
    yield
    series.move(running - 14 * DAY, to=running - 13 * DAY)
    yield
    assert series.replies == ["accept new series"]
    assert series.page["state"] == "open"
    assert series.is_open(running + 14 * DAY)


@case
def an_occurrence_is_moved_out_of_the_past(desk: Desk) -> Steps:
    """Traps 15 and known product 2.4: the meeting of two weeks ago takes place in a week after all."""
    series, running = fortnightly_now(desk)
    yield
    series.cancel_one(running)
    series.move(running - 14 * DAY, to=running + 7 * DAY)
    yield
    assert series.is_open(running + 7 * DAY + HALF)
    assert not series.is_open(running + HALF)
    assert series.replies == ["accept new series", f"accept edited occurrence {(running - 14 * DAY).date()}"]


@case
def exceptions_are_sent_once_more(desk: Desk) -> Steps:
    """Trap 20: a change of the series over Graph fans out mails about every exception; what was answered is not answered again."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + HOUR)
    series.move(THIRD, to=THIRD + HOUR)
    yield
    before = series.replies
    assert len(before) == 3
    desk.exchange.send_exceptions(series.organizer, series.id)
    yield
    assert series.replies == before
    assert series.times(*MARCH)[1:3] == ["2031-03-11 10:00-11:00", "2031-03-18 10:00-11:00"]


@case
def an_occurrence_is_cancelled(desk: Desk) -> Steps:
    """Trap 17: its time is closed, nothing is said, the others stay."""
    series = weekly(desk)
    yield
    series.cancel_one(SECOND)
    yield
    assert series.replies == ["accept new series"]
    assert series.times(*MARCH) == series.shown(*MARCH) == [ALL_FOUR[0], *ALL_FOUR[2:]]
    assert not series.is_open(SECOND + HALF)
    assert series.state == "scheduled"
    assert series.tracked == "Accept"


@case
def the_first_and_the_last_occurrence_are_cancelled(desk: Desk) -> Steps:
    """Trap 17: the room opens later and closes for good earlier."""
    series = weekly(desk)
    yield
    series.cancel_one(FIRST)
    series.cancel_one(FOURTH)
    yield
    assert series.times(*MARCH) == ALL_FOUR[1:3]
    assert series.admission.first_opens == SECOND - HALF
    assert series.admission.closes == THIRD + 2 * HOUR
    assert series.page["starts"] == SECOND.isoformat()
    assert series.replies == ["accept new series"]


@case
def every_occurrence_is_cancelled(desk: Desk) -> Steps:
    """Trap 17: a series of which nothing is left lets nobody in, though nobody cancelled it as a whole."""
    series = weekly(desk)
    yield
    for one in (FIRST, SECOND, THIRD, FOURTH):
        series.cancel_one(one)
    yield
    assert not any(series.is_open(one + HALF) for one in (FIRST, SECOND, THIRD, FOURTH))
    assert series.replies == ["accept new series"]
    assert series.page["state"] in ("cancelled", "over")


@case
def a_moved_occurrence_is_cancelled(desk: Desk) -> Steps:
    """Traps 15 and 17: neither its old time nor its new one is open."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + DAY)
    yield
    series.cancel_one(SECOND)
    yield
    assert series.times(*MARCH) == [ALL_FOUR[0], *ALL_FOUR[2:]]
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]
    assert not series.is_open(SECOND + DAY + HALF)


@case
def only_the_subject_of_an_occurrence_changes(desk: Desk) -> Steps:
    """Trap 15: nothing that concerns a room; where our yes still stands, nobody gets another mail."""
    series = weekly(desk)
    yield
    name = series.room.spec.name
    series.change_one(SECOND, subject=f"{planted.SUBJECT}, Teil zwei")
    yield
    assert series.replies == ["accept new series"]
    assert series.times(*MARCH) == ALL_FOUR
    assert series.room.spec.name == name


@case
def the_equipment_is_taken_out_of_one_occurrence(desk: Desk) -> Steps:
    """Trap 17: for us it is as if this one were cancelled; the colleague's occurrence stays."""
    series = weekly(desk)
    yield
    series.take_room_out(SECOND)
    yield
    assert series.replies == ["accept new series"]
    assert series.times(*MARCH) == [ALL_FOUR[0], *ALL_FOUR[2:]]
    assert not series.is_open(SECOND + HALF)
    assert series.state == "scheduled"


@case
def the_equipment_is_taken_out_of_one_occurrence_and_put_back(desk: Desk) -> Steps:
    """Traps 12 and 17: its time is open again, and the invitation to it is answered."""
    series = weekly(desk)
    yield
    series.take_room_out(SECOND)
    yield
    series.invite_room(SECOND)
    yield
    assert series.times(*MARCH) == ALL_FOUR
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]


@case
def an_occurrence_cannot_pass_its_neighbour(desk: Desk) -> Steps:
    """Trap 21: Exchange refuses it (ErrorOccurrenceCrossingBoundary); nothing changes, nobody says anything."""
    series = weekly(desk)
    yield
    with pytest.raises(InvalidOperation, match="neighbours") as refused:
        series.move(SECOND, to=THIRD + DAY)
    assert refused.value.code == "ErrorOccurrenceCrossingBoundary"
    yield
    assert series.replies == ["accept new series"]
    assert series.times(*MARCH) == ALL_FOUR


@case
def another_rule_wipes_the_exceptions(desk: Desk) -> Steps:
    """Trap 20: with the pattern the exceptions go; one answer to the whole."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + DAY)
    series.cancel_one(THIRD)
    yield
    wednesdays = Recurrence(Weekly(1, ("Wednesday",)), date(2031, 3, 5), count=4)
    series.change(start=FIRST + DAY, end=FIRST + DAY + HOUR, recurrence=wednesdays)
    yield
    assert series.replies[2:] == ["accept edited series"]
    assert series.times(*MARCH) == [f"2031-03-{day} 09:00-10:00" for day in ("05", "12", "19", "26")]
    assert series.record.series is not None
    assert not series.record.series.moved
    assert not series.record.series.gone


@case
def another_end_keeps_the_exceptions(desk: Desk) -> Steps:
    """Trap 20: only where the range ends changes; what was said of single occurrences stays, and is not answered again."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND + DAY)
    series.cancel_one(THIRD)
    yield
    longer = Recurrence(TUESDAYS.pattern, TUESDAYS.start, count=5)
    series.change(recurrence=longer)
    yield
    assert series.times(at(2031, 3, 1), at(2031, 5, 1)) == [
        ALL_FOUR[0],
        "2031-03-12 09:00-10:00",
        ALL_FOUR[3],
        "2031-04-01 09:00-10:00",
    ]
    assert [one for one in series.replies if "series" in one] == ["accept new series", "accept edited series"]


@case
def an_exception_gets_its_own_length_in_days(desk: Desk) -> Steps:
    """Neighbours 51: one occurrence becomes a workshop of two days."""
    series = weekly(desk)
    yield
    series.move(SECOND, to=SECOND, length=DAY + 8 * HOUR)
    yield
    assert series.times(*MARCH)[1] == "2031-03-11 09:00-03-12 17:00"
    assert series.is_open(SECOND + timedelta(hours=20))
    assert series.replies[1:] == ["accept edited occurrence 2031-03-11"]
