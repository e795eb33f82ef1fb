"""Changing the organizer's own meeting over Graph: what must stay, what somebody else wrote, and where nothing may be written."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest

from exchange.conforming.asking import WEEKLY, everything
from exchange.graph.answering import MAILBOX, Answer, Graph, ok, refused
from exchange.graph.whole_events import DATED, GOID, KEY, extended, whole
from exchange.simulated import HOUR, START, House, graph_house
from greenroom.exchange.contract import Invitation, UpdateResult
from greenroom.exchange.errors import OutcomeUnknownError, SignInError, TryLaterError
from greenroom.exchange.graph import online
from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.meetings.instructions import instructions_block, replace_block, with_instructions, with_location
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.ticket import KeyRing
from greenroom.simulator.model import Attendee, Body, Person
from support import planted
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER

OLGA = "olga@example.test"
BLOCK = "<p>Join: 123456</p>"
RING = KeyRing("GRM", 7, {3: bytes(range(32))})
OLD_TICKET, TICKET = (RING.issue(n, datetime(2026, 8, 1, tzinfo=UTC)) for n in (111, 222))
WEEK = timedelta(days=7)
RULE = "_" * 80
TEAMS = (
    f'<div style="width:100%"><span style="white-space:nowrap; color:#5F5F5F; opacity:.36">{RULE}</span> </div>\r\n'
    '<div class="me-email-text" lang="en-US" style="color:#252424; font-family:\'Segoe UI\',\'Helvetica Neue\'"><div>'
    '<span style="font-size:24px">Microsoft Teams meeting</span></div>\r\n<div style="font-size:14px"><b>Join on your '
    'computer or mobile app</b> </div><a href="https://teams.microsoft.com/l/meetup-join/19%3ameeting_Nzk%40thread.v2/0?'
    'context=%7b%22Tid%22%3a%2272f988bf%22%2c%22Oid%22%3a%22d3f7%22%7d" class="me-email-headline" target="_blank" '
    'rel="noreferrer noopener">Click here to join the meeting</a> </div>\r\n<div style="font-size:14px">Meeting ID: '
    '<span style="font-size:16px">234 567 890 12</span></div>\r\n<a href="https://aka.ms/JoinTeamsMeeting?omkt=en-US" '
    'class="me-email-link">Learn More</a> | <a href="https://teams.microsoft.com/meetingOptions/?organizerId=d3f7" '
    'class="me-email-link">Meeting options</a>\r\n'
    f'<div style="width:100%"><span style="white-space:nowrap; color:#5F5F5F; opacity:.36">{RULE}</span> </div>'
)


def once(invitation: Invitation) -> Invitation | None:
    if BLOCK in invitation.body_html:
        return None
    return replace(invitation, body_html=invitation.body_html + BLOCK)


def own(body: str = "old", ident: str = "i", version: str = "v", **more: Any) -> dict[str, Any]:
    said = {
        "isOrganizer": True,
        "body": {"contentType": "html", "content": body},
        "locations": [{"displayName": "Room 4"}],
        "singleValueExtendedProperties": extended(clean=GOID),
        "@odata.etag": f'W/"{version}"',
    }
    return whole(ident, **{**said, **more})


class Calendar:
    """The organizer's calendar: shows these versions of the meeting one after the other, and answers changes in turn."""

    def __init__(self, *shown: dict[str, Any] | list[dict[str, Any]], updates: list[Answer] | None = None) -> None:
        self.shown = list(shown)
        self.updates = updates if updates is not None else [ok()]
        self.exceptions: list[dict[str, Any]] = []
        self.instances: list[dict[str, Any]] | Answer = []
        self.patched: list[tuple[str, dict[str, Any], str]] = []
        self.asked: list[str] = []
        self.graph = Graph(self._script)

    async def update(self, key: MeetingKey = KEY, **more: Any) -> UpdateResult:
        settings = GraphSettings(MAILBOX, "tenant", self.graph.tokens, timeout=timedelta(seconds=5), **more)
        way = httpx2.MockTransport(self.graph._answer)
        mailbox = GraphMailbox(settings, limits=self.graph.limits, clock=self.graph.clock, http=way)
        return await mailbox.update_invitation(OLGA, key, once)

    def _script(self, request: httpx2.Request) -> Answer:
        parts = urlsplit(str(request.url))
        ident = unquote(parts.path.rpartition("/")[2])
        if request.method == "PATCH":
            self.asked.append(f"PATCH {ident}")
            self.patched.append((ident, json.loads(request.content), request.headers["if-match"]))
            return self.updates.pop(0) if len(self.updates) > 1 else self.updates[0]
        options = parse_qs(parts.query)
        if ident == "events":
            self.asked.append("list")
            assert 'outlook.body-content-type="html"' in request.headers["prefer"]
            assert "outlook.allow-unsafe-html" in request.headers["prefer"]
            shown = self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]
            return ok({"value": shown if isinstance(shown, list) else [shown]})
        assert "outlook.allow-unsafe-html" in request.headers["prefer"]
        if ident == "instances":
            self.asked.append("instances")
            self.window = (options["startDateTime"][0], options["endDateTime"][0])
            return ok({"value": self.instances}) if isinstance(self.instances, list) else self.instances
        self.asked.append(f"get {ident}")
        assert "exceptionOccurrences" in options["$expand"][0]
        return ok({"id": ident, "type": "seriesMaster", "exceptionOccurrences": self.exceptions})


