"""Series, their exceptions, and single occurrences."""

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from greenroom.simulator.ics_zones import zone_from_rules
from greenroom.simulator.model import MeetingCancellation, MeetingDraft, MeetingRequest
from greenroom.simulator.recurrence import Daily, Recurrence
from greenroom.simulator.zone_blob import write_zone
from support import custom_zone
from support.box import ANN, AUTO, BOB, OUTSIDE, Box, ics
from support.graph_bodies import BERLIN, at, event, people, weekly
from support.graph_calls import Graph

WINDOW = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2027-02-01T00:00:00Z"


def series(*addresses: str, **more: Any) -> tuple[Box, Graph, str]:
    box = Box()
    graph = Graph(box.exchange, ANN)
    body = event(*(addresses or (AUTO,)), recurrence=weekly(), **more)
    made = graph.post("events", body)
    box.later()
    return box, graph, f"events/{made['id']}"


def occurrences(graph: Graph, address: str) -> list[dict[str, Any]]:
    return graph.value(f"{address}/instances?{WINDOW}&$top=50")


def days(events: list[dict[str, Any]]) -> list[str]:
    return [one["start"]["dateTime"][5:16] for one in events]


def test_the_instances_of_a_series_are_its_occurrences() -> None:
    _, graph, address = series()
    found = occurrences(graph, address)
    assert days(found) == ["12-02T09:00", "12-09T09:00", "12-16T09:00", "12-23T09:00", "12-30T09:00"]
    assert {one["type"] for one in found} == {"occurrence"}
    assert {one["seriesMasterId"] for one in found} == {address.removeprefix("events/")}
    assert len({one["id"] for one in found}) == 5
    assert found[1]["originalStart"] == "2026-12-09T09:00:00.0000000Z"
    assert graph.get(f"events/{found[1]['id']}")["start"] == found[1]["start"]


def test_instances_keep_their_hour_when_the_clocks_change() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    body = event(
        start={"dateTime": "2027-03-24T09:00:00", "timeZone": BERLIN},
        end={"dateTime": "2027-03-24T10:00:00", "timeZone": BERLIN},
        recurrence=weekly(startDate="2027-03-24", numberOfOccurrences=2),
    )
    address = f"events/{graph.post('events', body)['id']}"
    window = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-05-01T00:00:00Z"
    assert days(graph.value(f"{address}/instances?{window}")) == ["03-24T08:00", "03-31T07:00"]


def test_only_a_series_has_instances() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    made = graph.post("events", event())
    assert graph.refused("GET", f"events/{made['id']}/instances?{WINDOW}") == (400, "ErrorInvalidRequest")
    assert graph.refused("GET", f"events/{made['id']}?$expand=exceptionOccurrences")[0] == 400


def test_changing_an_occurrence_makes_an_exception_in_both_calendars() -> None:
    box, graph, address = series()
    second = occurrences(graph, address)[1]
    changed = graph.patch(
        f"events/{second['id']}", {"subject": "Special", "start": at("10T11:00"), "end": at("10T12:00")}
    )
    assert (changed["type"], changed["subject"], changed["id"]) == ("exception", "Special", second["id"])
    assert changed["originalStart"] == second["originalStart"]
    theirs = Graph(box.exchange, AUTO)
    master = theirs.get(f"events/{theirs.only()['id']}?$expand=exceptionOccurrences")
    (exception,) = master["exceptionOccurrences"]
    assert (exception["subject"], days([exception])) == ("Special", ["12-10T11:00"])
    assert exception["iCalUId"] == changed["iCalUId"]
    assert exception["originalStart"] == second["originalStart"]
    request = box.request(AUTO)
    assert request.meeting.recurrence_id is not None
    assert request.request_type == "FullUpdate"


