"""What an event says, seen by its organizer and by those who were invited."""

import base64
from datetime import timedelta

import pytest

from greenroom.simulator.goid import occurrence_date
from greenroom.simulator.model import Body, MeetingDraft
from support.box import ANN, AUTO, BOB, MINUTE, START, Box, ics
from support.graph_bodies import BERLIN, at, event, people, weekly
from support.graph_calls import Graph


def test_an_invitation_is_seen_by_both_sides_as_graph_shows_it() -> None:
    box = Box()
    mine = Graph(box.exchange, ANN).post("events", event(AUTO))
    theirs = Graph(box.exchange, AUTO).only()
    assert mine["iCalUId"] == theirs["iCalUId"]
    assert mine["id"] != theirs["id"]
    assert (mine["isOrganizer"], theirs["isOrganizer"]) == (True, False)
    assert mine["responseStatus"] == {"response": "organizer", "time": "0001-01-01T00:00:00Z"}
    assert theirs["responseStatus"]["response"] == "notResponded"
    assert (mine["showAs"], theirs["showAs"]) == ("busy", "tentative")
    assert theirs["organizer"] == {"emailAddress": {"name": "Ann Archer", "address": ANN}}
    assert theirs["attendees"][0]["emailAddress"] == {"name": "Room Auto", "address": AUTO}
    assert theirs["start"] == {"dateTime": "2026-12-02T09:00:00.0000000", "timeZone": "UTC"}
    assert theirs["createdDateTime"] == "2026-12-01T08:00:00.0000000Z"
    assert theirs["@odata.etag"] == f'W/"{theirs["changeKey"]}"'
    assert (theirs["type"], theirs["isDraft"], theirs["isCancelled"]) == ("singleInstance", False, False)


def test_the_organizer_alone_sees_who_answered() -> None:
    box = Box()
    box.invite(AUTO, BOB)
    box.later()
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    seen = {one["emailAddress"]["address"]: one["status"] for one in Graph(box.exchange, ANN).only()["attendees"]}
    assert seen[AUTO] == {"response": "accepted", "time": "2026-12-01T08:01:00.0000000Z"}
    assert seen[BOB]["response"] == "none"
    assert {one["status"]["response"] for one in Graph(box.exchange, BOB).only()["attendees"]} == {"none"}


def test_an_organizer_with_a_legacy_name_has_a_mail_address_in_graph() -> None:
    box = Box()
    box.exchange.mailbox(ANN).shows_x500 = True
    box.invite(AUTO)
    assert Graph(box.exchange, AUTO).only()["organizer"]["emailAddress"]["address"] == ANN


def test_a_foreign_uid_is_shown_as_it_came_and_the_clean_id_wraps_it() -> None:
    box = Box()
    box.exchange.deliver_ics(AUTO, ics("DTSTART:20261202T090000Z", "DTEND:20261202T100000Z"))
    wanted = "singleValueExtendedProperties($filter=id eq 'Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x23')"
    shown = Graph(box.exchange, AUTO).only(f"events?$expand={wanted}")
    assert shown["iCalUId"] == "u-1@maker.test"
    (found,) = shown["singleValueExtendedProperties"]
    assert base64.b64decode(found["value"]) == box.copy(AUTO).meeting.clean_goid
    assert found["id"].lower() == "binary {6ed8da90-450b-101b-98da-00aa003f1305} id 0x23"


def test_a_lone_occurrence_is_an_exception_without_a_master() -> None:
    box = Box()
    box.exchange.deliver_ics(
        AUTO, ics("RECURRENCE-ID:20261209T090000Z", "DTSTART:20261209T110000Z", "DTEND:20261209T120000Z")
    )
    lone = Graph(box.exchange, AUTO).only()
    assert (lone["type"], lone["seriesMasterId"]) == ("exception", None)
    assert lone["originalStart"] == "2026-12-09T09:00:00.0000000Z"


def test_an_occurrence_carries_its_date_in_its_uid() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    series = graph.post("events", event(recurrence=weekly()))
    second = graph.value("calendarView?startDateTime=2026-12-08T00:00:00Z&endDateTime=2026-12-10T00:00:00Z")[0]
    assert second["iCalUId"] != series["iCalUId"]
    assert str(occurrence_date(bytes.fromhex(second["iCalUId"]))) == "2026-12-09"
    assert occurrence_date(bytes.fromhex(series["iCalUId"])) is None


