from typing import TYPE_CHECKING

import pytest

from greenroom.simulator.errors import InvalidOperation, IrresolvableConflict, NoSuchItem
from greenroom.simulator.model import Body, MeetingCancellation, MeetingDraft, MeetingRequest, SendUpdates
from greenroom.simulator.recurrence import Daily, Recurrence
from support.box import ACCEPT, ANN, AUTO, BOB, HOUR, NONE, OUTSIDE, START, Box, attendees

if TYPE_CHECKING:
    from collections.abc import Callable


def move(box: Box, item_id: str, send: SendUpdates = "SendToAllAndSaveCopy") -> None:
    box.later()
    draft: MeetingDraft = {"start": START + HOUR, "end": START + 2 * HOUR}
    box.exchange.update_item(ANN, item_id, draft, send=send)


def test_a_new_time_is_a_full_update_and_voids_all_answers() -> None:
    box = Box()
    item = box.invite(AUTO, BOB)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    before = box.copy(AUTO).id
    assert box.tracking(item)[AUTO] == "Accept"
    move(box, item.id)
    copy = box.copy(AUTO)
    assert copy.id == before
    assert box.request(AUTO).request_type == "FullUpdate"
    assert copy.my_response == "NoResponseReceived"
    assert copy.reply_time is None
    assert copy.meeting.start == START + HOUR
    assert item.meeting.sequence == copy.meeting.sequence == 1
    assert box.tracking(item) == {AUTO: "NoResponseReceived", BOB: "NoResponseReceived"}