def test_an_expanded_exception_shows_what_was_selected() -> None:
    _, graph, address = series()
    second = occurrences(graph, address)[1]
    graph.patch(f"events/{second['id']}", {"subject": "Special"})
    clean = "Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x3"
    inner = f"$select=subject,originalStart;$expand=singleValueExtendedProperties($filter=id eq '{clean}')"
    shown = graph.get(f"{address}?$select=subject&$expand=exceptionOccurrences({inner})")
    (exception,) = shown["exceptionOccurrences"]
    assert {name for name in exception if "@" not in name} == {
        "id",
        "subject",
        "originalStart",
        "singleValueExtendedProperties",
    }
    assert "recurrence" not in shown


def test_a_cancelled_occurrence_is_told_by_its_date() -> None:
    box, graph, address = series(AUTO, OUTSIDE)
    third = occurrences(graph, address)[2]
    graph.post(f"events/{third['id']}/cancel", {"comment": "Holiday"})
    assert graph.refused("GET", f"events/{third['id']}") == (404, "ErrorItemNotFound")
    theirs = Graph(box.exchange, AUTO, immutable_ids=True)
    own = theirs.only()
    shown = theirs.get(f"events/{own['id']}?$select=cancelledOccurrences,type")
    assert shown["cancelledOccurrences"] == [f"OID.{own['id']}.2026-12-16"]
    assert own["isCancelled"] is False
    message = [item for item in box.inbox(AUTO) if isinstance(item, MeetingCancellation)][-1]
    assert message.body.content == "Holiday"
    assert box.exchange.outbound[-1].method == "CANCEL"


def test_deleting_an_occurrence_cancels_it_for_the_others() -> None:
    box, graph, address = series()
    graph.delete(f"events/{occurrences(graph, address)[0]['id']}")
    assert days(occurrences(graph, address)) == ["12-09T09:00", "12-16T09:00", "12-23T09:00", "12-30T09:00"]
    theirs = Graph(box.exchange, AUTO)
    assert len(occurrences(theirs, f"events/{theirs.only()['id']}")) == 4


def test_a_change_of_the_series_goes_out_once_for_it_and_once_for_each_exception() -> None:
    box, graph, address = series()
    for number in (1, 3):
        graph.patch(f"events/{occurrences(graph, address)[number]['id']}", {"subject": f"Special {number}"})
        box.later()
    before = len(box.inbox(AUTO))
    graph.patch(address, {"body": {"contentType": "html", "content": "<p>New</p>"}})
    told = [item for item in box.inbox(AUTO)[before:] if isinstance(item, MeetingRequest)]
    assert [one.meeting.recurrence_id is not None for one in told] == [False, True, True]
    theirs = Graph(box.exchange, AUTO)
    master = theirs.get(f"events/{theirs.only()['id']}?$expand=exceptionOccurrences")
    assert [one["subject"] for one in master["exceptionOccurrences"]] == ["Special 1", "Special 3"]


def test_a_new_rule_knows_no_exceptions() -> None:
    box, graph, address = series()
    graph.patch(f"events/{occurrences(graph, address)[1]['id']}", {"subject": "Special"})
    rule = weekly(numberOfOccurrences=3)
    rule["pattern"]["interval"] = 2
    graph.patch(address, {"recurrence": rule})
    for one in (graph, Graph(box.exchange, AUTO)):
        own = one.only()["id"]
        shown = one.get(f"events/{own}?$expand=exceptionOccurrences")
        assert shown["exceptionOccurrences"] == []
        assert days(occurrences(one, f"events/{own}")) == ["12-02T09:00", "12-16T09:00", "12-30T09:00"]


def test_another_end_of_the_range_keeps_the_exceptions_that_it_reaches() -> None:
    box, graph, address = series()
    for number in (1, 3):
        graph.patch(f"events/{occurrences(graph, address)[number]['id']}", {"subject": f"Special {number}"})
    graph.patch(address, {"recurrence": weekly(numberOfOccurrences=3)})
    for one in (graph, Graph(box.exchange, AUTO)):
        own = one.only()["id"]
        shown = one.get(f"events/{own}?$expand=exceptionOccurrences")
        assert [exception["subject"] for exception in shown["exceptionOccurrences"]] == ["Special 1"]
        assert len(occurrences(one, f"events/{own}")) == 3


