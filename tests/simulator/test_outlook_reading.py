"""What the web mail client shows."""

from datetime import UTC, datetime, timedelta

from greenroom.simulator.model import Attendee, Body, MeetingResponse, Person
from greenroom.simulator.recurrence import Daily, Recurrence
from support.outlook_client import ADA, BO, NOW, VMR, mail_client

HOUR = timedelta(hours=1)


async def test_the_start_page_offers_people_rooms_and_the_links_of_the_demo() -> None:
    async with mail_client() as mail:
        page = await mail.page("")
        assert "Ada Ahlgren" in page
        assert f'href="/mail/m/{VMR.replace("@", "%40")}/calendar"' in page
        assert "Sec Ret" not in page
        assert '<a href="/timeline?of=&lt;all&gt;">Timeline</a>' in page
        assert "Simulated Outlook" in page


async def test_mailboxes_that_are_not_shown_cannot_be_opened() -> None:
    async with mail_client() as mail:
        for address in ("secret@mail.test", "nobody@mail.test"):
            answer = await mail.get(f"m/{address}/inbox")
            assert answer.status_code == 404
            assert "no such mailbox" in answer.text


async def test_unknown_folders_and_items_are_told_plainly() -> None:
    async with mail_client() as mail:
        assert (await mail.get(f"m/{ADA}/outbox")).status_code == 404
        answer = await mail.get(f"m/{ADA}/inbox?item=gone")
        assert answer.status_code == 404
        assert "moved or deleted" in answer.text
        assert (await mail.get(f"m/{ADA}/body?item=gone")).status_code == 404


async def test_an_invitation_reaches_the_inbox_unread_and_is_read_when_opened() -> None:
    async with mail_client() as mail:
        await mail.compose()
        page = await mail.page(f"m/{BO}/inbox")
        assert "Ada Ahlgren" in page
        assert 'data-unread="1"' in page
        item = mail.items(BO, "inbox")[0]
        page = await mail.page(f"m/{BO}/inbox?item={item.id}")
        assert "Tue 3 March, 10:00 \u2013 11:00" in page
        assert "Attic" in page
        assert 'value="accept"' in page
        assert item.is_read
        assert 'data-unread="1"' not in await mail.page(f"m/{BO}/inbox")


async def test_looking_at_a_room_mailbox_changes_nothing_and_offers_nothing() -> None:
    async with mail_client() as mail:
        await mail.compose(room=VMR)
        item = mail.items(VMR, "inbox")[0]
        page = await mail.page(f"m/{VMR}/inbox?item={item.id}")
        assert not item.is_read
        assert 'value="accept"' not in page
        assert "New meeting" not in page
        for action in ("compose", f"answer?item={item.id}", f"delete?item={item.id}"):
            assert (await mail.post(f"m/{VMR}/{action}", {"answer": "accept"})).status_code == 403


async def test_times_are_shown_in_the_chosen_zone() -> None:
    async with mail_client(zone="America/New_York") as mail:
        item = await mail.compose()
        assert "04:00 \u2013 05:00" in await mail.page(f"m/{ADA}/calendar?item={item.id}")
        answer = await mail.post("zone", {"zone": "Asia/Tokyo", "back": f"/mail/m/{ADA}/calendar?item={item.id}"})
        assert answer.headers["location"].startswith("/mail/m/")
        mail.http.cookies.clear()
        mail.http.cookies.set("mail_zone", "Asia/Tokyo")
        assert "18:00 \u2013 19:00" in await mail.page(answer.headers["location"])


async def test_the_zone_form_leads_nowhere_else() -> None:
    async with mail_client() as mail:
        for back in ("https://evil.test/", "//evil.test/", "/mail\\evil", "/other"):
            assert (await mail.post("zone", {"zone": "Asia/Tokyo", "back": back})).headers["location"] == "/mail/"
        assert (await mail.post("zone", {"zone": "../../etc/passwd"})).status_code == 400


async def test_the_organizer_sees_who_answered_what_and_reads_the_reply() -> None:
    async with mail_client() as mail:
        item = await mail.compose(attendees="bo; cleo", room=VMR)
        room_copy = mail.items(VMR, "calendar")[0]
        reply = Body('<p>Your room: <a href="https://meet.test/j/1">join</a></p>', "HTML")
        mail.exchange.respond(VMR, room_copy.id, "Accept", body=reply)
        mail.exchange.respond(BO, mail.items(BO, "calendar")[0].id, "Decline")
        page = await mail.page(f"m/{ADA}/calendar?item={item.id}")
        assert "1 accepted, 1 declined, 1 no response" in page
        answer = next(one for one in mail.items(ADA, "inbox") if one.sender == Person(VMR, "Virtual room"))
        assert isinstance(answer, MeetingResponse)
        page = await mail.page(f"m/{ADA}/inbox?item={answer.id}")
        assert "Virtual room has accepted this meeting." in page
        body = (await mail.get(f"m/{ADA}/body?item={answer.id}")).text
        assert '<a href="https://meet.test/j/1" target="_blank" rel="noopener noreferrer">join</a>' in body


