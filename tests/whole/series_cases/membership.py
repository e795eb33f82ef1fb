"""The equipment invited to single occurrences of a series, before or besides the whole."""

from datetime import date

from greenroom.simulator.model import Body
from greenroom.simulator.recurrence import Recurrence, Weekly
from support.series_desk import AGENDA, DAY, HOUR, Desk
from support.series_life import Steps
from whole.series_cases.common import ALL_FOUR, FIRST, FOURTH, HALF, MARCH, SECOND, THIRD, weekly
from whole.series_cases.registry import case


@case
def one_occurrence_only(desk: Desk) -> Steps:
    """Trap 16: a meeting of its own, with a room of its own; the instructions stand in this occurrence and nowhere else."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    lone = series.on(SECOND)
    assert not series.is_known
    assert lone.replies == ["accept new single 2031-03-11"]
    assert lone.times(*MARCH) == ALL_FOUR[1:2]
    assert lone.record.kind.value == "occurrence"
    assert series.tickets == []
    assert series.tickets_on(SECOND) == [lone.alias]
    assert series.tickets_on(THIRD) == []
    assert lone.page["starts"] == SECOND.isoformat()


@case
def one_occurrence_only_is_moved(desk: Desk) -> Steps:
    """Traps 15 and 16: it keeps its key, which is its original day, and is answered as an occurrence."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    lone = series.on(SECOND)
    alias = lone.alias
    series.move(SECOND, to=SECOND + DAY)
    yield
    assert lone.replies == ["accept new single 2031-03-11", "accept edited occurrence 2031-03-11"]
    assert lone.times(*MARCH) == ["2031-03-12 09:00-10:00"]
    assert lone.alias == alias


@case
def one_occurrence_only_is_cancelled(desk: Desk) -> Steps:
    """Traps 16 and 23: its room closes; the series was never ours."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    lone = series.on(SECOND)
    series.cancel_one(SECOND)
    yield
    assert lone.replies == ["accept new single 2031-03-11"]
    assert lone.page["state"] == "cancelled"
    assert not lone.is_open(SECOND + HALF)


@case
def one_occurrence_only_and_the_series_is_cancelled(desk: Desk) -> Steps:
    """Traps 16 and 23: the cancellation of the whole reaches who was invited to one."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    lone = series.on(SECOND)
    series.cancel()
    yield
    assert lone.replies == ["accept new single 2031-03-11"]
    assert lone.page["state"] == "cancelled"


@case
def one_occurrence_only_and_the_series_gets_another_rule(desk: Desk) -> Steps:
    """Traps 16 and 20: with its exceptions this occurrence is gone, and with it its room."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    lone = series.on(SECOND)
    wednesdays = Recurrence(Weekly(1, ("Wednesday",)), date(2031, 3, 5), count=4)
    series.change(start=FIRST + DAY, end=FIRST + DAY + HOUR, recurrence=wednesdays)
    yield
    assert lone.replies == ["accept new single 2031-03-11"]
    assert not lone.is_open(SECOND + HALF)
    assert lone.page["state"] == "cancelled"


@case
def one_occurrence_only_and_the_text_of_the_series_changes(desk: Desk) -> Steps:
    """Trap 16: what others are told of their series does not concern this one."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    lone = series.on(SECOND)
    series.change(body=Body(AGENDA.replace("<p>", "<p>1. "), "HTML"))
    yield
    assert lone.replies == ["accept new single 2031-03-11"]
    assert lone.times(*MARCH) == ALL_FOUR[1:2]
    assert series.tickets_on(SECOND) == [lone.alias]


@case
def two_occurrences_with_tickets_of_their_own(desk: Desk) -> Steps:
    """Trap 16: the button was pressed in each: two rooms, as people read it."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND, body=desk.ticketed(1))
    series.invite_room(THIRD, body=desk.ticketed(2))
    yield
    second, third = series.on(SECOND), series.on(THIRD)
    assert sorted(series.replies) == ["accept new single 2031-03-11", "accept new single 2031-03-18"]
    assert (second.alias, third.alias) == (100_000_001, 100_000_002)
    assert second.times(*MARCH) == ALL_FOUR[1:2]
    assert third.times(*MARCH) == ALL_FOUR[2:3]
    assert series.tickets == []


@case
def two_occurrences_without_a_ticket(desk: Desk) -> Steps:
    """Trap 16: of one series: they share a room, and each has the instructions; the series has none."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    series.invite_room(FOURTH)
    yield
    second, fourth = series.on(SECOND), series.on(FOURTH)
    assert sorted(series.replies) == ["accept new single 2031-03-11", "accept new single 2031-03-25"]
    assert second.alias == fourth.alias
    assert second.times(*MARCH) == fourth.times(*MARCH) == [ALL_FOUR[1], ALL_FOUR[3]]
    assert series.tickets == []
    assert series.tickets_on(SECOND) == series.tickets_on(FOURTH) == [second.alias]
    assert series.tickets_on(THIRD) == []