class TestWriting:
    async def test_two_calls_do_it(self) -> None:
        calendar = Calendar(own())
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.asked == ["list", "PATCH i"]
        assert calendar.patched == [("i", {"body": {"contentType": "html", "content": "old" + BLOCK}}, 'W/"v"')]

    async def test_what_is_there_costs_one_call_and_no_update(self) -> None:
        calendar = Calendar(own("old" + BLOCK))
        assert await calendar.update() is UpdateResult.PRESENT
        assert calendar.asked == ["list"]

    @pytest.mark.parametrize("status", [412, 409])
    async def test_a_conflict_is_met_with_a_new_look(self, status: int) -> None:
        calendar = Calendar(
            own("old"), own("changed", version="w"), updates=[refused(status, "ErrorIrresolvableConflict"), ok()]
        )
        assert await calendar.update() is UpdateResult.WRITTEN
        assert [(body["body"]["content"], etag) for _, body, etag in calendar.patched] == [
            ("old" + BLOCK, 'W/"v"'),
            ("changed" + BLOCK, 'W/"w"'),
        ]

    async def test_after_three_conflicts_it_is_left_for_later(self) -> None:
        calendar = Calendar(own(), updates=[refused(412, "ErrorIrresolvableConflict")])
        with pytest.raises(TryLaterError):
            await calendar.update()
        assert len(calendar.patched) == 3

    async def test_a_lost_answer_that_was_written_is_not_written_twice(self) -> None:
        calendar = Calendar(own(), own("old" + BLOCK), updates=[httpx2.ReadTimeout("x")])
        assert await calendar.update() is UpdateResult.WRITTEN
        assert len(calendar.patched) == 1

    async def test_a_lost_answer_that_was_not_written_is_written_again(self) -> None:
        calendar = Calendar(own(), updates=[httpx2.ReadError("x"), ok()])
        assert await calendar.update() is UpdateResult.WRITTEN
        assert len(calendar.patched) == 2

    async def test_if_looking_fails_the_outcome_stays_unknown(self) -> None:
        calendar = Calendar(own(), updates=[httpx2.ReadTimeout("x")])
        answer = calendar._script

        def script(request: httpx2.Request) -> Answer:
            return httpx2.ConnectError("x") if calendar.patched else answer(request)

        calendar.graph.script = script
        with pytest.raises(OutcomeUnknownError):
            await calendar.update()

    async def test_a_meeting_gone_meanwhile_is_not_found(self) -> None:
        calendar = Calendar(own(), [], updates=[refused(404, "ErrorItemNotFound")])
        assert await calendar.update() is UpdateResult.NOT_FOUND

    async def test_of_several_items_the_series_is_changed(self) -> None:
        calendar = Calendar([own(ident="a"), own(ident="s", type="seriesMaster")])
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.asked == ["list", "PATCH s", "get s"]

    async def test_without_an_etag_the_change_key_serves(self) -> None:
        calendar = Calendar(own() | {"@odata.etag": None})
        await calendar.update()
        assert calendar.patched[0][2] == 'W/"v1"'

    async def test_plain_text_becomes_html_with_all_its_words(self) -> None:
        shown: dict[str, Any] = {"body": {"contentType": "text", "content": "One <two>\n  three"}}
        calendar = Calendar(own() | shown)
        assert await calendar.update() is UpdateResult.WRITTEN
        assert calendar.patched[0][1]["body"] == {
            "contentType": "html",
            "content": "One &lt;two&gt;<br>\n&nbsp; three" + BLOCK,
        }