def test_an_occurrence_cannot_pass_its_neighbours() -> None:
    _, graph, address = series()
    second = occurrences(graph, address)[1]
    late = {"start": at("16T09:30"), "end": at("16T10:30")}
    assert graph.refused("PATCH", f"events/{second['id']}", late) == (400, "ErrorOccurrenceCrossingBoundary")
    early = {"start": at("02T12:00"), "end": at("02T13:00")}
    assert graph.refused("PATCH", f"events/{second['id']}", early) == (400, "ErrorOccurrenceCrossingBoundary")
    reverse = {"start": at("09T12:00"), "end": at("09T11:00")}
    assert graph.refused("PATCH", f"events/{second['id']}", reverse)[0] == 400
    assert graph.refused("PATCH", f"events/{second['id']}", {"recurrence": weekly()})[0] == 400


def test_somebody_invited_to_one_occurrence_has_a_lone_event() -> None:
    box, graph, address = series()
    second = occurrences(graph, address)[1]
    graph.patch(f"events/{second['id']}", {"attendees": people(AUTO, BOB)})
    lone = Graph(box.exchange, BOB).only()
    assert (lone["type"], lone["seriesMasterId"]) == ("exception", None)
    assert lone["iCalUId"] == second["iCalUId"]
    assert len([item for item in box.inbox(AUTO) if isinstance(item, MeetingRequest)]) == 1
    graph.patch(f"events/{second['id']}", {"attendees": people(AUTO)})
    assert Graph(box.exchange, BOB).only()["isCancelled"] is True


def test_an_attendee_changes_one_occurrence_for_themselves() -> None:
    box, _, _ = series()
    theirs = Graph(box.exchange, AUTO)
    second = occurrences(theirs, f"events/{theirs.only()['id']}")[1]
    sent = len(box.exchange.items(AUTO, "sentitems"))
    assert theirs.patch(f"events/{second['id']}", {"showAs": "free"})["showAs"] == "free"
    assert len(box.exchange.items(AUTO, "sentitems")) == sent
    assert box.inbox(ANN) == []


def test_the_same_series_from_outside_reads_alike() -> None:
    box = Box()
    lines = ("DTSTART:20261202T090000Z", "DTEND:20261202T100000Z", "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;COUNT=3")
    box.exchange.deliver_ics(AUTO, ics(*lines, "EXDATE:20261216T090000Z"))
    graph = Graph(box.exchange, AUTO)
    own = graph.only()["id"]
    assert days(occurrences(graph, f"events/{own}")) == ["12-02T09:00", "12-09T09:00"]
    shown = graph.get(f"events/{own}?$select=cancelledOccurrences,recurrence")
    assert shown["cancelledOccurrences"] == [f"OID.{own}.2026-12-16"]
    assert shown["recurrence"]["range"]["numberOfOccurrences"] == 3


def test_a_rule_that_exchange_cannot_say_is_a_series_without_one() -> None:
    box = Box()
    lines = ("DTSTART:20261202T090000Z", "DTEND:20261202T100000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15")
    box.exchange.deliver_ics(AUTO, ics(*lines))
    graph = Graph(box.exchange, AUTO)
    shown = graph.only()
    if shown["type"] == "seriesMaster":
        assert shown["recurrence"] is None
        assert occurrences(graph, f"events/{shown['id']}") == []


@pytest.mark.parametrize("day", ["20261203", "20270106", "20261301", "99999999", "00000000"])
def test_an_occurrence_that_never_was_is_not_found(day: str) -> None:
    _, graph, address = series()
    assert graph.refused("GET", f"{address}.{day}")[0] in {400, 404}


@pytest.mark.parametrize("tail", [".", ".2026", ".20261209.20261209", "x", "/..", "%00", "'"])
def test_what_is_no_id_is_malformed(tail: str) -> None:
    _, graph, address = series()
    assert graph.refused("GET", f"{address}{tail}") in {(400, "ErrorInvalidIdMalformed"), (400, "BadRequest")}


