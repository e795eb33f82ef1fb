import pytest

from greenroom.simulator.errors import InvalidOperation
from greenroom.simulator.ics_read import read_ics
from greenroom.simulator.model import Answer, Body, CalendarItem, MeetingRequest, MeetingResponse
from support.box import ANN, AUTO, BOB, HOUR, NONE, OUTSIDE, START, Box, ics


@pytest.mark.parametrize(
    ("answer", "prefix", "class_"),
    [("Accept", "Accepted: ", "Pos"), ("Tentative", "Tentative: ", "Tent"), ("Decline", "Declined: ", "Neg")],
)
def test_an_answer_reaches_the_organizer_with_its_words(answer: Answer, prefix: str, class_: str) -> None:
    box = Box()
    item = box.invite(AUTO)
    box.later()
    left = box.exchange.respond(AUTO, box.copy(AUTO).id, answer, body=Body("<p>why</p>", "HTML"))
    (message,) = box.inbox(ANN)
    assert isinstance(message, MeetingResponse)
    assert message.subject == prefix + "Plan"
    assert message.body == Body("<p>why</p>", "HTML")
    assert message.item_class == f"IPM.Schedule.Meeting.Resp.{class_}"
    assert message.associated_id == item.id
    assert message.author is not None
    assert message.author.address == AUTO
    assert box.tracking(item) == {AUTO: answer}
    assert item.meeting.attendees[0].response_time == box.now
    assert left.calendar_item is not None
    assert left.calendar_item.my_response == answer
    assert left.calendar_item.reply_time == box.now
    assert left.sent_copy is not None
    assert left.sent_copy.id == box.exchange.items(AUTO, "sentitems")[0].id