class TestNotWriting:
    @pytest.mark.parametrize(
        "more",
        [
            {"isOrganizer": False, "organizer": {"emailAddress": {"address": "boss@example.test"}}},
            {"isCancelled": True},
            {"singleValueExtendedProperties": [], "iCalUId": "another@example.test"},
        ],
        ids=str,
    )
    async def test_foreign_cancelled_and_other_meetings_are_not_touched(self, more: dict[str, Any]) -> None:
        calendar = Calendar(own(**more))
        assert await calendar.update() is UpdateResult.NOT_FOUND
        assert calendar.patched == []

    async def test_an_organizer_we_have_no_right_for_is_refused(self) -> None:
        calendar = Calendar([])
        calendar.graph.script = lambda _: refused(403, "ErrorAccessDenied")
        for _ in range(2):
            assert await calendar.update() is UpdateResult.REFUSED

    @pytest.mark.parametrize("code", ["MailboxNotEnabledForRESTAPI", "ErrorInvalidUser", "Request_ResourceNotFound"])
    async def test_an_organizer_on_another_side_is_elsewhere(self, code: str) -> None:
        calendar = Calendar([])
        calendar.graph.script = lambda _: refused(404, code)
        assert await calendar.update() is UpdateResult.ELSEWHERE
        assert len(calendar.graph.asked) == 1

    async def test_without_permission_to_update_nobody_is_asked(self) -> None:
        calendar = Calendar(own())
        assert await calendar.update(update_organizers=False) is UpdateResult.REFUSED
        assert calendar.graph.asked == []

    @pytest.mark.parametrize("nobody", ["", "olga", "/o=org/cn=olga@x"])
    async def test_nobody_is_asked_without_an_address(self, nobody: str) -> None:
        calendar = Calendar(own())
        settings = GraphSettings(MAILBOX, "tenant", calendar.graph.tokens)
        way = httpx2.MockTransport(calendar.graph._answer)
        mailbox = GraphMailbox(settings, limits=calendar.graph.limits, clock=calendar.graph.clock, http=way)
        assert await mailbox.update_invitation(nobody, KEY, once) is UpdateResult.REFUSED
        assert calendar.graph.asked == []

    async def test_a_refused_sign_in_is_not_hidden(self) -> None:
        calendar = Calendar([])
        calendar.graph.script = lambda _: refused(401, "InvalidAuthenticationToken")
        with pytest.raises(SignInError):
            await calendar.update()

    async def test_an_update_exchange_cannot_make_is_refused(self) -> None:
        calendar = Calendar(own(), updates=[refused(400, "ErrorInvalidProperty")])
        assert await calendar.update() is UpdateResult.REFUSED
        assert len(calendar.patched) == 1

    async def test_a_body_too_long_to_be_written_back_whole_is_left_alone(self) -> None:
        calendar = Calendar(own("x" * (2 * 1024 * 1024 + 1)))
        assert await calendar.update() is UpdateResult.REFUSED
        assert calendar.patched == []

    async def test_a_teams_meeting_is_never_lost(self) -> None:
        class Careless(Calendar):
            async def update(self, key: MeetingKey = KEY, **more: Any) -> UpdateResult:
                settings = GraphSettings(MAILBOX, "tenant", self.graph.tokens)
                way = httpx2.MockTransport(self.graph._answer)
                mailbox = GraphMailbox(settings, limits=self.graph.limits, clock=self.graph.clock, http=way)
                return await mailbox.update_invitation(
                    OLGA, KEY, lambda i: replace(i, body_html=i.body_html.replace("Meeting ID", "Meeting Id"))
                )

        calendar = Careless(own(f"<html><body>Agenda{TEAMS}</body></html>"))
        assert await calendar.update() is UpdateResult.REFUSED
        assert calendar.patched == []


