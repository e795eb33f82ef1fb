"""Creating, changing and deleting events, and what their attendees hear of it."""

from typing import Any

import pytest

from greenroom.simulator.model import Attendee, Body, CalendarItem, MeetingCancellation, MeetingRequest, Person
from support.box import ANN, AUTO, BOB, OUTSIDE, Box
from support.graph_bodies import BERLIN, at, event, people, weekly
from support.graph_calls import Graph


def requests(box: Box, address: str) -> list[MeetingRequest]:
    return [item for item in box.inbox(address) if isinstance(item, MeetingRequest)]


def cancellations(box: Box, address: str) -> list[MeetingCancellation]:
    return [item for item in box.inbox(address) if isinstance(item, MeetingCancellation)]


def made(*addresses: str, **more: Any) -> tuple[Box, Graph, str]:
    box = Box()
    graph = Graph(box.exchange, ANN)
    address = f"events/{graph.post('events', event(*addresses, **more))['id']}"
    box.later()
    return box, graph, address


def test_an_event_with_attendees_is_an_invitation() -> None:
    box, graph, address = made(AUTO, OUTSIDE, location={"displayName": "Room 1"}, sensitivity="private")
    request = box.request(AUTO)
    assert (request.subject, request.meeting.location, request.sensitivity) == ("Plan", "Room 1", "Private")
    assert request.body == Body("<p>Agenda</p>", "HTML")
    assert [mail.recipient for mail in box.exchange.outbound] == [OUTSIDE]
    assert graph.get(address)["isDraft"] is False


def test_creating_says_where_the_event_is() -> None:
    box = Box()
    reply = Graph(box.exchange, ANN).call("POST", "calendar/events", event())
    assert reply.status == 201
    assert Graph(box.exchange, ANN).get(reply.headers["Location"])["id"] == reply.body["id"]


def test_an_event_without_attendees_tells_nobody() -> None:
    box, _, _ = made()
    assert box.exchange.items(ANN, "sentitems") == []
    assert not box.copy(ANN).is_meeting


@pytest.mark.parametrize(
    "change", [{"subject": "New"}, {"body": {"contentType": "text", "content": "New"}}, {"showAs": "oof"}]
)
def test_a_change_by_the_organizer_goes_to_everybody(change: dict[str, Any]) -> None:
    box, graph, address = made(AUTO, BOB)
    graph.patch(address, change)
    assert len(requests(box, AUTO)) == len(requests(box, BOB)) == 2
    assert box.request(AUTO).request_type == "InformationalUpdate"