async def test_attendees_do_not_see_each_others_answers() -> None:
    async with mail_client() as mail:
        await mail.compose(attendees="bo; cleo")
        mail.exchange.respond(BO, mail.items(BO, "calendar")[0].id, "Decline")
        page = await mail.page(f"m/cleo@mail.test/calendar?item={mail.items('cleo@mail.test', 'calendar')[0].id}")
        assert "Bo Lind" in page
        assert "Declined" not in page


async def test_the_live_parts_come_only_when_something_changed() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        url = f"m/{ADA}/live/calendar?item={item.id}"
        first = (await mail.get(url)).json()
        assert set(first["regions"]) == {"folders", "list", "head", "body"}
        assert (await mail.get(f"{url}&v={first['version']}")).status_code == 204
        mail.exchange.respond(BO, mail.items(BO, "calendar")[0].id, "Accept")
        news = (await mail.get(f"{url}&v={first['version']}")).json()
        assert "1 accepted" in news["regions"]["head"]
        assert news["title"].startswith("(1) Calendar")


async def test_the_live_parts_are_those_of_the_page() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        page = await mail.page(f"m/{ADA}/calendar?item={item.id}")
        regions = (await mail.get(f"m/{ADA}/live/calendar?item={item.id}")).json()["regions"]
        for name, markup in regions.items():
            assert markup.strip() in page, name


async def test_asking_for_live_parts_reads_nothing() -> None:
    async with mail_client() as mail:
        await mail.compose()
        item = mail.items(BO, "inbox")[0]
        await mail.get(f"m/{BO}/live/inbox?item={item.id}")
        assert not item.is_read


async def test_a_body_that_changes_gets_a_new_frame_address() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        before = (await mail.get(f"m/{ADA}/live/calendar?item={item.id}")).json()["regions"]["body"]
        mail.exchange.update_item(ADA, item.id, {"body": Body("<p>with instructions</p>", "HTML")})
        after = (await mail.get(f"m/{ADA}/live/calendar?item={item.id}")).json()["regions"]["body"]
        assert before != after


async def test_the_calendar_shows_occurrences_moved_and_deleted_ones_too() -> None:
    async with mail_client() as mail:
        start = datetime(2026, 3, 2, 9, tzinfo=UTC)
        mail.exchange.create_meeting(
            ADA,
            {
                "subject": "Stand-up",
                "start": start,
                "end": start + HOUR,
                "start_zone": "W. Europe Standard Time",
                "recurrence": Recurrence(Daily(1), start.date(), count=3),
                "attendees": (Attendee(Person(BO)),),
            },
            "SendToAllAndSaveCopy",
        )
        page = await mail.page(f"m/{BO}/calendar")
        assert page.count("<strong>Stand-up</strong>") == 3
        second = (start + timedelta(days=1)).isoformat().replace("+", "%2B")
        page = await mail.page(f"m/{BO}/calendar?item={mail.items(BO, 'calendar')[0].id}&on={second}")
        assert "Tue 3 March, 10:00 \u2013 11:00" in page
        assert "Every day, 3 times" in page
        assert "Nothing in these two weeks" in await mail.page(f"m/{BO}/calendar?from=2026-04-01")


async def test_clocks_that_change_do_not_move_an_occurrence() -> None:
    async with mail_client() as mail:
        await mail.compose(start_date="2026-03-26", end_date="2026-03-26", repeat="weekly")
        page = await mail.page(f"m/{ADA}/calendar?from=2026-04-01")
        assert '<time datetime="2026-04-02T08:00:00+00:00">10:00</time>' in page


async def test_long_folders_have_pages() -> None:
    async with mail_client() as mail:
        for number in range(53):
            draft = {"subject": f"M{number:02d}", "start": NOW, "end": NOW + HOUR, "attendees": (Attendee(Person(BO)),)}
            mail.exchange.create_meeting(ADA, draft, "SendOnlyToAll")  # type: ignore[arg-type]  # a draft all the same
        first = await mail.page(f"m/{BO}/inbox")
        assert first.count('<li><a class="row') == 50
        assert f"/mail/m/{BO}/inbox?page=1" in first
        assert (await mail.page(f"m/{BO}/inbox?page=1")).count('<li><a class="row') == 3


async def test_a_meeting_can_be_saved_as_a_file() -> None:
    async with mail_client() as mail:
        item = await mail.compose()
        answer = await mail.get(f"m/{ADA}/meeting.ics?item={item.id}")
        assert answer.headers["content-type"].startswith("text/calendar")
        assert 'filename="Planning.ics"' in answer.headers["content-disposition"]
        assert answer.content.startswith(b"BEGIN:VCALENDAR")
