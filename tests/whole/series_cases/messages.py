"""Who invites to a series, and in which order the word comes."""

from greenroom.simulator.model import Attendee, Body, Person
from support import planted
from support.series_desk import AGENDA, DAY, HOUR, Desk
from support.series_life import Steps
from support.whole import ATTENDEE
from whole.series_cases.common import ALL_FOUR, FIRST, HALF, MARCH, SECOND, THIRD, weekly
from whole.series_cases.icalendar import BERLIN, cancelled, mail, series_lines
from whole.series_cases.registry import case

EUROPE = "Europe/Berlin"
RULE = "RRULE:FREQ=WEEKLY;COUNT=4"


@case
def a_delegate_plans_the_series(desk: Desk) -> Steps:
    """Trap 1: it is the principal's: her meeting gets the instructions, she gets the answers."""
    series = weekly(desk, sender=desk.other)
    yield
    series.move(SECOND, to=SECOND + HOUR)
    yield
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]
    assert series.record.organizer == desk.olga
    assert series.tickets == [series.alias]
    assert not [one for one in desk.exchange.items(desk.other, "inbox") if ".Resp." in one.item_class]


@case
def the_equipment_belongs_to_the_series_organizer_itself(desk: Desk) -> Steps:
    """Trap 4: a series of which the equipment mailbox is the organizer, as copies in its calendar are, is looked past."""
    own = weekly(desk, organizer=desk.equipment)
    yield
    assert own.replies == []
    assert not own.is_known or (own.state, own.record.room) == ("ignored", None)
    assert own.tickets == []


@case
def the_equipment_is_an_optional_attendee(desk: Desk) -> Steps:
    """Trap 6: typed into the field for people, it is welcome all the same, in the series and in its occurrences."""
    people = (Attendee(Person(ATTENDEE)), Attendee(Person(desk.equipment), "optional"))
    series = weekly(desk, attendees=people)
    yield
    series.move(SECOND, to=SECOND + HOUR)
    yield
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]
    assert series.tracked == "Accept"


@case
def an_organizer_with_an_address_of_x500(desk: Desk) -> Steps:
    """Trap 7: Exchange names her by her legacy address; she gets room, text and answers like everybody."""
    desk.exchange.mailbox(desk.olga).shows_x500 = True
    series = weekly(desk)
    yield
    assert series.replies == ["accept new series"]
    assert series.record.organizer == desk.olga
    assert series.tickets == [series.alias]


@case
def nobody_asked_for_an_answer(desk: Desk) -> Steps:
    """Trap 35: no answer is sent where none was asked for; the room is there, and so are the instructions."""
    series = weekly(desk, response_requested=False)
    yield
    series.move(SECOND, to=SECOND + HOUR)
    yield
    assert series.replies == []
    assert series.tickets == [series.alias]
    assert series.times(*MARCH)[1] == "2031-03-11 10:00-11:00"
    assert series.state == "scheduled"


@case
def everything_happens_before_anybody_looks(desk: Desk) -> Steps:
    """Traps 10 and 11: planned, moved, lengthened, one cancelled, all at once: one answer to what it is in the end."""
    series = weekly(desk)
    series.move(SECOND, to=SECOND + HOUR)
    series.change(start=FIRST + HOUR, end=FIRST + 2 * HOUR)
    series.change(subject=f"{planted.SUBJECT}!", body=Body(AGENDA, "HTML"))
    series.cancel_one(THIRD + HOUR)
    yield
    assert series.replies[:1] == ["accept new series"]
    assert len(series.replies) <= 2
    assert series.times(*MARCH) == [f"2031-03-{day} 10:00-11:00" for day in ("04", "11", "25")]


@case
def an_older_version_comes_late(desk: Desk) -> Steps:
    """Trap 11: the mail of yesterday arrives after that of today; Exchange puts it aside, and so do we."""
    old = mail(desk, series_lines(EUROPE, RULE), zone=BERLIN)
    new = mail(desk, series_lines(EUROPE, "RRULE:FREQ=WEEKLY;COUNT=2"), zone=BERLIN, sequence=2)
    series = desk.deliver(new)
    yield
    desk.deliver(old)
    yield
    assert series.replies == ["accept new series"]
    assert series.times(*MARCH) == ALL_FOUR[:2]


@case
def cancelled_and_planned_again_under_the_same_name(desk: Desk) -> Steps:
    """Trap 12: the same UID, a higher sequence: the room lives again, with the alias it had."""
    lines = series_lines(EUROPE, RULE)
    series = desk.deliver(mail(desk, lines, zone=BERLIN))
    yield
    alias = series.alias
    desk.deliver(mail(desk, cancelled(lines), zone=BERLIN, sequence=1, method="CANCEL"))
    yield
    assert series.page["state"] == "cancelled"
    desk.deliver(mail(desk, lines, zone=BERLIN, sequence=2))
    yield
    assert series.replies == ["accept new series", "accept new series"]
    assert series.alias == alias
    assert series.times(*MARCH) == ALL_FOUR


@case
def its_item_gets_another_id(desk: Desk) -> Steps:
    """Trap 13: the item was deleted by somebody and restored: under another id it is the same series, and nobody is told."""
    series = weekly(desk)
    yield
    alias = series.alias
    (copy,) = series.copies
    away = desk.exchange.move_item(desk.equipment, copy.id, "deleteditems")
    desk.exchange.move_item(desk.equipment, away.id, "calendar")
    yield
    series.move(SECOND, to=SECOND + HOUR)
    yield
    assert series.alias == alias
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]
    assert series.is_open(SECOND + 2 * HOUR)


@case
def a_private_series(desk: Desk) -> Steps:
    """Trap 34: what it is called stands on no room, also when an occurrence is called otherwise."""
    series = weekly(desk, sensitivity="Private")
    yield
    series.change_one(SECOND, subject=f"{planted.SUBJECT} II", start=SECOND + HOUR, end=SECOND + 2 * HOUR)
    yield
    assert planted.SUBJECT not in series.room.spec.name
    assert planted.SUBJECT not in series.record.title
    assert series.replies == ["accept new series", "accept edited occurrence 2031-03-11"]


@case
def what_an_administrator_sees(desk: Desk) -> Steps:
    """Known product 2.5: the commands tell the rule, what differs from it, and who shares the room."""
    old = weekly(desk)
    yield
    old.move(SECOND, to=SECOND + DAY)
    old.cancel_one(FIRST)
    yield
    new = old.split(THIRD)
    yield
    listed = desk.greenroom.command("meetings", "--organizer", desk.olga)["meetings"]
    told = next(entry for entry in listed if entry["correlation_id"] == old.record.correlation_id)
    assert told["series"]["exceptions"] == 2
    assert told["series"]["next_start"] == (SECOND + DAY).isoformat()
    assert told["series"]["rule"].startswith("FREQ=WEEKLY")
    (explained,) = desk.greenroom.command("explain", old.record.correlation_id)["meetings"]
    assert explained["shares_room_with"] == [new.record.correlation_id]
    steps = [(line["step"], line["code"]) for line in explained["timeline"]]
    assert steps.count(("replied", "accept_edited_occurrence")) == 1
    assert not old.is_open(FIRST + HALF)