class TestSeries:
    def exception(self, ident: str, body: str = "moved", **more: Any) -> dict[str, Any]:
        ends = {"dateTime": "2031-05-13T10:00:00.0000000", "timeZone": "UTC"}
        return own(body, ident, f"v{ident}", type="exception", end=ends, **more)

    async def test_exceptions_that_lack_the_block_get_it(self) -> None:
        calendar = Calendar(own(ident="s", type="seriesMaster"))
        over = {"dateTime": "2030-05-13T10:00:00.0000000", "timeZone": "UTC"}
        calendar.exceptions = [
            self.exception("a"),
            self.exception("b", "moved" + BLOCK),
            self.exception("c", isCancelled=True),
            self.exception("d") | {"end": over},
            {"broken": True},
        ]
        assert await calendar.update() is UpdateResult.WRITTEN
        assert [(ident, etag) for ident, _, etag in calendar.patched] == [("s", 'W/"v"'), ("a", 'W/"va"')]

    async def test_a_series_whose_exception_alone_lacks_it_is_written(self) -> None:
        calendar = Calendar(own("old" + BLOCK, "s", type="seriesMaster"))
        assert await calendar.update() is UpdateResult.PRESENT
        calendar.exceptions = [self.exception("a")]
        assert await calendar.update() is UpdateResult.WRITTEN
        assert [ident for ident, _, _ in calendar.patched] == ["a"]

    async def test_an_exception_that_cannot_be_changed_does_not_undo_the_series(self) -> None:
        calendar = Calendar(
            own(ident="s", type="seriesMaster"), updates=[ok(), refused(400, "ErrorInvalidProperty"), ok()]
        )
        calendar.exceptions = [self.exception("a"), self.exception("b")]
        assert await calendar.update() is UpdateResult.WRITTEN
        assert [ident for ident, _, _ in calendar.patched] == ["s", "a", "b"]

    async def test_an_exception_that_must_wait_makes_the_update_wait(self) -> None:
        calendar = Calendar(own(ident="s", type="seriesMaster"), updates=[ok(), refused(503, "ErrorServerBusy")])
        calendar.exceptions = [self.exception("a")]
        with pytest.raises(TryLaterError):
            await calendar.update()


class TestOneOccurrence:
    """The key of one occurrence changes that one alone; the organizer's search finds only the series."""

    ON = KEY.on(date(2031, 5, 13))

    def series(self, **more: Any) -> Calendar:
        return Calendar(own(ident="s", type="seriesMaster", **more))

    def occurrence(self, ident: str, body: str = "text", **more: Any) -> dict[str, Any]:
        dated = DATED[:19] + bytes([13]) + DATED[20:]
        said = {"type": "exception", "originalStart": "2031-05-13T09:00:00Z", "iCalUId": dated.hex()}
        return own(body, ident, f"v{ident}", **{**said, **more})

    async def test_three_calls_do_it_and_the_series_stays_as_it_is(self) -> None:
        calendar = self.series()
        other = self.occurrence("a", iCalUId=DATED.hex())
        calendar.instances = [other, self.occurrence("b")]
        assert await calendar.update(self.ON) is UpdateResult.WRITTEN
        assert calendar.asked == ["list", "instances", "PATCH b"]
        assert calendar.patched == [("b", {"body": {"contentType": "html", "content": "text" + BLOCK}}, 'W/"vb"')]
        first, last = calendar.window
        assert (first[:13], last[:13]) == ("2031-05-12T00", "2031-05-15T00")

    async def test_what_is_there_costs_no_update(self) -> None:
        calendar = self.series()
        calendar.instances = [self.occurrence("b", BLOCK)]
        assert await calendar.update(self.ON) is UpdateResult.PRESENT

    async def test_one_moved_far_away_is_found_among_the_exceptions(self) -> None:
        calendar = self.series()
        calendar.exceptions = [self.occurrence("a", iCalUId=DATED.hex()), {"broken": True}, self.occurrence("b")]
        assert await calendar.update(self.ON) is UpdateResult.WRITTEN
        assert calendar.asked == ["list", "instances", "get s", "PATCH b"]

    @pytest.mark.parametrize(
        "more",
        [
            {"iCalUId": "", "originalStart": "2031-05-13T05:00:00Z", "originalStartTimeZone": "Pacific Standard Time"},
            {"iCalUId": "", "originalStart": "2031-05-13T00:00:00Z", "isAllDay": True},
            {
                "iCalUId": None,
                "originalStart": "2031-05-12T22:30:00Z",
                "originalStartTimeZone": "W. Europe Standard Time",
            },
        ],
        ids=["the day before", "whole day", "this day"],
    )
    async def test_without_a_date_in_its_id_its_original_start_tells_the_day(self, more: dict[str, Any]) -> None:
        calendar = self.series()
        calendar.instances = [self.occurrence("b", **{"originalStartTimeZone": "Pacific Standard Time", **more})]
        expected = UpdateResult.NOT_FOUND if "05:00" in more["originalStart"] else UpdateResult.WRITTEN
        assert await calendar.update(self.ON) is expected

    async def test_one_that_is_not_there_or_cancelled_is_not_found(self) -> None:
        for calendar in (self.series(), Calendar(own()), Calendar([])):
            assert await calendar.update(self.ON) is UpdateResult.NOT_FOUND
            assert calendar.patched == []
        calendar = self.series()
        calendar.instances = [self.occurrence("b", isCancelled=True)]
        assert await calendar.update(self.ON) is UpdateResult.NOT_FOUND

    async def test_where_instances_are_refused_the_exceptions_are_looked_through(self) -> None:
        calendar = self.series()
        calendar.instances = refused(400, "ErrorInvalidRequest")
        calendar.exceptions = [self.occurrence("b")]
        assert await calendar.update(self.ON) is UpdateResult.WRITTEN
        calendar.exceptions = []
        assert await calendar.update(self.ON) is UpdateResult.REFUSED
        calendar.instances = refused(404, "ErrorItemNotFound")
        assert await calendar.update(self.ON) is UpdateResult.NOT_FOUND


