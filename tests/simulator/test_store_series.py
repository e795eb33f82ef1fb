from datetime import UTC, date, datetime

import pytest

from greenroom.simulator.errors import BadInvitation
from greenroom.simulator.goid import occurrence_date
from greenroom.simulator.model import DeletedOccurrence, MeetingDraft, MeetingRequest
from greenroom.simulator.occurrences import first_occurrence, last_occurrence
from greenroom.simulator.recurrence import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekly,
)
from support.box import ANN, AUTO, BOB, OUTSIDE, START, Box, ics

WEEKLY = Recurrence(Weekly(1, ("Wednesday",)), START.date(), count=5)
SECOND = datetime(2026, 12, 9, 9, tzinfo=UTC)
SERIES = ("DTSTART:20261202T090000Z", "DTEND:20261202T100000Z", "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;COUNT=5")
MOVED = ("RECURRENCE-ID:20261209T090000Z", "DTSTART:20261209T110000Z", "DTEND:20261209T120000Z", "SUMMARY:Weekly")


def two_events(first: tuple[str, ...], second: tuple[str, ...], *, method: str = "REQUEST") -> bytes:
    one, two = ics(*first, method=method).decode(), ics(*second, method=method).decode()
    event = two[two.index("BEGIN:VEVENT") : two.index("END:VCALENDAR")]
    return one.replace("END:VCALENDAR", event + "END:VCALENDAR").encode()


def test_a_series_travels_whole() -> None:
    box = Box()
    zone: MeetingDraft = {"recurrence": WEEKLY, "start_zone": "W. Europe Standard Time"}
    box.invite(AUTO, OUTSIDE, draft=zone)
    copy = box.copy(AUTO)
    assert copy.meeting.recurrence == WEEKLY
    assert copy.meeting.start_zone == "W. Europe Standard Time"
    assert box.request(AUTO).meeting.recurrence == WEEKLY
    received = box.exchange.outbound[0].ics
    assert received is not None
    other = Box()
    other.exchange.deliver_ics(AUTO, received)
    assert other.copy(AUTO).meeting.recurrence == WEEKLY


def test_exceptions_in_the_file_of_the_series_stay_on_the_master() -> None:
    box = Box()
    cancelled = ("RECURRENCE-ID:20261216T090000Z", "DTSTART:20261216T090000Z", "STATUS:CANCELLED")
    data = two_events(SERIES, MOVED).decode()
    extra = ics(*cancelled).decode()
    event = extra[extra.index("BEGIN:VEVENT") : extra.index("END:VCALENDAR")]
    done = box.exchange.deliver_ics(AUTO, data.replace("END:VCALENDAR", event + "END:VCALENDAR").encode())
    assert len(done.message_ids) == 1
    meeting = box.copy(AUTO).meeting
    (change,) = meeting.modified
    assert (change.original_start, change.start.hour, change.subject) == (SECOND, 11, None)
    assert meeting.deleted == (DeletedOccurrence(datetime(2026, 12, 16, 9, tzinfo=UTC)),)


def test_a_changed_occurrence_sent_later_is_kept_on_the_master() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*SERIES))
    done = box.exchange.deliver_ics(AUTO, ics(*MOVED, "SEQUENCE:1", "LOCATION:Elsewhere"))
    master = box.copy(AUTO)
    assert done.calendar_item_ids == (master.id,)
    assert master.meeting.modified[0].location == "Elsewhere"
    request = box.request(AUTO)
    assert request.meeting.recurrence_id == SECOND
    assert request.associated_id == master.id
    assert request.request_type == "FullUpdate"
    assert request.meeting.clean_goid == master.meeting.clean_goid
    assert occurrence_date(request.meeting.goid) == date(2026, 12, 9)


def test_a_cancelled_occurrence_is_taken_out_of_the_master() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*SERIES))
    box.exchange.deliver_ics(AUTO, ics(*MOVED, "SEQUENCE:1"))
    box.exchange.deliver_ics(
        AUTO, ics("RECURRENCE-ID:20261209T090000Z", "DTSTART:20261209T090000Z", "SEQUENCE:2", method="CANCEL")
    )
    master = box.copy(AUTO)
    assert not master.meeting.is_cancelled
    assert master.meeting.deleted == (DeletedOccurrence(SECOND),)
    assert not master.meeting.modified


def test_an_occurrence_without_its_series_is_an_item_of_its_own() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*MOVED))
    lone = box.copy(AUTO)
    assert lone.meeting.type == "Exception"
    assert lone.meeting.recurrence_id == SECOND
    assert occurrence_date(lone.meeting.goid) == date(2026, 12, 9)
    assert occurrence_date(lone.meeting.clean_goid) is None
    assert lone.meeting.uid == "u-1@maker.test"


def test_lone_occurrences_are_absorbed_by_a_series_that_comes_later() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*MOVED))
    box.exchange.deliver_ics(AUTO, ics(*SERIES))
    master = box.copy(AUTO)
    assert master.meeting.type == "RecurringMaster"
    assert [one.original_start for one in master.meeting.modified] == [SECOND]


def test_cancelling_the_series_cancels_lone_occurrences() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*MOVED))
    box.exchange.deliver_ics(AUTO, ics(*SERIES, "SEQUENCE:1", method="CANCEL"))
    assert box.copy(AUTO).meeting.is_cancelled


