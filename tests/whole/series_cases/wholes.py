"""What becomes of a series as a whole: edited, shortened, past, cancelled, made single; and of who is in the room then."""

from dataclasses import replace

from greenroom.simulator.model import Body
from greenroom.simulator.recurrence import Daily, Recurrence
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
    TUESDAYS,
    daily_now,
    weekly,
)
from whole.series_cases.registry import case


@case
def a_series_gets_another_time(desk: Desk) -> Steps:
    """Known product 2.5, edited series: one answer, the same alias, all its windows elsewhere."""
    series = weekly(desk)
    yield
    alias = series.alias
    series.change(start=FIRST + 5 * HOUR, end=FIRST + 7 * HOUR)
    yield
    assert series.replies == ["accept new series", "accept edited series"]
    assert series.times(*MARCH) == [f"2031-03-{day} 14:00-16:00" for day in ("04", "11", "18", "25")]
    assert not series.is_open(SECOND + HALF)
    assert series.alias == alias
    assert series.tickets == [alias]
    assert series.tracked == "Accept"


@case
def a_series_gets_another_text(desk: Desk) -> Steps:
    """Trap 10: nothing that concerns a room or an answer; our yes stands, and nobody gets a mail."""
    series = weekly(desk)
    yield
    series.change(body=Body(series.own.body.content.replace(planted.TEXT, f"{planted.TEXT}!"), "HTML"))
    yield
    assert series.replies == ["accept new series"]
    assert series.tickets == [series.alias]
    assert series.tracked == "Accept"


@case
def a_series_is_shortened(desk: Desk) -> Steps:
    """Neighbours 43: it ends after the second; the room closes for good then."""
    series = weekly(desk)
    yield
    series.change(recurrence=replace(TUESDAYS, count=2))
    yield
    assert series.replies == ["accept new series", "accept edited series"]
    assert series.times(*MARCH) == ALL_FOUR[:2]
    assert series.admission.closes == SECOND + 2 * HOUR


@case
def a_series_is_lengthened(desk: Desk) -> Steps:
    """Neighbours 43: it goes on beyond the clock change, at the same time of day."""
    series = weekly(desk)
    yield
    series.change(recurrence=replace(TUESDAYS, count=6))
    yield
    wanted = [*ALL_FOUR, "2031-04-01 09:00-10:00", "2031-04-08 09:00-10:00"]
    assert series.times(at(2031, 3, 1), at(2031, 5, 1)) == wanted
    assert series.replies == ["accept new series", "accept edited series"]


@case
def a_series_loses_its_end(desk: Desk) -> Steps:
    """Trap 19: a counted series becomes an endless one, which is reviewed some day; and back."""
    series = weekly(desk)
    yield
    series.change(recurrence=replace(TUESDAYS, count=None))
    yield
    closes, review = series.admission.closes, series.record.review_at
    assert closes is None
    assert review is not None
    series.change(recurrence=TUESDAYS)
    yield
    assert series.admission.closes == FOURTH + 2 * HOUR
    assert series.record.review_at is None
    assert series.replies == ["accept new series", *["accept edited series"] * 2]


@case
def every_occurrence_is_past(desk: Desk) -> Steps:
    """Known product 2.4, neighbours 48: it is declined, with the reply that says why."""
    first = desk.now - 5 * DAY
    series = desk.invite(first, Recurrence(Daily(1), first.date(), count=3), zone="UTC")
    yield
    assert series.replies == ["decline past series"]
    assert series.tracked == "Decline"
    assert series.tickets == []
    assert series.record.room is None


@case
def only_its_last_occurrence_is_to_come(desk: Desk) -> Steps:
    """Known product 2.4: what began long ago and has one left is accepted."""
    first = desk.now - 5 * DAY + 3 * HOUR
    series = desk.invite(first, Recurrence(Daily(1), first.date(), count=6), zone="UTC")
    yield
    assert series.replies == ["accept new series"]
    told = series.page
    assert (told["state"], told["starts"]) == ("between", (first + 5 * DAY).isoformat())


@case
def only_its_running_occurrence_is_left(desk: Desk) -> Steps:
    """Neighbours 44: invited in the middle of the last one: it is not past, and the room is open at once."""
    series, running = daily_now(desk, since=3, days=4)
    yield
    assert series.replies == ["accept new series"]
    told = series.page
    assert (told["state"], told["ends"]) == ("open", (running + HOUR).isoformat())


@case
def its_last_occurrence_was_cancelled_and_the_others_are_past(desk: Desk) -> Steps:
    """Traps 17 and 23: by its rule one is to come, but that one is gone: everything is past."""
    first = desk.now - 5 * DAY + 3 * HOUR
    rule = Recurrence(Daily(1), first.date(), count=6)
    series = desk.invite(first, rule, zone="UTC", send=False)
    series.cancel_one(first + 5 * DAY)
    series.change(subject=planted.SUBJECT)
    yield
    assert series.replies == ["decline past series"]


@case
def a_series_is_moved_into_the_past(desk: Desk) -> Steps:
    """Known product 2.4: what was accepted and is then put into the past is declined, and its room is closed."""
    series = weekly(desk)
    yield
    first = desk.now - 40 * DAY
    rule = Recurrence(Daily(1), first.date(), count=3)
    series.change(start=first, end=first + HOUR, start_zone="UTC", end_zone="UTC", recurrence=rule)
    yield
    assert series.replies == ["accept new series", "decline past series"]
    assert not series.is_open(SECOND + HALF)