@pytest.mark.parametrize("zone", [BERLIN, "Europe/Berlin"])
def test_times_are_shown_in_the_zone_that_is_preferred(zone: str) -> None:
    box = Box()
    Graph(box.exchange, ANN).post("events", event(start=at("02T09:00", zone), end=at("02T10:00", zone)))
    shown = Graph(box.exchange, ANN).only()
    assert shown["start"]["dateTime"] == "2026-12-02T08:00:00.0000000"
    assert shown["originalStartTimeZone"] == BERLIN
    there = Graph(box.exchange, ANN, time_zone="Tokyo Standard Time").only()
    assert there["start"] == {"dateTime": "2026-12-02T17:00:00.0000000", "timeZone": "Tokyo Standard Time"}
    assert there["originalStartTimeZone"] == BERLIN


def test_a_zone_nobody_knows_is_custom() -> None:
    box = Box()
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0130\nTZOFFSETTO:+0130\n"
        "END:STANDARD\nEND:VTIMEZONE"
    )
    box.exchange.deliver_ics(AUTO, ics("DTSTART;TZID=Ours:20261202T090000", "DURATION:PT1H", around=zone))
    shown = Graph(box.exchange, AUTO).only()
    assert shown["originalStartTimeZone"] == "tzone://Microsoft/Custom"
    assert shown["start"]["dateTime"] == "2026-12-02T07:30:00.0000000"


def test_an_all_day_event_begins_at_midnight_in_whatever_zone() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    graph.post("events", event(isAllDay=True, start=at("02T00:00", BERLIN), end=at("03T00:00", BERLIN)))
    assert box.copy(ANN).meeting.start == START - timedelta(hours=10)
    for zone in ("UTC", "Tokyo Standard Time"):
        shown = Graph(box.exchange, ANN, time_zone=zone).only()
        assert shown["start"] == {"dateTime": "2026-12-02T00:00:00.0000000", "timeZone": zone}
        assert shown["end"]["dateTime"] == "2026-12-03T00:00:00.0000000"


def test_bodies_come_in_the_kind_that_is_preferred() -> None:
    box = Box()
    box.invite(AUTO, draft={"body": Body("Line one\r\nSee <this>", "Text")})
    html = Graph(box.exchange, AUTO).only()["body"]
    assert html["contentType"] == "html"
    assert "See &lt;this&gt;" in html["content"]
    text = Graph(box.exchange, AUTO, body_type="text").only()["body"]
    assert text == {"contentType": "text", "content": "Line one\r\nSee <this>"}


def test_unsafe_html_is_left_out_unless_it_is_asked_for() -> None:
    box = Box()
    content = (
        "<html><head><style>p{color:red}</style></head><body><!-- note --><p onclick='go()'>Stay<script>evil()</script>"
        '<a href="javascript:evil()">one</a> <a href="https://ok.test/">two</a></p><div style="color:blue">kept</div></body></html>'
    )
    box.invite(AUTO, draft={"body": Body(content, "HTML")})
    safe = Graph(box.exchange, AUTO).only()["body"]["content"]
    for gone in ("<style", "note", "onclick", "evil", "javascript"):
        assert gone not in safe
    for kept in ("Stay", ">one</a>", "https://ok.test/", "color:blue"):
        assert kept in safe
    assert Graph(box.exchange, AUTO, unsafe_html=True).only()["body"]["content"] == content


def test_an_empty_body_is_empty() -> None:
    box = Box()
    box.invite(AUTO, draft={"body": Body("", "Text")})
    shown = Graph(box.exchange, AUTO).only()
    assert shown["body"] == {"contentType": "html", "content": ""}
    assert shown["bodyPreview"] == ""


def test_the_preview_is_short_and_plain() -> None:
    box = Box()
    box.invite(AUTO, draft={"body": Body("<p>" + "long words " * 100 + "</p>", "HTML")})
    assert Graph(box.exchange, AUTO).only()["bodyPreview"] == ("long words " * 100)[:255]


def test_importance_sensitivity_and_showing_come_through() -> None:
    box = Box()
    draft: MeetingDraft = {
        "sensitivity": "Private",
        "importance": "High",
        "free_busy": "OOF",
        "response_requested": False,
    }
    box.invite(AUTO, draft=draft)
    shown = Graph(box.exchange, AUTO).only()
    assert (shown["sensitivity"], shown["importance"]) == ("private", "high")
    assert shown["responseRequested"] is False
    assert Graph(box.exchange, ANN).only()["showAs"] == "oof"


def test_a_meeting_that_was_never_sent_is_a_draft() -> None:
    box = Box()
    box.invite(AUTO, send="SendToNone")
    assert Graph(box.exchange, ANN).only()["isDraft"] is True


def test_a_cancelled_meeting_stays_and_says_so() -> None:
    box = Box()
    item = box.invite(AUTO)
    box.exchange.cancel_meeting(ANN, item.id)
    shown = Graph(box.exchange, AUTO).only()
    assert (shown["isCancelled"], shown["showAs"]) == (True, "free")
    assert shown["subject"] == "Canceled: Plan"
    assert Graph(box.exchange, ANN).value("events") == []