def test_declining_one_occurrence_takes_it_out_and_leaves_the_series_answered() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*SERIES))
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    box.exchange.deliver_ics(AUTO, ics(*MOVED, "SEQUENCE:1"))
    box.exchange.respond(AUTO, box.request(AUTO).id, "Decline")
    master = box.copy(AUTO)
    assert master.my_response == "Accept"
    assert master.meeting.deleted == (DeletedOccurrence(SECOND),)
    reply = box.exchange.outbound[-1].ics
    assert reply is not None
    assert b"RECURRENCE-ID:20261209T090000Z" in reply


def test_an_update_to_the_text_keeps_the_exceptions_and_a_new_pattern_drops_them() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, two_events(SERIES, MOVED))
    later = [line for line in SERIES if not line.startswith("SUMMARY")]
    box.exchange.deliver_ics(AUTO, ics(*later, "SUMMARY:New", "DTSTAMP:20261101T110000Z"))
    assert box.copy(AUTO).subject == "New"
    assert box.copy(AUTO).meeting.modified
    daily = [line.replace("WEEKLY", "DAILY") for line in SERIES]
    box.exchange.deliver_ics(AUTO, ics(*daily, "SEQUENCE:1", "DTSTAMP:20261101T120000Z"))
    assert not box.copy(AUTO).meeting.modified


def test_this_and_future_changes_are_refused_with_a_reason() -> None:
    with pytest.raises(BadInvitation, match="THISANDFUTURE"):
        Box().exchange.deliver_ics(
            AUTO, ics("RECURRENCE-ID;RANGE=THISANDFUTURE:20261209T090000Z", "DTSTART:20261209T090000Z")
        )


def test_a_single_meeting_becomes_a_series_with_the_same_ids() -> None:
    box = Box()
    item = box.invite(BOB)
    before = box.copy(BOB).meeting.uid
    box.later()
    box.exchange.update_item(ANN, item.id, {"recurrence": WEEKLY}, send="SendOnlyToAll")
    assert box.copy(BOB).meeting.uid == before
    assert len([one for one in box.inbox(BOB) if isinstance(one, MeetingRequest)]) == 2


@pytest.mark.parametrize(
    ("pattern", "start", "count", "last"),
    [
        (Daily(2), date(2026, 12, 2), 3, date(2026, 12, 6)),
        (Weekly(1, ("Tuesday", "Thursday")), date(2026, 12, 2), 3, date(2026, 12, 10)),
        (Weekly(2, ("Monday", "Sunday"), "Monday"), date(2026, 12, 7), 3, date(2026, 12, 21)),
        (Weekly(2, ("Monday", "Sunday"), "Sunday"), date(2026, 12, 7), 3, date(2026, 12, 21)),
        (AbsoluteMonthly(1, 31), date(2026, 10, 31), 5, date(2027, 2, 28)),
        (RelativeMonthly(1, "Friday", "Last"), date(2026, 12, 1), 2, date(2027, 1, 29)),
        (RelativeMonthly(1, "Weekday", "First"), date(2026, 12, 1), 2, date(2027, 1, 1)),
        (RelativeMonthly(1, "Day", "Last"), date(2026, 12, 1), 3, date(2027, 2, 28)),
        (AbsoluteYearly(2, 29), date(2027, 1, 1), 2, date(2028, 2, 29)),
        (RelativeYearly(11, "Thursday", "Fourth"), date(2026, 12, 1), 1, date(2027, 11, 25)),
    ],
)
def test_the_last_occurrence_is_counted(pattern: Pattern, start: date, count: int, last: date) -> None:
    box = Box()
    item = box.invite(send="SendToNone", draft={"recurrence": Recurrence(pattern, start, count=count)})
    found = last_occurrence(item.meeting)
    assert found is not None
    assert found.start.date() == last
    until = Recurrence(pattern, start, until=last)
    box.exchange.update_item(ANN, item.id, {"recurrence": until})
    assert last_occurrence(item.meeting) == found


def test_occurrences_keep_their_wall_clock_time_and_endless_series_have_no_last_one() -> None:
    box = Box()
    draft: MeetingDraft = {
        "start": datetime(2027, 3, 22, 9, tzinfo=UTC),
        "end": datetime(2027, 3, 22, 10, tzinfo=UTC),
        "start_zone": "W. Europe Standard Time",
        "recurrence": Recurrence(Weekly(1, ("Monday",)), date(2027, 3, 22), count=2),
    }
    item = box.invite(send="SendToNone", draft=draft)
    last = last_occurrence(item.meeting)
    assert last is not None
    assert last.start == datetime(2027, 3, 29, 8, tzinfo=UTC)
    box.exchange.update_item(ANN, item.id, {"recurrence": Recurrence(Daily(1), date(2027, 3, 22))})
    assert last_occurrence(item.meeting) is None
    first = first_occurrence(item.meeting)
    assert first is not None
    assert first.start == item.meeting.start


def test_deleted_occurrences_are_neither_first_nor_last() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics(*SERIES, "EXDATE:20261202T090000Z,20261230T090000Z"))
    meeting = box.copy(AUTO).meeting
    first, last = first_occurrence(meeting), last_occurrence(meeting)
    assert first is not None
    assert last is not None
    assert (first.start.day, last.start.day) == (9, 23)