@case
def a_series_is_shortened_to_what_is_past(desk: Desk) -> Steps:
    """Neighbours 43: the organizer ends it for good with what has taken place; nobody is told that it was in the past."""
    first = desk.now - 5 * DAY + 3 * HOUR
    rule = Recurrence(Daily(1), first.date(), count=10)
    series = desk.invite(first, rule, zone="UTC")
    yield
    series.change(recurrence=Recurrence(Daily(1), first.date(), until=(first + 4 * DAY).date()))
    yield
    assert series.replies == ["accept new series"]
    assert not series.is_open(first + 5 * DAY + HALF)
    assert series.state == "ended"


@case
def a_series_is_cancelled(desk: Desk) -> Steps:
    """Known product 2.5: the room closes, the link says so, and no reply is sent."""
    series = weekly(desk)
    yield
    name = series.room.spec.name
    series.cancel()
    yield
    assert series.replies == ["accept new series"]
    assert not any(series.is_open(one + HALF) for one in (FIRST, SECOND, FOURTH))
    assert series.page["state"] == "cancelled"
    assert (series.state, series.reason) == ("ended", "cancelled")
    assert series.room.spec.name == name


@case
def a_series_is_cancelled_while_an_occurrence_runs(desk: Desk) -> Steps:
    """Neighbours 44: who sits in the room keeps it until this window closes; tomorrow is closed."""
    series, running = daily_now(desk)
    yield
    series.cancel()
    yield
    told = series.page
    assert (told["state"], told["closes"]) == ("open", (running + 2 * HOUR).isoformat())
    assert told["next_opens"] is None
    assert series.is_open(running + 2 * HOUR - MINUTE)
    assert not series.is_open(running + 2 * HOUR)
    assert not series.is_open(running + DAY)
    assert series.replies == ["accept new series"]


@case
def a_series_is_edited_while_an_occurrence_runs(desk: Desk) -> Steps:
    """Neighbours 44: moved to another time of day, it is open there from now on, and once more where people sit."""
    series, running = daily_now(desk)
    yield
    first = running - 3 * DAY + 6 * HOUR
    series.change(start=first, end=first + HOUR, recurrence=Recurrence(Daily(1), first.date(), count=10))
    yield
    assert series.replies == ["accept new series", "accept edited series"]
    assert series.page["state"] == "open"
    assert series.is_open(running + 2 * HOUR - MINUTE)
    assert not series.is_open(running + 2 * HOUR)
    assert series.is_open(running + 6 * HOUR + HALF)
    assert not series.is_open(running + DAY)
    assert series.is_open(running + DAY + 6 * HOUR)


@case
def a_series_is_shortened_to_before_the_running_occurrence(desk: Desk) -> Steps:
    """Neighbours 44: the series ended yesterday, says the organizer; people in the room may finish."""
    series, running = daily_now(desk)
    yield
    rule = Recurrence(Daily(1), (running - 3 * DAY).date(), until=(running - DAY).date())
    series.change(recurrence=rule)
    yield
    told = series.page
    assert (told["state"], told["closes"]) == ("open", (running + 2 * HOUR).isoformat())
    assert not series.is_open(running + DAY)
    assert series.replies == ["accept new series"]


@case
def a_single_meeting_becomes_a_series(desk: Desk) -> Steps:
    """Trap 22: the same key, the same room, another kind."""
    meeting = desk.invite(FIRST)
    yield
    alias = meeting.alias
    meeting.change(recurrence=TUESDAYS)
    yield
    assert meeting.replies == ["accept new single", "accept edited series"]
    assert meeting.times(*MARCH) == ALL_FOUR
    assert meeting.record.kind.value == "series"
    assert (meeting.alias, meeting.tickets) == (alias, [alias])


@case
def a_series_becomes_a_single_meeting(desk: Desk) -> Steps:
    """Trap 22: the others close."""
    series = weekly(desk)
    yield
    alias = series.alias
    series.change(recurrence=None, start=SECOND, end=SECOND + HOUR)
    yield
    assert series.replies == ["accept new series", "accept edited single"]
    assert series.times(*MARCH) == ALL_FOUR[1:2]
    assert series.record.kind.value == "single"
    assert series.record.series is None
    assert series.alias == alias


@case
def the_equipment_is_taken_out_of_a_series(desk: Desk) -> Steps:
    """Trap 23: for us like a cancellation; the colleague's meeting goes on, and nobody is told anything."""
    series = weekly(desk)
    yield
    series.take_room_out()
    yield
    assert series.replies == ["accept new series"]
    assert series.page["state"] == "cancelled"
    assert series.tracked == ""
    assert not series.own.meeting.is_cancelled


@case
def the_equipment_is_taken_out_while_an_occurrence_runs(desk: Desk) -> Steps:
    """Traps 23 and neighbours 44: the room stays until the window of this occurrence closes."""
    series, running = daily_now(desk)
    yield
    series.take_room_out()
    yield
    told = series.page
    assert (told["state"], told["closes"]) == ("open", (running + 2 * HOUR).isoformat())
    assert not series.is_open(running + DAY)


@case
def the_equipment_comes_back_into_a_series(desk: Desk) -> Steps:
    """Trap 12: the same alias and the same link as before: what people have read is true again."""
    series = weekly(desk)
    yield
    alias = series.alias
    series.take_room_out()
    yield
    series.invite_room()
    yield
    assert series.replies == ["accept new series", "accept new series"]
    assert series.alias == alias
    assert series.tickets == [alias]
    assert series.times(*MARCH) == ALL_FOUR
    assert series.tracked == "Accept"


@case
def a_series_with_a_genuine_ticket(desk: Desk) -> Steps:
    """Trap 15: prepared with the button: the alias of the ticket, and not a word written into the organizer's meeting."""
    body = desk.ticketed(7)
    series = weekly(desk, body=body)
    yield
    assert series.alias == 100_000_007
    assert series.own.body.content == body
    assert series.replies == ["accept new series"]
    assert series.record.instructions.value == "present"