@case
def a_second_occurrence_later(desk: Desk) -> Steps:
    """Trap 16: the room of the first opens for the other, too; when the first is cancelled it stays for the other."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    series.invite_room(THIRD)
    yield
    second, third = series.on(SECOND), series.on(THIRD)
    assert series.replies == ["accept new single 2031-03-11", "accept new single 2031-03-18"]
    assert third.times(*MARCH) == ALL_FOUR[1:3]
    series.cancel_one(SECOND)
    yield
    assert third.times(*MARCH) == ALL_FOUR[2:3]
    assert third.page["state"] == "too-early"
    assert second.state == "ended"
    assert len(series.replies) == 2


@case
def one_occurrence_then_the_whole_series(desk: Desk) -> Steps:
    """Trap 16, the merge: the same room, exactly one more reply, and the instructions in the whole as well."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    alias = series.on(SECOND).alias
    series.invite_room()
    yield
    assert series.replies == ["accept new single 2031-03-11", "accept new series"]
    assert series.alias == alias
    assert series.times(*MARCH) == ALL_FOUR
    assert series.tickets == [alias]
    assert series.tickets_on(SECOND) == [alias]
    assert series.tracked == "Accept"


@case
def a_moved_occurrence_then_the_whole_series(desk: Desk) -> Steps:
    """Traps 15 and 16: what was moved before the merge stays where it is."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    yield
    series.move(SECOND, to=SECOND + DAY)
    yield
    series.invite_room()
    yield
    assert series.replies[2:] == ["accept new series"]
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-12 09:00-10:00", *ALL_FOUR[2:]]


@case
def two_occurrences_then_the_whole_series(desk: Desk) -> Steps:
    """Trap 16: three records, one room."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND)
    series.invite_room(THIRD)
    yield
    alias = series.on(SECOND).alias
    series.invite_room()
    yield
    assert len(series.replies) == 3
    assert series.replies[2] == "accept new series"
    assert series.alias == alias
    assert series.times(*MARCH) == ALL_FOUR


@case
def an_occurrence_with_one_ticket_then_the_series_with_another(desk: Desk) -> Steps:
    """Trap 16: people were told of both rooms; both are open in this occurrence, one in the others."""
    series = weekly(desk, equipment=False)
    series.invite_room(SECOND, body=desk.ticketed(1))
    yield
    series.invite_room(body=desk.ticketed(2))
    yield
    lone = series.on(SECOND)
    assert (lone.alias, series.alias) == (100_000_001, 100_000_002)
    assert lone.times(*MARCH) == ALL_FOUR[1:2]
    assert series.times(*MARCH) == ALL_FOUR
    assert series.replies == ["accept new single 2031-03-11", "accept new series"]
    series.move(SECOND, to=SECOND + 2 * HOUR)
    yield
    assert lone.times(*MARCH) == ["2031-03-11 11:00-12:00"]
    assert series.times(*MARCH) == [ALL_FOUR[0], "2031-03-11 11:00-12:00", *ALL_FOUR[2:]]


@case
def the_whole_series_then_one_occurrence_alone(desk: Desk) -> Steps:
    """Traps 16 and 23: taken out of the whole, swept out of the calendar, invited to one: that one is open, as people have read."""
    series = weekly(desk)
    yield
    alias = series.alias
    series.take_room_out()
    yield
    for copy in series.copies:
        desk.exchange.remove_cancelled(desk.equipment, copy.id)
    series.invite_room(THIRD)
    yield
    lone = series.on(THIRD)
    assert lone.alias == alias
    assert lone.times(*MARCH) == ALL_FOUR[2:3]
    assert not lone.is_open(FIRST + HALF)
    assert series.replies == ["accept new series", "accept new single 2031-03-18"]
    assert series.tickets_on(THIRD) == [alias]
    assert lone.page["state"] == "too-early"
