"""Composing, editing, cancelling and answering in the web mail client."""

from datetime import UTC, date, datetime

import pytest

from greenroom.simulator.model import Body, CalendarItem, MeetingRequest
from greenroom.simulator.recurrence import Daily, Recurrence, Weekly
from support.outlook_client import ADA, BO, CLEO, VMR, form_of, mail_client, meeting, problems


async def test_a_composed_meeting_is_sent_to_people_and_room() -> None:
    async with mail_client() as mail:
        item = await mail.compose(attendees="Bo <BO@mail.test>; Cleo, x@far.test", optional="ada", room=VMR)
        assert item.meeting.start == datetime(2026, 3, 3, 9, tzinfo=UTC)
        assert item.meeting.end == datetime(2026, 3, 3, 10, tzinfo=UTC)
        assert item.meeting.start_zone == "W. Europe Standard Time"
        assert item.meeting.location == "Attic"
        roles = {one.person.address: one.role for one in item.meeting.attendees}
        assert roles == {BO: "required", CLEO: "required", "x@far.test": "required", ADA: "optional", VMR: "resource"}
        assert item.body == Body("<html><body>\n<div>Hello</div>\n</body></html>", "HTML")
        assert [len(mail.items(who, "inbox")) for who in (BO, CLEO, VMR)] == [1, 1, 1]
        assert [one.recipient for one in mail.exchange.outbound] == ["x@far.test"]
        assert len(mail.items(ADA, "sentitems")) == 1


@pytest.mark.parametrize(
    ("repeat", "until", "rule"),
    [
        ("none", "", None),
        ("daily", "2026-03-09", Recurrence(Daily(1), date(2026, 3, 3), until=date(2026, 3, 9))),
        ("weekly", "", Recurrence(Weekly(1, ("Tuesday",)), date(2026, 3, 3))),
        (
            "weekdays",
            "",
            Recurrence(Weekly(1, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")), date(2026, 3, 3)),
        ),
    ],
)
async def test_a_meeting_can_repeat(repeat: str, until: str, rule: Recurrence | None) -> None:
    async with mail_client() as mail:
        item = await mail.compose(repeat=repeat, until=until)
        assert item.meeting.recurrence == rule
        form = form_of(await mail.page(f"m/{ADA}/edit?item={item.id}"))
        assert (form["repeat"], form["until"]) == (repeat, until)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"subject": " "}, "subject", "title"),
        ({"subject": "x" * 300}, "subject", "too long"),
        ({"attendees": "", "room": ""}, "attendees", "at least one"),
        ({"attendees": "zoe"}, "attendees", "called \u201czoe\u201d"),
        ({"attendees": "a@b@c"}, "attendees", "not a mail address"),
        ({"attendees": "bo@mail.test; nobody@mail.test"}, "attendees", "Nobody here has the address nobody@mail.test"),
        ({"attendees": ";".join(f"p{n}@far.test" for n in range(201))}, "attendees", "At most 200"),
        ({"optional": "@"}, "optional", "not a mail address"),
        ({"start_date": ""}, "start", "date and a time"),
        ({"end_time": "25:00"}, "end", "date and a time"),
        ({"end_time": "09:59"}, "end", "later than the start"),
        ({"end_time": "10:00"}, "end", "later than the start"),
        ({"end_date": "2028-01-01"}, "end", "a year at most"),
        ({"start_date": "2026-03-29", "end_date": "2026-03-29", "start_time": "02:30"}, "start", "clocks go forward"),
        ({"zone": "Europe/Atlantis"}, "zone", "time zone"),
        ({"repeat": "weekly", "until": "2026-03-01"}, "until", "before the first"),
        ({"repeat": "weekly", "until": "soon"}, "until", "as a date"),
        ({"repeat": "hourly"}, "until", "from the list"),
        ({"repeat": "daily", "end_date": "2026-03-05"}, "end", "a day at most"),
        ({"body": "x" * 500_001}, "body", "too long"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    fields: dict[str, object], field: str, words: str
) -> None:
    async with mail_client() as mail:
        typed = meeting(**({"room": VMR} | fields))
        answer = await mail.post(f"m/{ADA}/compose", typed)
        assert answer.status_code == 422
        found = problems(answer.text)
        assert list(found) == [field]
        assert words in found[field][0]
        assert mail.items(ADA, "calendar") == []
        shown = form_of(answer.text)
        for name in ("attendees", "start_time", "end_date", "location"):
            assert shown.get(name, "") == typed[name]
        assert shown["room"] == [room for room in [typed["room"]] if room]