def test_answering_moves_the_request_to_deleted_items() -> None:
    box = Box()
    box.invite(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    assert not box.inbox(AUTO)
    assert isinstance(box.exchange.items(AUTO, "deleteditems")[0], MeetingRequest)


def test_declining_moves_the_entry_to_deleted_items() -> None:
    box = Box()
    box.invite(AUTO)
    left = box.exchange.respond(AUTO, box.request(AUTO).id, "Decline")
    assert not box.exchange.items(AUTO, "calendar")
    assert left.calendar_item is not None
    assert left.calendar_item.folder_id == box.exchange.folder(AUTO, "deleteditems").id


def test_in_mode_none_accepting_the_request_makes_the_entry() -> None:
    box = Box()
    item = box.invite(NONE)
    left = box.exchange.respond(NONE, box.request(NONE).id, "Accept")
    copy = box.copy(NONE)
    assert left.calendar_item is copy
    assert copy.my_response == "Accept"
    assert copy.meeting.free_busy == "Busy"
    assert copy.body.content == "<p>Agenda</p>"
    assert copy.meeting.clean_goid == item.meeting.clean_goid
    assert box.tracking(item) == {NONE: "Accept"}


def test_in_mode_none_accepting_an_update_brings_the_entry_up_to_date() -> None:
    box = Box()
    item = box.invite(NONE)
    box.exchange.respond(NONE, box.request(NONE).id, "Accept")
    box.later()
    box.exchange.update_item(ANN, item.id, {"start": START + HOUR, "end": START + 2 * HOUR}, send="SendOnlyToAll")
    assert box.copy(NONE).meeting.start == START
    box.exchange.respond(NONE, box.request(NONE).id, "Accept")
    assert box.copy(NONE).meeting.start == START + HOUR
    assert box.copy(NONE).my_response == "Accept"
    assert box.tracking(item) == {NONE: "Accept"}


def test_nothing_is_sent_when_only_saved_or_when_nobody_asked() -> None:
    box = Box()
    item = box.invite(AUTO, BOB, draft={"response_requested": False})
    left = box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    assert left.sent_copy is None
    assert box.copy(AUTO).my_response == "Accept"
    asked = box.invite(BOB)
    request = next(
        one for one in box.inbox(BOB) if isinstance(one, MeetingRequest) and one.meeting.uid == asked.meeting.uid
    )
    box.exchange.respond(BOB, request.id, "Accept", disposition="SaveOnly")
    assert not box.inbox(ANN)
    assert box.tracking(item) == {AUTO: "Unknown", BOB: "Unknown"}


def test_send_only_leaves_no_copy() -> None:
    box = Box()
    box.invite(AUTO)
    assert box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept", disposition="SendOnly").sent_copy is None
    assert len(box.inbox(ANN)) == 1


def test_answering_again_is_allowed_and_counts() -> None:
    box = Box()
    item = box.invite(AUTO)
    for answer in ("Accept", "Tentative", "Accept"):
        box.later()
        box.exchange.respond(AUTO, box.copy(AUTO).id, answer)
    assert box.tracking(item) == {AUTO: "Accept"}
    assert len(box.inbox(ANN)) == 3


def test_a_declined_meeting_can_be_accepted_after_all() -> None:
    box = Box()
    item = box.invite(AUTO)
    declined = box.exchange.respond(AUTO, box.copy(AUTO).id, "Decline").calendar_item
    assert declined is not None
    box.exchange.respond(AUTO, declined.id, "Accept")
    assert box.copy(AUTO).my_response == "Accept"
    assert box.tracking(item) == {AUTO: "Accept"}


def test_an_update_brings_a_declined_meeting_back() -> None:
    box = Box()
    item = box.invite(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Decline")
    box.later()
    box.exchange.update_item(ANN, item.id, {"start": START + HOUR, "end": START + 2 * HOUR}, send="SendOnlyToAll")
    assert box.copy(AUTO).my_response == "NoResponseReceived"
    assert box.request(AUTO).request_type == "FullUpdate"
    declined = next(one for one in box.exchange.items(AUTO, "deleteditems") if isinstance(one, CalendarItem))
    box.exchange.respond(AUTO, declined.id, "Accept")
    assert box.copy(AUTO).my_response == "Accept"
    assert box.tracking(item) == {AUTO: "Accept"}


def test_the_organizer_cancelled_and_outdated_meetings_cannot_be_answered() -> None:
    box = Box()
    item = box.invite(AUTO)
    old = box.request(AUTO)

    def refused(address: str, id_: str) -> str:
        with pytest.raises(InvalidOperation) as error:
            box.exchange.respond(address, id_, "Accept")
        return error.value.code

    assert refused(ANN, item.id) == "ErrorCalendarIsOrganizerForAccept"
    box.later()
    box.exchange.update_item(ANN, item.id, {"start": START + HOUR, "end": START + 2 * HOUR}, send="SendOnlyToAll")
    assert refused(AUTO, old.id) == "ErrorCalendarMeetingRequestIsOutOfDate"
    box.later()
    box.exchange.cancel_meeting(ANN, item.id)
    assert refused(AUTO, box.copy(AUTO).id) == "ErrorCalendarIsCancelledForAccept"
    assert refused(AUTO, box.inbox(AUTO)[-1].id) == "ErrorInvalidRequest"


def test_an_answer_to_an_older_version_does_not_count() -> None:
    box = Box()
    item = box.invite(OUTSIDE)
    request = box.exchange.outbound[0].ics
    assert request is not None
    box.later()
    box.exchange.update_item(ANN, item.id, {"start": START + HOUR, "end": START + 2 * HOUR}, send="SendOnlyToAll")
    answer = ics(
        f"UID:{item.meeting.uid}", "SEQUENCE:0", "ORGANIZER:mailto:ann@box.test", f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{OUTSIDE}",
        method="REPLY",
    )  # fmt: skip
    done = box.exchange.deliver_ics(ANN, answer)
    assert done.note == "answers an older version of the meeting"
    assert box.tracking(item) == {OUTSIDE: "NoResponseReceived"}


def test_an_answer_from_outside_is_tracked() -> None:
    box = Box()
    item = box.invite(OUTSIDE)
    answer = ics(
        f"UID:{item.meeting.uid}", "SEQUENCE:0", "ORGANIZER:mailto:ann@box.test", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{OUTSIDE}",
        "COMMENT:No time\\, sorry",
        method="REPLY",
    )  # fmt: skip
    done = box.exchange.deliver_ics(ANN, answer)
    assert done.calendar_item_ids == (item.id,)
    message = box.inbox(ANN)[0]
    assert isinstance(message, MeetingResponse)
    assert message.body.content == "No time, sorry"
    assert message.meeting.start == START
    assert box.tracking(item) == {OUTSIDE: "Decline"}


def test_someone_not_invited_who_answers_becomes_an_optional_attendee() -> None:
    box = Box()
    item = box.invite(AUTO)
    forwarded = box.exchange.export_ics(ANN, item.id, "REQUEST")
    box.exchange.deliver_ics(BOB, forwarded)
    box.exchange.respond(BOB, box.copy(BOB).id, "Accept")
    assert [(one.person.address, one.role, one.response) for one in item.meeting.attendees] == [
        (AUTO, "required", "Unknown"),
        (BOB, "optional", "Accept"),
    ]


@pytest.mark.parametrize(
    ("answer", "status"), [("Accept", "Accept"), ("Decline", "Decline"), ("Tentative", "Tentative")]
)
def test_an_external_organizer_gets_an_itip_reply(answer: Answer, status: str) -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics("DTSTART:20261202T090000Z", "SEQUENCE:3", "SUMMARY:Theirs"))
    box.exchange.respond(AUTO, box.copy(AUTO).id, answer, body=Body("<p>Dial 1234</p>", "HTML"))
    (mail,) = box.exchange.outbound
    assert (mail.recipient, mail.method, mail.sender) == (OUTSIDE, "REPLY", AUTO)
    assert mail.body.content == "<p>Dial 1234</p>"
    assert mail.ics is not None
    file = read_ics(mail.ics)
    (event,) = file.events
    assert file.method == "REPLY"
    assert event.meeting.uid == "u-1@maker.test"
    assert event.meeting.sequence == 3
    assert [(one.person.address, one.response) for one in event.meeting.attendees] == [(AUTO, status)]
    assert event.comment == "Dial 1234"


def test_removing_needs_a_cancelled_meeting() -> None:
    box = Box()
    item = box.invite(AUTO)
    with pytest.raises(InvalidOperation):
        box.exchange.remove_cancelled(AUTO, box.copy(AUTO).id)
    box.later()
    box.exchange.cancel_meeting(ANN, item.id)
    box.exchange.remove_cancelled(AUTO, box.inbox(AUTO)[-1].id)
    assert not box.exchange.items(AUTO, "calendar")
    kinds = {type(one) for one in box.exchange.items(AUTO, "deleteditems")}
    assert CalendarItem in kinds