def test_a_changed_body_arrives_and_leaves_the_answer_alone() -> None:
    box, graph, address = made(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    graph.patch(address, {"body": {"contentType": "HTML", "content": "<p>Agenda</p><p>Join</p>"}})
    shown = Graph(box.exchange, AUTO).only()
    assert "Join" in shown["body"]["content"]
    assert shown["responseStatus"]["response"] == "accepted"


def test_a_moved_meeting_asks_everybody_again() -> None:
    box, graph, address = made(AUTO)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    graph.patch(address, {"start": at("03T09:00", BERLIN), "end": at("03T10:00", "Europe/Berlin")})
    assert box.request(AUTO).request_type == "FullUpdate"
    assert Graph(box.exchange, AUTO).only()["responseStatus"]["response"] == "notResponded"
    assert Graph(box.exchange, AUTO).only()["start"]["dateTime"] == "2026-12-03T08:00:00.0000000"


def test_a_change_of_attendees_alone_tells_only_those_it_concerns() -> None:
    box, graph, address = made(AUTO, BOB)
    graph.patch(address, {"attendees": people(BOB, OUTSIDE)})
    assert len(requests(box, BOB)) == 1
    assert len(cancellations(box, AUTO)) == 1
    assert [mail.recipient for mail in box.exchange.outbound] == [OUTSIDE]


def test_what_is_the_organizers_own_business_is_sent_to_nobody() -> None:
    box, graph, address = made(AUTO)
    graph.patch(address, {"categories": ["Red"], "isReminderOn": False})
    assert len(requests(box, AUTO)) == 1
    assert not graph.sends("PATCH", address, {"categories": ["Red"]})


def test_an_attendee_changes_only_their_own_copy() -> None:
    box, graph, address = made(AUTO)
    theirs = Graph(box.exchange, AUTO)
    changed = theirs.patch(f"events/{theirs.only()['id']}", {"showAs": "free", "subject": "Mine"})
    assert changed["subject"] == "Mine"
    assert graph.get(address)["subject"] == "Plan"
    assert len(requests(box, AUTO)) == 1


def test_a_stale_etag_changes_nothing() -> None:
    box, graph, address = made(AUTO)
    old = graph.get(address)["@odata.etag"]
    graph.patch(address, {"subject": "Second"}, **{"If-Match": old})
    for method, body in (("PATCH", {"subject": "Third"}), ("DELETE", None)):
        assert graph.refused(method, address, body, If_Match=old) == (412, "ErrorIrresolvableConflict")
    assert graph.get(address)["subject"] == "Second"
    assert graph.patch(address, {"subject": "Third"}, **{"If-Match": "*"})["subject"] == "Third"
    assert len(requests(box, AUTO)) == 3


def test_the_organizers_deletion_cancels() -> None:
    box, graph, address = made(AUTO)
    graph.delete(address)
    assert len(cancellations(box, AUTO)) == 1
    assert Graph(box.exchange, AUTO).only()["isCancelled"] is True
    assert graph.refused("GET", address) == (404, "ErrorItemNotFound")


def test_an_attendees_deletion_tells_nobody() -> None:
    box, _, _ = made(AUTO)
    theirs = Graph(box.exchange, AUTO)
    theirs.delete(f"events/{theirs.only()['id']}")
    assert box.inbox(ANN) == []
    assert box.exchange.items(AUTO, "calendar") == []


def test_a_single_event_becomes_a_series_and_back() -> None:
    box, graph, address = made(AUTO)
    assert graph.patch(address, {"recurrence": weekly()})["type"] == "seriesMaster"
    assert Graph(box.exchange, AUTO).only()["type"] == "seriesMaster"
    assert graph.patch(address, {"recurrence": None})["type"] == "singleInstance"


def test_whether_a_call_sends_is_known_beforehand() -> None:
    box, graph, address = made(AUTO)
    theirs = Graph(box.exchange, AUTO)
    own = f"events/{theirs.only()['id']}"
    assert graph.sends("POST", "events", event(AUTO))
    assert not graph.sends("POST", "events", event())
    assert graph.sends("PATCH", address, {"subject": "x"})
    assert not theirs.sends("PATCH", own, {"subject": "x"})
    assert graph.sends("DELETE", address)
    assert not theirs.sends("DELETE", own)
    assert graph.sends("POST", f"{address}/cancel")
    assert theirs.sends("POST", f"{own}/accept", {"comment": "x"})
    assert not theirs.sends("POST", f"{own}/accept", {"SendResponse": False})
    assert not graph.sends("PATCH", "events/nonsense", {"subject": "x"})
    assert not graph.sends("POST", "events/nonsense/cancel")


def test_too_many_attendees_are_refused() -> None:
    box = Box()
    crowd = event(*(f"p{number}@elsewhere.test" for number in range(501)))
    assert Graph(box.exchange, ANN).refused("POST", "events", crowd) == (400, "ErrorInvalidRecipients")
    crowd["attendees"].pop()
    assert len(Graph(box.exchange, ANN).post("events", crowd)["attendees"]) == 500


FOREVER = {"type": "noEnd", "startDate": "2026-12-02"}
CLEAN_GOID = "Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x23"
INVALID = "ErrorCalendarInvalidRecurrence"


def rule(kind: str, span: dict[str, Any] | None = None, **pattern: Any) -> dict[str, Any]:
    return {"pattern": {"type": kind, "interval": 1, **pattern}, "range": span or FOREVER}


BAD: list[tuple[Any, str]] = [
    (None, "RequestBodyRead"),
    ([], "RequestBodyRead"),
    ("x", "RequestBodyRead"),
    ({"nonsense": 1}, "RequestBodyRead"),
    ({"subject": 7}, "RequestBodyRead"),
    ({"isAllDay": "yes"}, "RequestBodyRead"),
    ({"body": "text"}, "RequestBodyRead"),
    ({"body": {"contentType": "rtf", "content": "x"}}, "RequestBodyRead"),
    ({"body": {"contentType": "text", "content": {}}}, "RequestBodyRead"),
    ({"sensitivity": "secret"}, "RequestBodyRead"),
    ({"showAs": 3}, "RequestBodyRead"),
    ({"start": None}, "RequestBodyRead"),
    ({"start": {"dateTime": "soon", "timeZone": "UTC"}}, "ErrorInvalidProperty"),
    ({"start": {"dateTime": "9999-12-31T23:59:59", "timeZone": "Hawaiian Standard Time"}}, "ErrorInvalidProperty"),
    ({"start": {"dateTime": 7, "timeZone": "UTC"}}, "RequestBodyRead"),
    ({"start": {"dateTime": "2026-12-02T09:00:00", "timeZone": "Nowhere"}}, "TimeZoneNotSupportedException"),
    ({"start": {"dateTime": "2026-12-02T09:00:00", "timeZone": "../../etc/passwd"}}, "TimeZoneNotSupportedException"),
    ({"start": at("02T09:00"), "end": at("01T09:00")}, "ErrorCalendarEndDateIsEarlierThanStartDate"),
    ({"end": {"dateTime": "2096-12-02T09:00:00", "timeZone": "UTC"}}, "ErrorCalendarDurationIsTooLong"),
    ({"isAllDay": True}, "ErrorPropertyValidationFailure"),
    ({"attendees": {}}, "RequestBodyRead"),
    ({"attendees": ["x"]}, "RequestBodyRead"),
    ({"attendees": [{"type": "required"}]}, "RequestBodyRead"),
    ({"attendees": [{"emailAddress": {"address": "nobody"}}]}, "ErrorInvalidRecipients"),
    ({"attendees": [{"emailAddress": {"address": "a b@c.test"}}]}, "ErrorInvalidRecipients"),
    ({"attendees": [{"emailAddress": {"address": BOB}, "type": "spy"}]}, "RequestBodyRead"),
    ({"location": "Room"}, "RequestBodyRead"),
    ({"location": {"displayName": "x", "coordinates": {"latitude": "far"}}}, "RequestBodyRead"),
    ({"locations": [{"displayName": "x", "locationType": "cave"}]}, "RequestBodyRead"),
    ({"onlineMeetingProvider": "zoom"}, "RequestBodyRead"),
    ({"reminderMinutesBeforeStart": 1.5}, "RequestBodyRead"),
    ({"reminderMinutesBeforeStart": 10**20}, "RequestBodyRead"),
    ({"categories": [1]}, "RequestBodyRead"),
    ({"recurrence": "weekly"}, "RequestBodyRead"),
    ({"recurrence": rule("weekly")}, INVALID),
    ({"recurrence": rule("hourly")}, "RequestBodyRead"),
    ({"recurrence": rule("daily") | {"range": None}}, "RequestBodyRead"),
    ({"recurrence": {"pattern": {"type": "daily", "interval": 0}, "range": FOREVER}}, INVALID),
    ({"recurrence": rule("daily", {"type": "endDate"})}, INVALID),
    ({"recurrence": rule("daily", {"type": "numbered"})}, INVALID),
    ({"recurrence": weekly(startDate="some day")}, INVALID),
    ({"recurrence": weekly(recurrenceTimeZone="Nowhere")}, "TimeZoneNotSupportedException"),
    ({"recurrence": rule("relativeMonthly", daysOfWeek=["monday", "friday"])}, INVALID),
    ({"singleValueExtendedProperties": [{"id": "x", "value": "y"}]}, "ErrorInvalidExtendedProperty"),
    ({"singleValueExtendedProperties": [{"id": "Binary 0x37", "value": "%"}]}, "ErrorInvalidExtendedPropertyValue"),
    ({"singleValueExtendedProperties": [{"id": CLEAN_GOID, "value": "AA=="}]}, "ErrorInvalidPropertySet"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"), BAD, ids=lambda value: str(value)[:60] if not isinstance(value, str) else None
)
def test_what_cannot_be_is_refused_and_changes_nothing(change: Any, code: str) -> None:
    box, graph, address = made(AUTO)
    before = graph.get(address)
    assert graph.refused("PATCH", address, change) == (400, code)
    assert graph.get(address) == before
    whole = {**event(), **change} if isinstance(change, dict) else change
    assert graph.refused("POST", "events", whole) == (400, code)
    assert len(box.exchange.items(ANN, "calendar")) == 1


def test_an_event_needs_its_times() -> None:
    box = Box()
    assert Graph(box.exchange, ANN).refused("POST", "events", {"subject": "x"})[0] == 400
    assert Graph(box.exchange, ANN).refused("POST", "events", {"subject": "x", "recurrence": weekly()})[0] == 400


def test_texts_that_no_protocol_can_carry_lose_what_is_wrong_with_them() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    made_one = graph.post("events", event(subject="a\ud800b\x00c\u202e", categories=["\udfff"]))
    assert made_one["subject"] == "abc\u202e"
    assert len(graph.post("events", event(subject="x" * 1000))["subject"]) == 255


def test_read_only_properties_are_left_aside() -> None:
    _, graph, address = made(AUTO)
    whole = graph.get(address)
    changed = graph.patch(address, {**whole, "subject": "New", "isOrganizer": False, "organizer": None})
    assert (changed["subject"], changed["isOrganizer"], changed["iCalUId"]) == ("New", True, whole["iCalUId"])


@pytest.mark.parametrize(
    "recurrence",
    [
        rule("daily") | {"pattern": {"type": "daily", "interval": 3}},
        rule(
            "weekly",
            {"type": "endDate", "startDate": "2026-12-02", "endDate": "2027-03-01"},
            daysOfWeek=["monday", "friday"],
            firstDayOfWeek="monday",
        ),
        rule(
            "absoluteMonthly", {"type": "numbered", "startDate": "2026-12-02", "numberOfOccurrences": 7}, dayOfMonth=31
        ),
        rule("relativeMonthly", daysOfWeek=["tuesday"], index="last"),
        rule("relativeMonthly", daysOfWeek=["monday", "tuesday", "wednesday", "thursday", "friday"], index="first"),
        rule("absoluteYearly", dayOfMonth=24, month=12),
        rule("relativeYearly", daysOfWeek=["saturday", "sunday"], index="second", month=5),
    ],
    ids=lambda value: value["pattern"]["type"],
)
def test_every_pattern_and_range_comes_back_as_it_was_said(recurrence: dict[str, Any]) -> None:
    box = Box()
    Graph(box.exchange, ANN).post(
        "events", event(AUTO, recurrence=recurrence, start=at("02T09:00", BERLIN), end=at("02T10:00", BERLIN))
    )
    shown = Graph(box.exchange, AUTO).only()["recurrence"]
    for part in ("pattern", "range"):
        assert recurrence[part].items() <= shown[part].items()
    assert shown["range"]["recurrenceTimeZone"] == BERLIN


def test_a_patch_keeps_answers_of_those_who_stay() -> None:
    box, graph, address = made(AUTO, BOB)
    box.exchange.respond(AUTO, box.copy(AUTO).id, "Accept")
    changed = graph.patch(address, {"attendees": people(AUTO)})
    assert [one["status"]["response"] for one in changed["attendees"]] == ["accepted"]


def test_the_same_store_takes_a_draft_made_over_another_face_and_sends_it() -> None:
    box = Box()
    people_asked = (Attendee(Person(AUTO)),)
    item = box.invite(send="SendToNone", draft={"attendees": people_asked})
    graph = Graph(box.exchange, ANN)
    assert isinstance(item, CalendarItem)
    graph.patch(f"events/{graph.only()['id']}", {"subject": "Now"})
    assert box.request(AUTO).request_type == "NewMeetingRequest"
