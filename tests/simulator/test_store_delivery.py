from greenroom.simulator.goid import clean
from greenroom.simulator.ics_read import read_ics
from greenroom.simulator.model import (
    AutoAcceptOptions,
    Body,
    CalendarItem,
    MeetingCancellation,
    MeetingRequest,
    MeetingResponse,
)
from support.box import ACCEPT, ANN, AUTO, BOB, GHOST, NONE, OUTSIDE, START, Box, attendees


def test_a_meeting_only_saved_reaches_nobody() -> None:
    box = Box()
    item = box.invite(BOB, OUTSIDE, send="SendToNone")
    assert not box.inbox(BOB)
    assert not box.exchange.outbound
    assert not item.request_was_sent


def test_a_user_gets_the_message_and_a_tentative_entry() -> None:
    box = Box()
    box.invite(BOB)
    request, copy = box.request(BOB), box.copy(BOB)
    assert request.request_type == "NewMeetingRequest"
    assert request.has_been_processed
    assert request.associated_id == copy.id
    assert copy.my_response == "NoResponseReceived"
    assert copy.meeting.free_busy == "Tentative"
    assert not copy.is_organizer
    assert copy.body == Body("<p>Agenda</p>", "HTML")


def test_processing_none_leaves_only_the_message() -> None:
    box = Box()
    box.invite(NONE)
    assert not box.exchange.items(NONE, "calendar")
    assert box.request(NONE).associated_id is None
    assert not box.request(NONE).has_been_processed


def test_auto_update_makes_an_entry_and_answers_nothing() -> None:
    box = Box()
    item = box.invite(AUTO)
    assert box.copy(AUTO).my_response == "NoResponseReceived"
    assert box.tracking(item) == {AUTO: "Unknown"}
    assert not box.inbox(ANN)


def test_auto_accept_accepts_strips_and_answers() -> None:
    box = Box()
    item = box.invite(ACCEPT, draft={"sensitivity": "Private"})
    copy = box.copy(ACCEPT)
    assert copy.my_response == "Accept"
    assert copy.subject == "Ann Archer"
    assert copy.body.content == ""
    assert copy.sensitivity == "Normal"
    assert copy.meeting.free_busy == "Busy"
    assert box.tracking(item) == {ACCEPT: "Accept"}
    (answer,) = box.inbox(ANN)
    assert isinstance(answer, MeetingResponse)
    assert not box.inbox(ACCEPT)
    assert [type(one) for one in box.exchange.items(ACCEPT, "deleteditems")] == [MeetingRequest]


def test_each_stripping_of_auto_accept_can_be_switched_off() -> None:
    box = Box()
    box.exchange.mailbox(ACCEPT).auto_accept = AutoAcceptOptions(
        delete_comments=False, delete_subject=False, remove_private_property=False
    )
    box.invite(ACCEPT, draft={"sensitivity": "Private"})
    copy = box.copy(ACCEPT)
    assert (copy.subject, copy.body.content, copy.sensitivity) == ("Ann Archer Plan", "<p>Agenda</p>", "Private")
    box.exchange.mailbox(ACCEPT).auto_accept = AutoAcceptOptions(delete_subject=False, add_organizer_to_subject=False)
    box.exchange.delete_item(ACCEPT, copy.id, "HardDelete")
    box.invite(ACCEPT)
    assert box.copy(ACCEPT).subject == "Plan"


def test_ids_differ_in_every_mailbox_but_the_global_object_id_is_one() -> None:
    box = Box()
    item = box.invite(BOB, AUTO, NONE)
    copies: list[CalendarItem] = [item, box.copy(BOB), box.copy(AUTO)]
    requests = [box.request(address) for address in (BOB, AUTO, NONE)]
    found: list[CalendarItem | MeetingRequest] = [*copies, *requests]
    assert len({one.id for one in found}) == len(found)
    assert all(len(one.id) == 152 for one in found)
    assert len({one.meeting.clean_goid for one in found}) == 1
    assert item.meeting.goid == clean(item.meeting.goid)
    assert item.meeting.uid == item.meeting.clean_goid.hex().upper()


def test_mail_to_other_domains_leaves_with_an_invitation_and_unknown_local_addresses_bounce() -> None:
    box = Box()
    box.invite(OUTSIDE, GHOST)
    (mail,) = box.exchange.outbound
    assert (mail.recipient, mail.sender, mail.method) == (OUTSIDE, ANN, "REQUEST")
    assert mail.ics is not None
    assert read_ics(mail.ics).events[0].subject == "Plan"
    assert [one.recipient for one in box.exchange.bounced] == [GHOST]


