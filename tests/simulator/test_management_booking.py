"""What each setting of a resource mailbox does to invitations: for the store, which both faces show."""

from datetime import timedelta
from typing import Any

import pytest

from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingDraft, MeetingRequest, Person
from greenroom.simulator.recurrence import Daily, Recurrence
from support.administrator import ADA, BEN, CARLA, VMR, Administrator, at_work
from support.box import HOUR, START, ics

DAY = timedelta(days=1)


@pytest.fixture
def admin() -> Administrator:
    return at_work(shell="exchange-online")


def invite(admin: Administrator, by: str = ADA, **draft: Any) -> CalendarItem:
    """Invite the equipment mailbox to an hour of tomorrow."""
    base: MeetingDraft = {
        "subject": "Plan",
        "body": Body("<p>ticket</p>", "HTML"),
        "start": START + DAY,
        "end": START + DAY + HOUR,
        "attendees": (Attendee(Person(VMR), "resource"),),
    }
    return admin.exchange.create_meeting(by, {**base, **draft}, "SendToAllAndSaveCopy")  # type: ignore[typeddict-item]  # in the words of the draft


def entries(admin: Administrator) -> list[CalendarItem]:
    return [one for one in admin.exchange.items(VMR, "calendar") if isinstance(one, CalendarItem)]


def said(item: CalendarItem) -> str:
    return item.meeting.attendees[0].response


def reason(admin: Administrator) -> str:
    return admin.exchange.items(ADA, "inbox")[-1].body.content


def daily(**more: Any) -> Recurrence:
    return Recurrence(pattern=Daily(1), start=(START + DAY).date(), **more)


def test_a_new_equipment_mailbox_answers_by_itself_and_strips(admin: Administrator) -> None:
    admin.makes_mailbox()
    item = invite(admin, sensitivity="Private")
    (entry,) = entries(admin)
    assert (entry.subject, entry.body.content, entry.sensitivity) == ("Ada Okafor", "", "Normal")
    assert (entry.my_response, said(item)) == ("Accept", "Accept")