class TestOnlineMeetings:
    def test_our_block_leaves_the_teams_block_byte_for_byte(self) -> None:
        body = f"<html><body>\r\n<p>Agenda</p>{TEAMS}\r\n</body></html>"
        new = with_instructions(body, "<p>Join</p>", TICKET)
        assert new is not None
        assert online.keeps_online_meeting(body, new)
        assert online.online_block(body) in new
        assert TEAMS[TEAMS.index(RULE) : TEAMS.rindex(RULE) + 80] == online.online_block(body)

    def test_an_exchanged_block_leaves_the_teams_block_before_and_behind_it(self) -> None:
        ours = instructions_block(f"<p>Old</p><p>Meeting reference: {OLD_TICKET}</p>", OLD_TICKET)
        for body in (f"<html><body>{ours}{TEAMS}</body></html>", f"<html><body>{TEAMS}{ours}</body></html>"):
            new = replace_block(body, OLD_TICKET, f"<p>New</p><p>Meeting reference: {TICKET}</p>", TICKET)
            assert new is not None
            assert OLD_TICKET not in new
            assert online.keeps_online_meeting(body, new)

    @pytest.mark.parametrize("cut", [TEAMS, "me-email-headline", "234 567 890 12", "Meeting options", "opacity:.36"])
    def test_whatever_is_taken_from_it_is_noticed(self, cut: str) -> None:
        body = f"<html><body><p>Agenda</p>{TEAMS}</body></html>"
        inside = cut in online.online_block(body) or cut == TEAMS
        assert online.keeps_online_meeting(body, body.replace(cut, "")) is (not inside)

    def test_a_body_without_an_online_meeting_may_change_anywhere(self) -> None:
        assert online.keeps_online_meeting(f"<p>{RULE}</p>text", "")
        assert online.online_block("") == ""

    def test_without_lines_the_block_is_what_lies_between_its_marks(self) -> None:
        link = '<a href="https://teams.microsoft.com/l/meetup-join/1">Join</a>'
        assert online.online_block(f"<p>x</p>{link}<p>y</p>") == link.removesuffix("Join</a>")
        assert not online.keeps_online_meeting(f"<p>x</p>{link}", "<p>x</p>")


