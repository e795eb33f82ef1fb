"""What organizers plan with a series over time, and what their attendees' calendars make of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from greenroom.simulator import goid
from greenroom.simulator.errors import InvalidOperation, NoSuchItem
from greenroom.simulator.model import (
    Attendee,
    Body,
    CalendarItem,
    MeetingCancellation,
    MeetingDraft,
    MeetingRequest,
    MeetingResponse,
    Person,
)
from greenroom.simulator.occurrence_items import change_of, view_of
from greenroom.simulator.occurrences import last_occurrence, occurrences_within
from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from support.box import ACCEPT, ANN, AUTO, BOB, HOUR, START, Box, attendees

WEEK = timedelta(days=7)
WEEKLY = Recurrence(Weekly(1, ("Wednesday",)), START.date(), count=6)
SECOND, THIRD, FOURTH = (START + number * WEEK for number in (1, 2, 3))
EQUIPMENT = Attendee(Person(AUTO), "resource")


def series(*addresses: str, rule: Recurrence = WEEKLY, **more: object) -> tuple[Box, CalendarItem]:
    box = Box()
    draft: MeetingDraft = {"recurrence": rule, **more}  # type: ignore[typeddict-item]  # the pieces of a draft
    item = box.invite(*addresses, draft=draft)
    box.later()
    return box, item


def entries(box: Box, address: str) -> list[CalendarItem]:
    return [item for item in box.exchange.items(address, "calendar") if isinstance(item, CalendarItem)]


def starts(item: CalendarItem) -> list[datetime]:
    return [one.start for one in occurrences_within(item.meeting, START - WEEK, START + 60 * WEEK)]


def kinds(box: Box, address: str) -> list[str]:
    return [type(one).__name__ for one in box.inbox(address)]


# --- this and following -------------------------------------------------------------------------------------------


def test_this_and_following_ends_the_old_series_and_begins_one_with_a_uid_of_its_own() -> None:
    box, item = series(AUTO, location="Hall 4")
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"subject": "Early"}, send="SendOnlyToAll")
    box.exchange.update_occurrence(ANN, item.id, FOURTH, {"subject": "Late"}, send="SendOnlyToAll")
    made = box.exchange.split_series(ANN, item.id, THIRD, {"start": THIRD + HOUR})
    old, new = entries(box, AUTO)
    assert (old.meeting.uid, new.meeting.uid) == (item.meeting.uid, made.meeting.uid)
    assert old.meeting.uid != new.meeting.uid
    assert starts(old) == starts(item) == [START, SECOND]
    assert starts(new) == starts(made) == [START + number * WEEK + HOUR for number in range(2, 6)]
    assert [one.subject for one in old.meeting.modified] == ["Early"]
    assert not new.meeting.modified
    assert (new.subject, new.body, new.meeting.location) == (item.subject, item.body, "Hall 4")
    assert (made.meeting.end - made.meeting.start, made.meeting.attendees[0].response) == (HOUR, "Unknown")


@pytest.mark.parametrize("new_first", [False, True])
def test_the_two_messages_of_a_split_come_in_either_order(*, new_first: bool) -> None:
    box, item = series(AUTO)
    made = box.exchange.split_series(ANN, item.id, THIRD, new_first=new_first)
    uids = [one.meeting.uid for one in box.inbox(AUTO)[1:] if isinstance(one, MeetingRequest)]
    expected = [item.meeting.uid, made.meeting.uid]
    assert uids == (expected[::-1] if new_first else expected)


def test_a_split_keeps_the_end_of_the_range_and_takes_what_the_draft_says() -> None:
    until = (START + 5 * WEEK).date()
    box, item = series(AUTO, BOB, rule=replace(WEEKLY, count=None, until=until))
    made = box.exchange.split_series(ANN, item.id, THIRD, {"attendees": attendees(BOB), "body": Body("New")})
    assert made.meeting.recurrence == Recurrence(WEEKLY.pattern, THIRD.date(), until=until)
    assert [one.person.address for one in made.meeting.attendees] == [BOB]
    (left,) = entries(box, AUTO)
    assert starts(left) == [START, SECOND]
    endless, other = series(AUTO, rule=replace(WEEKLY, count=None))
    following = endless.exchange.split_series(ANN, other.id, THIRD, {"subject": "Onwards"})
    assert last_occurrence(following.meeting) is None
    assert last_occurrence(other.meeting) is not None


def test_a_split_across_a_change_of_clocks_keeps_the_time_on_the_wall() -> None:
    start = datetime(2027, 3, 24, 8, tzinfo=UTC)
    rule = Recurrence(Weekly(1, ("Wednesday",)), start.date())
    box, item = series(
        AUTO, rule=rule, start=start, end=start + HOUR, start_zone="W. Europe Standard Time"
    )  # 09:00 in Berlin
    after = datetime(2027, 3, 31, 7, tzinfo=UTC)
    made = box.exchange.split_series(ANN, item.id, after)
    assert (made.meeting.start, made.meeting.end) == (after, after + HOUR)
    assert starts(item) == [start]


def test_what_cannot_be_split() -> None:
    box, item = series(AUTO)
    single = box.exchange.create_meeting(ANN, {"start": START, "end": START + HOUR})
    for mailbox, entry, original in (
        (ANN, item, START),
        (ANN, single, START),
        (AUTO, entries(box, AUTO)[0], THIRD),
    ):
        with pytest.raises(InvalidOperation):
            box.exchange.split_series(mailbox, entry.id, original)
    with pytest.raises(NoSuchItem):
        box.exchange.split_series(ANN, item.id, THIRD + HOUR)


# --- invited to a part of a series --------------------------------------------------------------------------------


def test_lone_occurrences_become_exceptions_of_the_series_with_the_answers_given_to_them() -> None:
    box, item = series(BOB)
    box.exchange.invite(ANN, item.id, [EQUIPMENT], original_start=SECOND)
    box.exchange.invite(ANN, item.id, [EQUIPMENT], original_start=FOURTH)
    first, second = entries(box, AUTO)
    assert [goid.occurrence_date(one.meeting.goid) for one in (first, second)] == [SECOND.date(), FOURTH.date()]
    assert first.meeting.clean_goid == item.meeting.clean_goid
    box.later()
    box.exchange.respond(AUTO, first.id, "Accept")
    answered = box.now
    box.later()
    box.exchange.invite(ANN, item.id, [EQUIPMENT])
    (master,) = entries(box, AUTO)
    assert (master.meeting.type, master.my_response) == ("RecurringMaster", "NoResponseReceived")
    assert starts(master) == starts(item)
    answers = {one.original_start: (one.my_response, one.reply_time) for one in master.meeting.modified}
    assert answers == {SECOND: ("Accept", answered), FOURTH: ("NoResponseReceived", None)}


def test_an_appointment_without_attendees_invites_to_one_occurrence_only() -> None:
    box, item = series()
    box.exchange.invite(ANN, item.id, [EQUIPMENT], original_start=SECOND)
    (lone,) = entries(box, AUTO)
    assert (lone.meeting.recurrence_id, lone.meeting.start) == (SECOND, SECOND)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + HOUR}, send="SendOnlyToAll")
    (lone,) = entries(box, AUTO)
    assert (lone.meeting.start, lone.my_response) == (SECOND + HOUR, "NoResponseReceived")
    box.exchange.delete_occurrence(ANN, item.id, SECOND, send="SendOnlyToAll")
    assert entries(box, AUTO)[0].meeting.is_cancelled


def test_equipment_taken_from_one_occurrence_has_the_others_and_does_not_get_it_back_with_an_update() -> None:
    box, item = series(AUTO, BOB)
    box.exchange.respond(AUTO, entries(box, AUTO)[0].id, "Accept")
    box.exchange.uninvite(ANN, item.id, [Person(AUTO)], original_start=SECOND)
    message = box.inbox(AUTO)[-1]
    assert isinstance(message, MeetingCancellation)
    assert message.meeting.recurrence_id == SECOND
    (master,) = entries(box, AUTO)
    assert [one.start for one in master.meeting.deleted] == [SECOND]
    assert master.my_response == "Accept"
    box.later()
    box.exchange.update_item(ANN, item.id, {"subject": "Renamed"}, send="SendOnlyToAll")
    (master,) = entries(box, AUTO)
    assert (master.subject, [one.start for one in master.meeting.deleted]) == ("Renamed", [SECOND])
    assert SECOND in starts(entries(box, BOB)[0])
    box.later()
    box.exchange.invite(ANN, item.id, [EQUIPMENT], original_start=SECOND)
    (master,) = entries(box, AUTO)
    assert (starts(master), master.meeting.deleted) == (starts(item), ())
    assert view_of(master, change_of(master, SECOND)).my_response == "NoResponseReceived"
    assert master.my_response == "Accept"


def test_a_new_attendee_gets_the_series_with_its_exceptions() -> None:
    box, item = series(BOB)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + 2 * HOUR}, send="SendOnlyToAll")
    box.exchange.uninvite(ANN, item.id, [Person(BOB)], original_start=THIRD)
    box.exchange.delete_occurrence(ANN, item.id, FOURTH, send="SendOnlyToAll")
    box.exchange.invite(ANN, item.id, [EQUIPMENT])
    (master,) = entries(box, AUTO)
    assert starts(master) == [START, SECOND + 2 * HOUR, THIRD, START + 4 * WEEK, START + 5 * WEEK]
    assert starts(entries(box, BOB)[0]) == [START, SECOND + 2 * HOUR, START + 4 * WEEK, START + 5 * WEEK]
    assert kinds(box, AUTO) == ["MeetingRequest"]


# --- the organizer changes the series -----------------------------------------------------------------------------


def test_a_single_meeting_becomes_a_series_and_single_again() -> None:
    box = Box()
    item = box.invite(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    uid, own = item.meeting.uid, box.copy(AUTO).id
    box.later()
    box.exchange.update_item(ANN, item.id, {"recurrence": WEEKLY}, send="SendOnlyToAll")
    copy = box.copy(AUTO)
    assert (copy.id, copy.meeting.uid, copy.meeting.type) == (own, uid, "RecurringMaster")
    assert (copy.my_response, box.request(AUTO).request_type) == ("NoResponseReceived", "FullUpdate")
    box.later()
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"subject": "Special"}, send="SendOnlyToAll")
    box.exchange.update_item(ANN, item.id, {"recurrence": None}, send="SendOnlyToAll")
    copy = box.copy(AUTO)
    assert (copy.id, copy.meeting.uid, copy.meeting.type, copy.meeting.modified) == (own, uid, "Single", ())


def test_a_shortened_series_keeps_its_earlier_exceptions_and_the_answers_to_them() -> None:
    box, item = series(AUTO)
    for original in (SECOND, FOURTH):
        box.exchange.update_occurrence(ANN, item.id, original, {"start": original + HOUR}, send="SendOnlyToAll")
        box.exchange.respond_to_occurrence(AUTO, entries(box, AUTO)[0].id, original, "Accept")
    box.later()
    box.exchange.update_item(ANN, item.id, {"recurrence": replace(WEEKLY, count=3)}, send="SendOnlyToAll")
    (master,) = entries(box, AUTO)
    assert starts(master) == [START, SECOND + HOUR, THIRD]
    assert [one.my_response for one in master.meeting.modified] == ["Accept"]
    assert master.my_response == "NoResponseReceived"


def test_a_new_pattern_and_new_times_wipe_the_exceptions_and_tell_those_invited_to_them_alone() -> None:
    changes: list[MeetingDraft] = [
        {"recurrence": Recurrence(Daily(2), START.date(), count=4)},
        {"start": START + HOUR, "end": START + 2 * HOUR},
    ]
    for change in changes:
        box, item = series(BOB)
        box.exchange.update_occurrence(ANN, item.id, SECOND, {"subject": "Special"}, send="SendOnlyToAll")
        box.exchange.invite(ANN, item.id, [EQUIPMENT], original_start=THIRD)
        box.later()
        box.exchange.update_item(ANN, item.id, change, send="SendOnlyToAll")
        assert item.meeting.modified == entries(box, BOB)[0].meeting.modified == ()
        (lone,) = entries(box, AUTO)
        assert lone.meeting.is_cancelled
        assert kinds(box, BOB).count("MeetingCancellation") == 0


def test_cancelling_a_series_reaches_those_who_have_one_occurrence_only() -> None:
    box, item = series(BOB)
    box.exchange.invite(ANN, item.id, [EQUIPMENT], original_start=THIRD)
    box.exchange.cancel_meeting(ANN, item.id)
    assert entries(box, AUTO)[0].meeting.is_cancelled
    assert entries(box, BOB)[0].meeting.is_cancelled


# --- answers to exceptions ----------------------------------------------------------------------------------------


def test_only_new_times_void_the_answer_to_an_occurrence() -> None:
    box, item = series(AUTO)
    box.exchange.respond(AUTO, entries(box, AUTO)[0].id, "Accept")

    def answer() -> str:
        (master,) = entries(box, AUTO)
        return view_of(master, change_of(master, SECOND)).my_response

    drafts: list[tuple[MeetingDraft, str]] = [
        ({"subject": "Special"}, "Accept"),
        ({"end": SECOND + 2 * HOUR}, "NoResponseReceived"),
        ({"body": Body("More")}, "NoResponseReceived"),
    ]
    for draft, expected in drafts:
        box.later()
        box.exchange.update_occurrence(ANN, item.id, SECOND, draft, send="SendOnlyToAll")
        assert answer() == expected
    request = box.request(AUTO)
    assert (request.request_type, request.meeting.recurrence_id) == ("InformationalUpdate", SECOND)
    box.exchange.respond(AUTO, request.id, "Accept")
    assert answer() == "Accept"
    box.later()
    box.exchange.update_item(ANN, item.id, {"subject": "All"}, send="SendOnlyToAll")
    assert answer() == "Accept"
    (master,) = entries(box, AUTO)
    assert master.meeting.modified[0].end == SECOND + 2 * HOUR


def test_an_answer_to_the_request_for_an_occurrence_is_kept_on_that_occurrence() -> None:
    box, item = series(AUTO)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + HOUR}, send="SendOnlyToAll")
    box.exchange.respond(AUTO, box.request(AUTO).id, "Tentative")
    (master,) = entries(box, AUTO)
    assert [one.my_response for one in master.meeting.modified] == ["Tentative"]
    assert master.my_response == "NoResponseReceived"
    reply = box.inbox(ANN)[-1]
    assert isinstance(reply, MeetingResponse)
    assert reply.meeting.recurrence_id == SECOND


def test_auto_accept_answers_the_occurrence_and_leaves_the_series_as_it_is() -> None:
    box, item = series(ACCEPT)
    subject = entries(box, ACCEPT)[0].subject
    box.exchange.update_occurrence(
        ANN, item.id, SECOND, {"start": SECOND + HOUR, "subject": "Other"}, send="SendOnlyToAll"
    )
    (master,) = entries(box, ACCEPT)
    assert (master.subject, [one.my_response for one in master.meeting.modified]) == (subject, ["Accept"])


def test_an_occurrence_may_move_up_to_its_neighbours_and_no_further() -> None:
    box, item = series(AUTO)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": THIRD - timedelta(days=1)}, send="SendOnlyToAll")
    for original, start in ((SECOND, THIRD), (SECOND, START), (THIRD, THIRD - timedelta(days=1))):
        with pytest.raises(InvalidOperation):
            box.exchange.update_occurrence(ANN, item.id, original, {"start": start})
    box.exchange.delete_occurrence(ANN, item.id, THIRD)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": THIRD}, send="SendOnlyToAll")
    assert THIRD in starts(entries(box, AUTO)[0])


def test_an_all_day_occurrence_of_several_days_moves_whole() -> None:
    start, zone = datetime(2026, 12, 1, 23, tzinfo=UTC), "W. Europe Standard Time"
    box, item = series(
        AUTO, start=start, end=start + timedelta(days=2), all_day=True, start_zone=zone, end_zone=zone,
    )  # fmt: skip
    second = start + WEEK
    assert starts(item)[:2] == [start, second]
    moved: MeetingDraft = {"start": second + timedelta(days=1), "end": second + timedelta(days=4)}
    box.exchange.update_occurrence(ANN, item.id, second, moved, send="SendOnlyToAll")
    (one,) = occurrences_within(entries(box, AUTO)[0].meeting, second, second + 3 * HOUR + timedelta(days=1))
    assert (one.end - one.start, goid.occurrence_date(box.request(AUTO).meeting.goid)) == (
        timedelta(days=3),
        date(2026, 12, 9),
    )


def test_a_word_about_an_occurrence_finds_no_series_in_what_became_a_single_meeting() -> None:
    box, item = series(AUTO)
    box.exchange.update_occurrence(ANN, item.id, SECOND, {"start": SECOND + HOUR}, send="SendOnlyToAll")
    late = box.exchange.export_ics(AUTO, box.request(AUTO).id)
    box.later()
    box.exchange.update_item(ANN, item.id, {"recurrence": None}, send="SendOnlyToAll")
    box.exchange.deliver_ics(AUTO, late)
    single, lone = entries(box, AUTO)
    assert (single.meeting.type, single.meeting.modified) == ("Single", ())
    assert (lone.meeting.type, lone.meeting.start) == ("Exception", SECOND + HOUR)