def test_the_organizer_keeps_a_copy_in_sent_items_only_when_asked() -> None:
    box = Box()
    box.invite(BOB)
    box.invite(BOB, send="SendOnlyToAll")
    (sent,) = box.exchange.items(ANN, "sentitems")
    assert isinstance(sent, MeetingRequest)


def test_someone_invited_twice_by_different_names_gets_one_message() -> None:
    box = Box()
    box.exchange.create_meeting(
        BOB, {"start": START, "end": START, "attendees": attendees(ANN, "A.Archer@BOX.test")}, "SendToAllAndSaveCopy"
    )
    assert len(box.inbox(ANN)) == 1


def test_a_delegate_is_the_sender_and_the_owner_the_organizer() -> None:
    box = Box()
    draft_start = {"start": START, "end": START, "attendees": attendees(AUTO)}
    box.exchange.create_meeting(ANN, draft_start, "SendToAllAndSaveCopy", sender=BOB)  # type: ignore[arg-type]  # a plain dict
    request = box.request(AUTO)
    assert request.sender is not None
    assert request.author is not None
    assert (request.sender.address, request.author.address) == (BOB, ANN)
    assert request.meeting.organizer.address == ANN


def test_an_organizer_can_be_shown_by_x500_and_is_found_by_it() -> None:
    box = Box()
    box.exchange.mailbox(ANN).shows_x500 = True
    box.invite(AUTO, OUTSIDE)
    organizer = box.copy(AUTO).meeting.organizer
    assert (organizer.routing, organizer.address) == ("EX", "/o=Box/cn=ann")
    assert box.exchange.resolve_names(organizer.address)[0].address == ANN
    assert box.exchange.outbound[0].ics is not None
    assert b"/o=Box" not in box.exchange.outbound[0].ics
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    assert isinstance(box.inbox(ANN)[0], MeetingResponse)


def test_extended_properties_do_not_travel() -> None:
    from greenroom.simulator.model import PropertyTag  # noqa: PLC0415  used by this test alone

    box = Box()
    tag = PropertyTag("String", set_id="00020329-0000-0000-c000-000000000046", name="mine")
    item = box.invite(AUTO, draft={"extended": {tag: "x"}})
    assert item.extended == {tag: "x"}
    assert not box.copy(AUTO).extended
    box.exchange.update_item(ANN, item.id, {"extended": {tag: None}})
    assert not item.extended


def test_a_cancellation_keeps_the_copy_marked_and_free() -> None:
    box = Box()
    item = box.invite(AUTO, BOB)
    box.later()
    gone = box.exchange.cancel_meeting(ANN, item.id, body=Body("sorry"))
    copy = box.copy(AUTO)
    assert copy.meeting.is_cancelled
    assert copy.subject == "Canceled: Plan"
    assert copy.meeting.free_busy == "Free"
    message = box.inbox(AUTO)[-1]
    assert isinstance(message, MeetingCancellation)
    assert message.body.content == "sorry"
    assert message.associated_id == copy.id
    assert gone is not None
    assert gone.folder_id == box.exchange.folder(ANN, "deleteditems").id
    assert box.request(AUTO).is_out_of_date


def test_a_cancellation_in_mode_none_leaves_the_entry_until_it_is_removed() -> None:
    box = Box()
    item = box.invite(NONE)
    box.exchange.respond(NONE, box.request(NONE).id, "Accept")
    box.later()
    box.exchange.cancel_meeting(ANN, item.id)
    copy = box.copy(NONE)
    assert not copy.meeting.is_cancelled
    (message,) = box.inbox(NONE)
    assert isinstance(message, MeetingCancellation)
    assert message.associated_id == copy.id
    box.exchange.remove_cancelled(NONE, message.id)
    assert not box.exchange.items(NONE, "calendar")
    assert not box.inbox(NONE)


def test_deleting_with_cancellations_cancels_and_without_is_silent() -> None:
    box = Box()
    box.exchange.delete_item(ANN, box.invite(AUTO).id, send_cancellations="SendToAllAndSaveCopy")
    assert box.copy(AUTO).meeting.is_cancelled
    box.exchange.delete_item(ANN, box.invite(BOB).id, "HardDelete")
    assert not box.copy(BOB).meeting.is_cancelled
    assert all(not isinstance(one, CalendarItem) for one in box.exchange.items(ANN, "calendar"))


def test_external_requests_are_not_processed_where_that_is_switched_off() -> None:
    from support.box import ics  # noqa: PLC0415  used by this test alone

    box = Box()
    box.exchange.mailbox(AUTO).process_external = False
    box.exchange.deliver_ics(AUTO, ics("DTSTART:20261202T090000Z"))
    assert not box.exchange.items(AUTO, "calendar")
    assert not box.request(AUTO).has_been_processed