class TestAgainstTheSimulator:
    @pytest.fixture
    async def house(self) -> AsyncIterator[House]:
        async with graph_house() as house:
            yield house

    async def test_the_whole_edit_of_the_service_keeps_everything_and_is_seen_by_all(self, house: House) -> None:
        body = f"<html><body><p>Agenda &amp; more</p>{TEAMS}</body></html>"
        key = house.invite(body=body, location="Room 4; Room 5")

        def edit(invitation: Invitation) -> Invitation | None:
            text = with_instructions(invitation.body_html, f"<p>Join</p><p>Meeting reference: {TICKET}</p>", TICKET)
            if text is None:
                return None
            return Invitation(text, with_location(invitation.location, "VMR 123"))

        assert await house.mailbox.update_invitation(ORGANIZER, key, edit) is UpdateResult.WRITTEN
        for mailbox in (ORGANIZER, ATTENDEE, EQUIPMENT):
            item = house.own(key, mailbox)
            assert item.body.content.count(online.online_block(body)) == 1
            assert TICKET in item.body.content
            assert item.meeting.location == "Room 4; Room 5; VMR 123"
        assert await house.mailbox.update_invitation(ORGANIZER, key, edit) is UpdateResult.PRESENT

    async def test_words_that_graph_holds_to_be_unsafe_are_kept(self, house: House) -> None:
        style = "<style>p{color:red}</style>"
        key = house.invite(body=f"<html><head>{style}</head><body><p onclick='x()'>Agenda</p></body></html>")
        assert await house.mailbox.update_invitation(ORGANIZER, key, once) is UpdateResult.WRITTEN
        assert style in house.text(key).body_html
        assert "onclick" in house.text(key).body_html

    async def test_an_exception_of_the_series_gets_the_block_too(self, house: House) -> None:
        key = house.invite("Weekly", recurrence=WEEKLY, start=START - WEEK)
        house.simulator.exchange.update_occurrence(
            ORGANIZER, house.own(key).id, START, {"body": Body("<p>Special</p>", "HTML")}, send="SendToAllAndSaveCopy"
        )
        assert await house.mailbox.update_invitation(ORGANIZER, key, once) is UpdateResult.WRITTEN
        item = house.own(key)
        assert BLOCK in item.body.content
        (exception,) = item.meeting.modified
        assert exception.body is not None
        assert "Special" in exception.body.content
        assert BLOCK in exception.body.content

    async def test_where_only_one_occurrence_invites_us_only_that_one_is_changed(self, house: House) -> None:
        people = (Attendee(Person(ATTENDEE, "Anton Attendee")),)
        key = house.invite("Weekly", recurrence=WEEKLY, start=START - WEEK, attendees=people)
        house.simulator.exchange.update_occurrence(
            ORGANIZER,
            house.own(key).id,
            START + WEEK,
            {"attendees": (*people, Attendee(Person(EQUIPMENT, "Meeting room"), "resource"))},
            send="SendToAllAndSaveCopy",
        )
        (glance,), _, _ = await everything(house)
        assert glance.key == key.on((START + WEEK).date())
        assert await house.mailbox.update_invitation(ORGANIZER, glance.key, once) is UpdateResult.WRITTEN
        item = house.own(key)
        assert BLOCK not in item.body.content
        assert [BLOCK in (one.body.content if one.body else "") for one in item.meeting.modified] == [True]

    async def test_two_services_at_once_do_not_write_twice(self, house: House) -> None:
        key = house.invite()
        results = await asyncio.gather(
            *(house.mailbox.update_invitation(ORGANIZER, key, once) for _ in range(2)), return_exceptions=True
        )
        assert UpdateResult.WRITTEN in results
        assert house.text(key).body_html.count(BLOCK) == 1

    async def test_a_meeting_that_is_over_is_still_found(self, house: House) -> None:
        key = house.invite(start=datetime(2020, 5, 6, 9, tzinfo=UTC), end=datetime(2020, 5, 6, 9, tzinfo=UTC) + HOUR)
        assert await house.mailbox.update_invitation(ORGANIZER, key, once) is UpdateResult.WRITTEN

    async def test_nothing_of_the_text_is_logged(self, house: House) -> None:
        key = house.invite(planted.SUBJECT, body=f"<p>{planted.TEXT}</p>", location=planted.LOCATION)
        assert await house.mailbox.update_invitation(ORGANIZER, key, once) is UpdateResult.WRITTEN