@pytest.mark.parametrize("draft", [{"subject": "Other"}, {"location": "Here"}, {"body": Body("new")}])
def test_other_changes_are_informational_and_keep_the_answers(draft: MeetingDraft) -> None:
    box = Box()
    item = box.invite(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    stamp = item.meeting.stamp
    box.later()
    box.exchange.update_item(ANN, item.id, draft, send="SendToAllAndSaveCopy")
    copy = box.copy(AUTO)
    assert box.request(AUTO).request_type == "InformationalUpdate"
    assert copy.my_response == "Accept"
    assert copy.meeting.free_busy == "Busy"
    assert copy.meeting.sequence == 0
    assert copy.meeting.stamp > stamp
    assert box.tracking(item) == {AUTO: "Accept"}
    assert (copy.subject, copy.body, copy.meeting.location) == (item.subject, item.body, item.meeting.location)


def test_a_new_recurrence_is_a_full_update() -> None:
    box = Box()
    item = box.invite(AUTO)
    box.later()
    rule = Recurrence(Daily(1), START.date(), count=3)
    box.exchange.update_item(ANN, item.id, {"recurrence": rule}, send="SendToAllAndSaveCopy")
    assert box.copy(AUTO).meeting.recurrence == rule
    assert box.copy(AUTO).meeting.type == "RecurringMaster"
    assert box.request(AUTO).request_type == "FullUpdate"


def test_a_time_changed_in_silence_is_a_full_update_at_the_next_sending() -> None:
    box = Box()
    item = box.invite(AUTO)
    move(box, item.id, "SendToNone")
    assert len(box.inbox(AUTO)) == 1
    assert item.meeting.sequence == 0
    box.exchange.update_item(ANN, item.id, {"subject": "Other"}, send="SendOnlyToAll")
    assert box.request(AUTO).request_type == "FullUpdate"
    assert box.copy(AUTO).meeting.start == START + HOUR


def test_in_mode_none_the_update_comes_as_a_message_and_marks_the_older_one_nowhere() -> None:
    box = Box()
    item = box.invite(NONE)
    move(box, item.id)
    first, second = box.inbox(NONE)
    assert isinstance(first, MeetingRequest)
    assert isinstance(second, MeetingRequest)
    assert second.request_type == "FullUpdate"
    assert second.meeting.sequence == 1
    assert not box.exchange.items(NONE, "calendar")


def test_auto_accept_answers_a_moved_meeting_again() -> None:
    box = Box()
    item = box.invite(ACCEPT)
    move(box, item.id)
    assert box.tracking(item) == {ACCEPT: "Accept"}
    assert len(box.inbox(ANN)) == 2


def test_a_removed_attendee_gets_a_cancellation_an_added_one_a_request_the_others_an_update() -> None:
    box = Box()
    item = box.invite(AUTO, BOB)
    box.later()
    box.exchange.update_item(ANN, item.id, {"attendees": attendees(BOB, NONE, OUTSIDE)}, send="SendToAllAndSaveCopy")
    removed = box.inbox(AUTO)[-1]
    assert isinstance(removed, MeetingCancellation)
    assert box.copy(AUTO).meeting.is_cancelled
    assert box.request(NONE).request_type == "NewMeetingRequest"
    assert box.request(BOB).request_type == "InformationalUpdate"
    assert not box.copy(BOB).meeting.is_cancelled
    assert [one.method for one in box.exchange.outbound] == ["REQUEST"]
    assert set(box.tracking(item)) == {BOB, NONE, OUTSIDE}


def test_sent_only_to_changed_leaves_the_others_alone() -> None:
    box = Box()
    item = box.invite(BOB, AUTO)
    box.later()
    box.exchange.update_item(ANN, item.id, {"attendees": attendees(BOB, NONE)}, send="SendToChangedAndSaveCopy")
    assert len(box.inbox(BOB)) == 1
    assert len(box.inbox(NONE)) == 1
    assert box.copy(AUTO).meeting.is_cancelled


def test_a_new_time_concerns_everybody_even_when_only_the_changed_are_told() -> None:
    box = Box()
    item = box.invite(BOB)
    move(box, item.id, "SendOnlyToChanged")
    assert box.copy(BOB).meeting.start == START + HOUR


def test_an_attendee_removed_and_invited_again_has_the_meeting_again() -> None:
    box = Box()
    item = box.invite(AUTO, BOB)
    for people in (attendees(BOB), attendees(BOB, AUTO)):
        box.later()
        box.exchange.update_item(ANN, item.id, {"attendees": people}, send="SendToAllAndSaveCopy")
    copy = box.copy(AUTO)
    assert not copy.meeting.is_cancelled
    assert copy.subject == "Plan"
    assert copy.my_response == "NoResponseReceived"
    assert box.request(AUTO).request_type == "NewMeetingRequest"


def test_two_updates_at_one_instant_of_the_clock_keep_their_order() -> None:
    box = Box()
    item = box.invite(AUTO)
    for subject in ("One", "Two"):
        box.exchange.update_item(ANN, item.id, {"subject": subject}, send="SendOnlyToAll")
    assert box.copy(AUTO).subject == "Two"
    assert not box.request(AUTO).is_out_of_date


def test_a_stale_change_key_is_refused_only_when_asked_never_to_overwrite() -> None:
    box = Box()
    item = box.invite(send="SendToNone")
    stale = item.change_key
    box.exchange.update_item(ANN, item.id, {"subject": "B"}, change_key=stale, resolution="NeverOverwrite")
    assert item.change_key != stale
    with pytest.raises(IrresolvableConflict):
        box.exchange.update_item(ANN, item.id, {"subject": "C"}, change_key=stale, resolution="NeverOverwrite")
    assert item.subject == "B"
    box.exchange.update_item(ANN, item.id, {"subject": "D"}, change_key=stale, resolution="AlwaysOverwrite")
    assert item.subject == "D"


def test_an_attendees_own_changes_go_nowhere() -> None:
    box = Box()
    item = box.invite(BOB)
    box.exchange.update_item(BOB, box.copy(BOB).id, {"subject": "Mine"}, send="SendToAllAndSaveCopy")
    assert item.subject == "Plan"
    assert not box.inbox(ANN)


def test_times_that_cannot_be_are_refused_and_change_nothing() -> None:
    box = Box()
    item = box.invite(send="SendToNone")
    with pytest.raises(InvalidOperation) as refused:
        box.exchange.update_item(ANN, item.id, {"end": START - HOUR})
    assert refused.value.code == "ErrorCalendarEndDateIsEarlierThanStartDate"
    assert item.meeting.end == START + HOUR
    with pytest.raises(InvalidOperation):
        box.exchange.create_meeting(ANN, {"subject": "no times"})
    for rule in (Recurrence(Daily(0), START.date()), Recurrence(Daily(1), START.date(), count=0)):
        with pytest.raises(InvalidOperation):
            box.exchange.update_item(ANN, item.id, {"recurrence": rule})
    assert item.meeting.recurrence is None


def test_all_day_meetings_are_rounded_to_days_of_their_zone() -> None:
    box = Box()
    item = box.invite(
        send="SendToNone",
        draft={"all_day": True, "start_zone": "W. Europe Standard Time", "end_zone": "W. Europe Standard Time"},
    )
    assert item.meeting.start.isoformat() == "2026-12-01T23:00:00+00:00"
    assert item.meeting.end.isoformat() == "2026-12-02T23:00:00+00:00"


def test_only_the_organizer_can_cancel() -> None:
    box = Box()
    box.invite(BOB)
    with pytest.raises(InvalidOperation) as refused:
        box.exchange.cancel_meeting(BOB, box.copy(BOB).id)
    assert refused.value.code == "ErrorCalendarIsNotOrganizer"


def test_deleted_and_moved_items_are_gone_under_their_old_id() -> None:
    box = Box()
    ways: list[Callable[[str], object]] = [
        lambda id_: box.exchange.delete_item(ANN, id_, "HardDelete"),
        lambda id_: box.exchange.delete_item(ANN, id_, "SoftDelete"),
        lambda id_: box.exchange.delete_item(ANN, id_),
        lambda id_: box.exchange.move_item(ANN, id_, "drafts"),
    ]
    for way in ways:
        old = box.invite(send="SendToNone").id
        way(old)
        with pytest.raises(NoSuchItem):
            box.exchange.get(ANN, old)
    assert len(box.exchange.items(ANN, "deleteditems")) == 1
    assert box.exchange.owner_of_item(old) == ANN