def test_as_auto_update_everything_is_there_and_nothing_is_answered(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate", RemovePrivateProperty=False)
    item = invite(admin, sensitivity="Private")
    (entry,) = entries(admin)
    assert (entry.subject, entry.body.content, entry.sensitivity) == ("Plan", "<p>ticket</p>", "Private")
    assert (entry.my_response, said(item)) == ("NoResponseReceived", "Unknown")


def test_the_private_flag_goes_under_auto_update_as_well(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate")
    invite(admin, sensitivity="Private")
    assert [one.sensitivity for one in entries(admin)] == ["Normal"]


def test_without_processing_nothing_is_in_the_calendar(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="None")
    invite(admin)
    assert entries(admin) == []
    assert len(admin.exchange.items(VMR, "inbox")) == 1


def test_a_second_meeting_at_the_same_time_is_declined_unless_conflicts_are_allowed(admin: Administrator) -> None:
    admin.makes_mailbox()
    first, second = invite(admin), invite(admin, BEN)
    assert (said(first), said(second)) == ("Accept", "Decline")
    assert len(entries(admin)) == 1
    assert said(invite(admin, CARLA, start=START + DAY + HOUR, end=START + DAY + 2 * HOUR)) == "Accept"
    admin.does("Set-CalendarProcessing", VMR, AllowConflicts=True)
    assert said(invite(admin, BEN)) == "Accept"


def test_a_free_or_cancelled_meeting_conflicts_with_nothing(admin: Administrator) -> None:
    admin.makes_mailbox()
    first = invite(admin)
    admin.exchange.cancel_meeting(ADA, first.id)
    assert said(invite(admin, free_busy="Free")) == "Accept"
    assert said(invite(admin, BEN)) == "Accept"


def test_an_update_is_judged_again_and_does_not_conflict_with_itself(admin: Administrator) -> None:
    admin.makes_mailbox()
    item = invite(admin)
    later: MeetingDraft = {"start": START + DAY + HOUR / 2, "end": START + DAY + 2 * HOUR}
    admin.exchange.update_item(ADA, item.id, later, send="SendToAllAndSaveCopy")
    assert said(item) == "Accept"
    far: MeetingDraft = {"start": START + 400 * DAY, "end": START + 400 * DAY + HOUR}
    admin.exchange.update_item(ADA, item.id, far, send="SendToAllAndSaveCopy")
    assert said(item) == "Decline"
    assert entries(admin) == []


def test_too_far_ahead_is_declined(admin: Administrator) -> None:
    admin.makes_mailbox()
    assert said(invite(admin, start=START + 180 * DAY, end=START + 180 * DAY + HOUR)) == "Accept"
    assert said(invite(admin, start=START + 181 * DAY, end=START + 181 * DAY + HOUR)) == "Decline"
    assert "180 days" in reason(admin)
    admin.does("Set-CalendarProcessing", VMR, BookingWindowInDays=1080)
    assert said(invite(admin, start=START + 400 * DAY, end=START + 400 * DAY + HOUR)) == "Accept"


def test_a_series_beyond_the_window_is_declined_as_long_as_the_horizon_is_enforced(admin: Administrator) -> None:
    admin.makes_mailbox(AllowConflicts=True)
    assert said(invite(admin, recurrence=daily(count=5))) == "Accept"
    assert said(invite(admin, recurrence=daily(count=200))) == "Decline"
    assert said(invite(admin, recurrence=daily())) == "Decline"
    admin.does("Set-CalendarProcessing", VMR, EnforceSchedulingHorizon=False)
    assert said(invite(admin, recurrence=daily())) == "Accept"
    admin.does("Set-CalendarProcessing", VMR, AllowRecurringMeetings=False)
    assert said(invite(admin, recurrence=daily(count=5))) == "Decline"


def test_a_series_may_conflict_as_often_as_it_is_allowed(admin: Administrator) -> None:
    admin.makes_mailbox()
    assert said(invite(admin)) == "Accept"
    assert said(invite(admin, BEN, recurrence=daily(count=4))) == "Decline"
    admin.does("Set-CalendarProcessing", VMR, ConflictPercentageAllowed=25, MaximumConflictInstances=1)
    assert said(invite(admin, BEN, recurrence=daily(count=4))) == "Accept"


def test_too_long_is_declined_unless_there_is_no_limit(admin: Administrator) -> None:
    admin.makes_mailbox()
    assert said(invite(admin, end=START + 2 * DAY + HOUR)) == "Decline"
    admin.does("Set-CalendarProcessing", VMR, MaximumDurationInMinutes=0)
    assert said(invite(admin, end=START + 3 * DAY)) == "Accept"


def test_working_hours_are_those_of_the_mailboxs_zone(admin: Administrator) -> None:
    admin.makes_mailbox(ScheduleOnlyDuringWorkHours=True)
    assert said(invite(admin)) == "Accept"
    night: dict[str, Any] = {"start": START + DAY + 11 * HOUR, "end": START + DAY + 12 * HOUR}
    assert said(invite(admin, **night)) == "Decline"
    admin.does("Set-MailboxRegionalConfiguration", VMR, TimeZone="Pacific Standard Time")
    assert said(invite(admin, **night)) == "Accept"
    assert said(invite(admin)) == "Decline"


def test_who_may_not_book_waits_for_a_delegate_or_is_declined(admin: Administrator) -> None:
    admin.makes_mailbox(AllBookInPolicy=False)
    assert said(invite(admin)) == "Decline"
    admin.does("Set-CalendarProcessing", VMR, AllRequestInPolicy=True, ResourceDelegates=[CARLA])
    waiting = invite(admin, start=START + 2 * DAY, end=START + 2 * DAY + HOUR)
    assert said(waiting) == "Tentative"
    assert [one.my_response for one in entries(admin)] == ["NoResponseReceived"]
    assert [type(one) for one in admin.exchange.items(CARLA, "inbox")] == [MeetingRequest]
    assert admin.exchange.items(CARLA, "calendar") == []


def test_delegates_get_requests_and_nothing_where_that_is_switched_off(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate", ResourceDelegates=[CARLA])
    invite(admin)
    (forwarded,) = admin.exchange.items(CARLA, "inbox")
    assert isinstance(forwarded, MeetingRequest)
    assert (forwarded.is_delegated, [one.address for one in forwarded.to]) == (True, [VMR])
    admin.does("Set-CalendarProcessing", VMR, ForwardRequestsToDelegates=False)
    invite(admin)
    assert len(admin.exchange.items(CARLA, "inbox")) == 1


def test_new_requests_stay_out_of_the_calendar_until_they_are_answered(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate", AddNewRequestsTentatively=False)
    item = invite(admin)
    assert entries(admin) == []
    (request,) = admin.exchange.items(VMR, "inbox")
    admin.exchange.respond(VMR, request.id, "Accept")
    assert [one.my_response for one in entries(admin)] == ["Accept"]
    update: MeetingDraft = {"location": "Elsewhere"}
    admin.exchange.update_item(ADA, item.id, update, send="SendToAllAndSaveCopy")
    assert [one.meeting.location for one in entries(admin)] == ["Elsewhere"]


def test_requests_from_outside_are_processed_only_where_that_is_wanted(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate")
    when = ("DTSTART:20261203T090000Z", "DTEND:20261203T100000Z")
    admin.exchange.deliver_ics(VMR, ics(*when))
    assert entries(admin) == []
    admin.does("Set-CalendarProcessing", VMR, ProcessExternalMeetingMessages=True)
    admin.exchange.deliver_ics(VMR, ics(*when, "UID:u-2@maker.test"))
    assert len(entries(admin)) == 1


def test_who_is_not_of_the_organisation_does_not_get_through_where_senders_must_sign_in(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate", ProcessExternalMeetingMessages=True)
    admin.does("Set-Mailbox", VMR, RequireSenderAuthenticationEnabled=True)
    done = admin.exchange.deliver_ics(VMR, ics("DTSTART:20261203T090000Z", "DTEND:20261203T100000Z"))
    assert done.note is not None
    assert done.note.startswith("550 5.7.133")
    assert admin.exchange.items(VMR, "inbox") == []
    invite(admin)
    assert len(entries(admin)) == 1


def test_cancelled_meetings_stay_unless_they_are_to_be_removed(admin: Administrator) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate")
    admin.exchange.cancel_meeting(ADA, invite(admin).id)
    assert [one.meeting.is_cancelled for one in entries(admin)] == [True]
    admin.does("Set-CalendarProcessing", VMR, RemoveCanceledMeetings=True)
    admin.exchange.cancel_meeting(ADA, invite(admin).id)
    assert len(entries(admin)) == 1


@pytest.mark.parametrize(("removed", "left"), [(True, 1), (False, 2)])
def test_outdated_requests_are_removed_or_kept(admin: Administrator, removed: bool, left: int) -> None:
    admin.makes_mailbox(AutomateProcessing="AutoUpdate", RemoveOldMeetingMessages=removed)
    item = invite(admin)
    later: MeetingDraft = {"start": START + 2 * DAY, "end": START + 2 * DAY + HOUR}
    admin.exchange.update_item(ADA, item.id, later, send="SendToAllAndSaveCopy")
    assert len(admin.exchange.items(VMR, "inbox")) == left


def test_mail_goes_under_auto_accept_and_a_text_is_added_to_answers(admin: Administrator) -> None:
    admin.makes_mailbox(AddAdditionalResponse=True, AdditionalResponse="Ask the desk.")
    admin.exchange.create_message(ADA, {"subject": "Hello", "to": (Person(VMR),)}, "SendOnly")
    assert admin.exchange.items(VMR, "inbox") == []
    invite(admin)
    assert reason(admin) == "Your request was accepted. Ask the desk."
    admin.does("Set-CalendarProcessing", VMR, DeleteNonCalendarItems=False)
    admin.exchange.create_message(ADA, {"subject": "Hello", "to": (Person(VMR),)}, "SendOnly")
    assert len(admin.exchange.items(VMR, "inbox")) == 1


def test_mailboxes_of_seeds_are_as_they_were(admin: Administrator) -> None:
    admin.exchange.add_mailbox(VMR, "Rooms", kind="equipment", processing="auto_accept")
    assert said(invite(admin, start=START + 900 * DAY, end=START + 902 * DAY)) == "Accept"
    assert said(invite(admin, BEN, start=START + 900 * DAY, end=START + 902 * DAY)) == "Accept"
    assert admin.gets("Get-CalendarProcessing", VMR)["AllowConflicts"] is True