async def test_everything_missing_is_said_at_once() -> None:
    async with mail_client() as mail:
        answer = await mail.post(f"m/{ADA}/compose")
        assert set(problems(answer.text)) == {"subject", "attendees", "start", "end", "zone"}


async def test_characters_that_mail_cannot_carry_are_left_out() -> None:
    async with mail_client() as mail:
        item = await mail.compose(subject="A\x00B\r\nBcc: x", body="one\x0btwo")
        assert item.subject == "AB Bcc: x"
        assert "onetwo" in item.body.content


async def test_a_new_meeting_begins_at_the_next_half_hour_of_the_visitor() -> None:
    async with mail_client() as mail:
        form = form_of(await mail.page(f"m/{ADA}/compose"))
        assert (form["start_date"], form["start_time"], form["end_time"]) == ("2026-03-02", "09:30", "10:00")
        assert form["zone"] == "Europe/Berlin"


async def test_an_unchanged_form_sends_nothing() -> None:
    async with mail_client() as mail:
        item = await mail.compose(room=VMR, body="One\n\nTwo <b> https://x.test/", repeat="weekly")
        answer = await mail.post(
            f"m/{ADA}/edit?item={item.id}", form_of(await mail.page(f"m/{ADA}/edit?item={item.id}"))
        )
        assert "done=unchanged" in answer.headers["location"]
        assert len(mail.items(BO, "inbox")) == 1


async def test_a_moved_meeting_asks_everybody_again() -> None:
    async with mail_client() as mail:
        item = await mail.compose(room=VMR)
        mail.exchange.respond(BO, mail.items(BO, "calendar")[0].id, "Accept")
        form = form_of(await mail.page(f"m/{ADA}/edit?item={item.id}"))
        answer = await mail.post(f"m/{ADA}/edit?item={item.id}", form | {"start_time": "10:30", "end_time": "11:30"})
        assert "done=updated" in answer.headers["location"]
        assert item.meeting.start == datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
        assert item.meeting.sequence == 1
        update = mail.items(BO, "inbox")[-1]
        assert isinstance(update, MeetingRequest)
        assert update.request_type == "FullUpdate"
        assert "2 no response" in await mail.page(f"m/{ADA}/calendar?item={item.id}")


async def test_editing_keeps_what_others_wrote_meanwhile() -> None:
    async with mail_client() as mail:
        item = await mail.compose(room=VMR)
        form = form_of(await mail.page(f"m/{ADA}/edit?item={item.id}"))
        mail.exchange.update_item(ADA, item.id, {"body": Body("<p>Join here</p>", "HTML"), "location": "Online"})
        await mail.post(f"m/{ADA}/edit?item={item.id}", form | {"subject": "Better planning"})
        assert item.subject == "Better planning"
        assert item.body.content == "<p>Join here</p>"
        assert item.meeting.location == "Online"


async def test_an_edited_body_keeps_its_words_and_links() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        markup = '<p>Dear all</p><p><a href="https://meet.test/j/1">Join</a><br>Meeting reference: GR-ABCD</p>'
        mail.exchange.update_item(ADA, item.id, {"body": Body(markup, "HTML")})
        form = form_of(await mail.page(f"m/{ADA}/edit?item={item.id}"))
        assert form["body"] == "Dear all\r\n\r\nJoin <https://meet.test/j/1>\r\nMeeting reference: GR-ABCD"
        await mail.post(f"m/{ADA}/edit?item={item.id}", form | {"body": f"{form['body']}\r\nBring cake"})
        assert 'href="https://meet.test/j/1"' in item.body.content
        assert "Meeting reference: GR-ABCD" in item.body.content
        assert "Bring cake" in item.body.content


async def test_adding_somebody_tells_only_them_and_removing_the_room_cancels_it_there() -> None:
    async with mail_client() as mail:
        item = await mail.compose(room=VMR)
        form = form_of(await mail.page(f"m/{ADA}/edit?item={item.id}"))
        assert form["room"] == [VMR]
        await mail.post(f"m/{ADA}/edit?item={item.id}", form | {"attendees": "bo; cleo", "room": []})
        assert len(mail.items(BO, "inbox")) == 1
        assert len(mail.items(CLEO, "inbox")) == 1
        entry = mail.items(VMR, "calendar")[0]
        assert isinstance(entry, CalendarItem)
        assert entry.meeting.is_cancelled