def test_all_day_occurrences_are_named_by_their_day() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    body = event(AUTO, isAllDay=True, start=at("02T00:00", BERLIN), end=at("03T00:00", BERLIN), recurrence=weekly())
    address = f"events/{graph.post('events', body)['id']}"
    found = occurrences(graph, address)
    assert [one["start"]["dateTime"][:10] for one in found][:2] == ["2026-12-02", "2026-12-09"]
    assert found[1]["originalStart"] == "2026-12-08T23:00:00.0000000Z"
    graph.delete(f"events/{found[1]['id']}")
    own = graph.get(f"{address}?$select=cancelledOccurrences")
    assert own["cancelledOccurrences"][0].endswith(".2026-12-09")


def test_a_series_in_a_zone_of_somebodys_own_brings_its_definition_and_its_days() -> None:
    box = Box()
    start = datetime(2026, 12, 2, 22, 45, tzinfo=UTC)  # 00:15 on the 3rd there
    draft: MeetingDraft = {
        "start": start,
        "end": start + timedelta(hours=1),
        "start_zone": custom_zone.NAME,
        "zone_rules": custom_zone.VTIMEZONE,
        "recurrence": Recurrence(Daily(1), date(2026, 12, 3), count=5),
    }
    item = box.invite(AUTO, draft=draft)
    box.exchange.delete_occurrence(ANN, item.id, start + timedelta(days=1), send="SendOnlyToAll")
    graph = Graph(box.exchange, AUTO)
    name = "Binary {00062002-0000-0000-C000-000000000046} Id 0x8260"
    listed = graph.only(f"events?$expand=singleValueExtendedProperties($filter=id eq '{name}')")
    assert listed["originalStartTimeZone"] == "tzone://Microsoft/Custom"
    assert listed["recurrence"]["range"]["recurrenceTimeZone"] == "tzone://Microsoft/Custom"
    assert listed["recurrence"]["range"]["startDate"] == "2026-12-03"
    (kept,) = listed["singleValueExtendedProperties"]
    assert kept["id"].lower() == name.lower()
    zone = zone_from_rules(custom_zone.VTIMEZONE)
    assert zone is not None
    assert base64.b64decode(kept["value"]) == write_zone(custom_zone.NAME, zone, 2026, recurring=True)
    shown = graph.get(f"events/{listed['id']}?$select=cancelledOccurrences")
    assert shown["cancelledOccurrences"] == [f"OID.{listed['id']}.2026-12-04"]
    instances = occurrences(graph, f"events/{listed['id']}")
    assert days(instances)[:2] == ["12-02T22:45", "12-04T22:45"]
    assert instances[1]["id"].endswith(".20261205")


def test_an_exception_has_an_answer_and_properties_of_its_own() -> None:
    box, graph, address = series()
    theirs = Graph(box.exchange, AUTO)
    own = theirs.only()["id"]
    theirs.post(f"events/{own}/accept", {"sendResponse": True})
    second = occurrences(graph, address)[1]["id"]
    mark = {"id": "String {11111111-2222-3333-4444-555555555555} Name Mark", "value": "x"}
    graph.patch(f"events/{second}", {"singleValueExtendedProperties": [mark]})
    assert len(box.inbox(AUTO)) == 0
    graph.patch(f"events/{second}", {"start": at("10T11:00"), "end": at("10T12:00")})
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{mark['id']}')"
    assert graph.get(f"events/{second}?{expand}")["singleValueExtendedProperties"] == [mark]
    assert "singleValueExtendedProperties" not in graph.get(f"{address}?{expand}")

    def answers() -> tuple[str, str]:
        master = theirs.get(f"events/{own}?$expand=exceptionOccurrences")
        (exception,) = master["exceptionOccurrences"]
        return master["responseStatus"]["response"], exception["responseStatus"]["response"]

    assert answers() == ("accepted", "notResponded")
    exception = theirs.get(f"events/{own}?$expand=exceptionOccurrences")["exceptionOccurrences"][0]
    theirs.post(f"events/{exception['id']}/accept", {"sendResponse": True})
    assert answers() == ("accepted", "accepted")