def test_several_locations_keep_their_structure_until_the_text_changes() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    room = {"displayName": "Room 1", "locationType": "conferenceRoom", "locationEmailAddress": "room1@box.test"}
    made = graph.post("events", event(AUTO, locations=[room, {"displayName": "Video"}]))
    assert [one["displayName"] for one in made["locations"]] == ["Room 1", "Video"]
    assert made["locations"][0]["locationEmailAddress"] == "room1@box.test"
    assert made["location"]["displayName"] == "Room 1; Video"
    assert box.copy(AUTO).meeting.location == "Room 1; Video"
    assert [one["displayName"] for one in Graph(box.exchange, AUTO).only()["locations"]] == ["Room 1", "Video"]
    box.exchange.update_item(ANN, box.copy(ANN).id, {"location": "Elsewhere"})
    assert [one["displayName"] for one in graph.only()["locations"]] == ["Elsewhere"]
    assert "locationEmailAddress" not in graph.only()["location"]


def test_setting_one_location_drops_all_others() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    made = graph.post("events", event(locations=[{"displayName": "A"}, {"displayName": "B"}]))
    changed = graph.patch(f"events/{made['id']}", {"location": {"displayName": "C"}})
    assert [one["displayName"] for one in changed["locations"]] == ["C"]


def test_a_meeting_without_a_place_has_no_locations() -> None:
    box = Box()
    shown = Graph(box.exchange, ANN).post("events", event())
    assert (shown["locations"], shown["location"]["displayName"]) == ([], "")


def test_a_teams_meeting_lives_in_the_body() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    made = graph.post("events", event(AUTO, isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness"))
    assert made["isOnlineMeeting"] is True
    assert made["onlineMeetingProvider"] == "teamsForBusiness"
    assert made["onlineMeeting"]["joinUrl"] in made["body"]["content"]
    assert Graph(box.exchange, AUTO).only()["onlineMeeting"] == made["onlineMeeting"]
    kept = graph.patch(
        f"events/{made['id']}", {"body": {"contentType": "html", "content": made["body"]["content"] + "<p>More</p>"}}
    )
    assert kept["onlineMeeting"] == made["onlineMeeting"]
    gone = graph.patch(f"events/{made['id']}", {"body": {"contentType": "html", "content": "<p>More</p>"}})
    assert (gone["isOnlineMeeting"], gone["onlineMeeting"]) == (False, None)


def test_an_id_survives_moves_only_if_it_is_immutable() -> None:
    box = Box()
    box.invite(AUTO)
    plain, lasting = Graph(box.exchange, AUTO), Graph(box.exchange, AUTO, immutable_ids=True)
    before, before_lasting = plain.only()["id"], lasting.only()["id"]
    assert before != before_lasting
    moved = box.exchange.move_item(AUTO, box.copy(AUTO).id, "deleteditems")
    assert plain.refused("GET", f"events/{before}") == (404, "ErrorItemNotFound")
    assert lasting.refused("GET", f"events/{before_lasting}") == (404, "ErrorItemNotFound")
    box.exchange.move_item(AUTO, moved.id, "calendar")
    assert plain.only()["id"] != before
    assert lasting.only()["id"] == before_lasting
    assert plain.get(f"events/{before_lasting}")["subject"] == "Plan"


def test_ids_are_told_apart_by_the_case_of_their_letters() -> None:
    box = Box()
    box.invite(AUTO)
    graph = Graph(box.exchange, AUTO)
    event_id = graph.only()["id"]
    last = event_id[-12:]
    assert graph.refused("GET", f"events/{event_id[:-12]}{last.swapcase()}")[0] in {400, 404}


def test_every_change_gives_a_new_change_key_and_time() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    made = graph.post("events", event())
    box.later(MINUTE)
    changed = graph.patch(f"events/{made['id']}", {"subject": "Other"})
    assert changed["changeKey"] != made["changeKey"]
    assert changed["lastModifiedDateTime"] == "2026-12-01T08:01:00.0000000Z"
    assert changed["createdDateTime"] == made["createdDateTime"]


def test_what_only_graph_knows_is_kept() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    made = graph.post(
        "events",
        event(
            categories=["Red", "Blue"],
            isReminderOn=False,
            reminderMinutesBeforeStart=5,
            allowNewTimeProposals=False,
            hideAttendees=True,
            transactionId="t-1",
            attendees=people(AUTO, role="resource"),
        ),
    )
    assert made["categories"] == ["Red", "Blue"]
    assert (made["isReminderOn"], made["reminderMinutesBeforeStart"]) == (False, 5)
    assert (made["allowNewTimeProposals"], made["hideAttendees"], made["transactionId"]) == (False, True, "t-1")
    assert made["attendees"][0]["type"] == "resource"
    assert graph.post("events", event(transactionId="t-1"))["id"] == made["id"]