async def test_a_cancelled_meeting_is_told_with_its_message() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        assert "Cancel this meeting?" in await mail.page(f"m/{ADA}/cancel?item={item.id}")
        answer = await mail.post(f"m/{ADA}/cancel?item={item.id}", {"message": "Sorry"})
        assert "done=cancelled" in answer.headers["location"]
        told = mail.items(BO, "inbox")[-1]
        assert "Sorry" in told.body.content
        page = await mail.page(f"m/{BO}/inbox?item={told.id}")
        assert "Ada Ahlgren cancelled this meeting." in page
        await mail.post(f"m/{BO}/remove?item={told.id}")
        assert mail.items(BO, "calendar") == []


@pytest.mark.parametrize(("answer", "kept"), [("accept", 1), ("tentative", 1), ("decline", 0)])
async def test_an_invitation_can_be_answered_with_a_message(answer: str, kept: int) -> None:
    async with mail_client() as mail:
        await mail.compose()
        request = mail.items(BO, "inbox")[0]
        done = await mail.post(f"m/{BO}/answer?item={request.id}", {"answer": answer, "message": "See you?"})
        assert "done=answered" in done.headers["location"]
        assert (await mail.get(done.headers["location"])).status_code == 200
        assert len(mail.items(BO, "calendar")) == kept
        assert "See you?" in mail.items(ADA, "inbox")[0].body.content


async def test_answers_that_cannot_be_are_refused_plainly() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        own = await mail.post(f"m/{ADA}/answer?item={item.id}", {"answer": "accept"})
        assert own.status_code == 409
        request = mail.items(BO, "inbox")[0]
        assert (await mail.post(f"m/{BO}/answer?item={request.id}", {"answer": "maybe"})).status_code == 400
        mail.exchange.cancel_meeting(ADA, item.id)
        late = await mail.post(f"m/{BO}/answer?item={mail.items(BO, 'calendar')[0].id}", {"answer": "accept"})
        assert late.status_code == 409
        assert "cancelled meanwhile" in late.text


async def test_only_the_organizer_edits_and_cancels() -> None:
    async with mail_client() as mail:
        await mail.compose()
        copy = mail.items(BO, "calendar")[0]
        assert (await mail.get(f"m/{BO}/edit?item={copy.id}")).status_code == 409
        assert (await mail.post(f"m/{BO}/cancel?item={copy.id}")).status_code == 409
        assert (await mail.post(f"m/{ADA}/cancel?item={copy.id}")).status_code == 404
        assert (await mail.post(f"m/{BO}/delete?item={copy.id}")).status_code == 409


async def test_mail_can_be_deleted() -> None:
    async with mail_client() as mail:
        await mail.compose()
        answer = await mail.post(f"m/{BO}/delete?item={mail.items(BO, 'inbox')[0].id}")
        assert answer.headers["location"].endswith("inbox?done=deleted")
        assert len(mail.items(BO, "deleteditems")) == 1


INVITATION = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r
UID:from-afar@far.test\r\nDTSTAMP:20260301T080000Z\r\nDTSTART:20260304T080000Z\r\nDTEND:20260304T090000Z\r
SUMMARY:From afar\r\nORGANIZER;CN=Zoe:mailto:zoe@far.test\r\nATTENDEE;RSVP=TRUE:mailto:bo@mail.test\r
END:VEVENT\r\nEND:VCALENDAR\r\n"""


async def test_an_invitation_file_is_delivered() -> None:
    async with mail_client() as mail:
        answer = await mail.post("import", {"to": BO}, files={"file": ("a.ics", INVITATION, "text/calendar")})
        assert answer.status_code == 200
        assert "Delivered to Bo Lind." in answer.text
        assert "From afar" in await mail.page(f"m/{BO}/inbox")


@pytest.mark.parametrize(
    ("to", "data", "words"),
    [
        (BO, b"", "Choose an invitation file"),
        ("secret@mail.test", INVITATION, "Choose a mailbox"),
        (BO, b"hello", "no invitation that can be delivered"),
        (BO, INVITATION.replace(b"DTSTART:20260304T080000Z", b"DTSTART:tomorrow"), "of the file)"),
    ],
)
async def test_a_bad_file_is_refused_with_the_reason(to: str, data: bytes, words: str) -> None:
    async with mail_client() as mail:
        answer = await mail.post("import", {"to": to}, files={"file": ("a.ics", data, "text/calendar")})
        assert answer.status_code == 422
        assert words in answer.text
