"""Accepting, declining, cancelling."""

from typing import Any

import pytest

from greenroom.simulator.model import MeetingResponse
from support.box import ANN, AUTO, BOB, Box
from support.graph_bodies import at, event, weekly
from support.graph_calls import Graph


def invited(**more: Any) -> tuple[Box, Graph, str]:
    box = Box()
    Graph(box.exchange, ANN).post("events", event(AUTO, **more))
    box.later()
    graph = Graph(box.exchange, AUTO, immutable_ids=True)
    return box, graph, f"events/{graph.only()['id']}"


def replies(box: Box) -> list[MeetingResponse]:
    return [item for item in box.inbox(ANN) if isinstance(item, MeetingResponse)]


@pytest.mark.parametrize(
    ("action", "response", "shown"),
    [("accept", "Accept", "accepted"), ("tentativelyAccept", "Tentative", "tentativelyAccepted")],
)
def test_an_answer_reaches_the_organizer_with_its_comment(action: str, response: str, shown: str) -> None:
    box, graph, address = invited()
    reply = graph.call("POST", f"{address}/{action}", {"comment": "Room <b>42</b>", "sendResponse": True})
    assert (reply.status, reply.body) == (202, None)
    (told,) = replies(box)
    assert (told.response, told.body.content, told.body.type) == (response, "Room <b>42</b>", "Text")
    assert graph.get(address)["responseStatus"] == {"response": shown, "time": "2026-12-01T08:01:00.0000000Z"}
    assert box.inbox(AUTO) == []
    attendee = Graph(box.exchange, ANN).only()["attendees"][0]
    assert attendee["status"]["response"] == shown


def test_names_of_parameters_may_be_in_any_case() -> None:
    box, graph, address = invited()
    graph.post(f"{address}/accept", {"COMMENT": "x", "SendResponse": False})
    assert replies(box) == []
    assert graph.get(address)["responseStatus"]["response"] == "accepted"


@pytest.mark.parametrize("body", [None, {}, {"comment": None, "sendResponse": None}])
def test_an_answer_without_words_is_sent(body: Any) -> None:
    box, graph, address = invited()
    graph.post(f"{address}/accept", body)
    assert [one.body.content for one in replies(box)] == [""]


def test_declining_takes_the_event_out_of_the_calendar() -> None:
    box, graph, address = invited()
    graph.post(f"{address}/decline", {"comment": "No rooms left"})
    assert replies(box)[0].response == "Decline"
    assert graph.value("events") == []
    assert graph.refused("GET", address) == (404, "ErrorItemNotFound")
    assert graph.refused("POST", f"{address}/accept") == (404, "ErrorItemNotFound")


def test_an_update_after_a_decline_makes_a_new_event() -> None:
    box, graph, address = invited()
    graph.post(f"{address}/decline")
    organizer = Graph(box.exchange, ANN)
    organizer.patch(f"events/{organizer.only()['id']}", {"start": at("03T09:00"), "end": at("03T10:00")})
    again = graph.only()
    assert address != f"events/{again['id']}"
    assert again["responseStatus"]["response"] == "notResponded"


def test_nobody_hears_an_answer_that_was_not_asked_for() -> None:
    box, graph, address = invited(responseRequested=False)
    with pytest.raises(Exception, match="hasn't requested a response"):
        graph.post(f"{address}/accept", {"sendResponse": True})
    assert graph.refused("POST", f"{address}/accept") == (400, "ErrorInvalidRequest")
    assert graph.get(address)["responseStatus"]["response"] == "notResponded"
    graph.post(f"{address}/accept", {"sendResponse": False})
    assert graph.get(address)["responseStatus"]["response"] == "accepted"
    assert replies(box) == []


def test_the_organizer_has_nothing_to_answer() -> None:
    box, _, _ = invited()
    graph = Graph(box.exchange, ANN)
    for action in ("accept", "decline", "tentativelyAccept"):
        assert graph.refused("POST", f"events/{graph.only()['id']}/{action}") == (400, "ErrorInvalidRequest")


def test_a_cancelled_meeting_cannot_be_answered() -> None:
    box, graph, address = invited()
    organizer = Graph(box.exchange, ANN)
    organizer.post(f"events/{organizer.only()['id']}/cancel", {"Comment": "Off"})
    assert graph.refused("POST", f"{address}/accept") == (400, "ErrorInvalidRequest")
    assert graph.get(address)["isCancelled"] is True
    assert box.inbox(AUTO)[-1].body.content == "Off"


def test_only_the_organizer_cancels() -> None:
    box, graph, address = invited()
    assert graph.refused("POST", f"{address}/cancel", {"comment": "x"}) == (400, "ErrorInvalidRequest")
    organizer = Graph(box.exchange, ANN)
    alone = organizer.post("events", event())
    assert organizer.refused("POST", f"events/{alone['id']}/cancel") == (400, "ErrorInvalidRequest")


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        7,
        {"comment": 7},
        {"sendResponse": "yes"},
        {"proposedNewTime": "noon"},
        {"proposedNewTime": {"start": {}}},
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(body: Any) -> None:
    box, graph, address = invited()
    for action in ("accept", "decline"):
        assert graph.refused("POST", f"{address}/{action}", body)[0] == 400
    assert replies(box) == []
    assert graph.get(address)["responseStatus"]["response"] == "notResponded"


def test_an_answer_to_a_series_is_for_all_of_it() -> None:
    box, graph, address = invited(recurrence=weekly())
    graph.post(f"{address}/accept", {"comment": "All"})
    window = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2027-02-01T00:00:00Z"
    assert {one["responseStatus"]["response"] for one in graph.value(f"calendarView?{window}")} == {"accepted"}
    assert len(replies(box)) == 1


def test_an_answer_to_one_occurrence_makes_it_an_exception() -> None:
    box, graph, _ = invited(recurrence=weekly())
    second = graph.value("calendarView?startDateTime=2026-12-08T00:00:00Z&endDateTime=2026-12-10T00:00:00Z")[0]
    assert second["type"] == "occurrence"
    graph.post(f"events/{second['id']}/accept", {"comment": "This one"})
    shown = graph.get(f"events/{second['id']}")
    assert (shown["type"], shown["responseStatus"]["response"]) == ("exception", "accepted")
    assert graph.only()["responseStatus"]["response"] == "notResponded"
    (told,) = replies(box)
    assert told.meeting.recurrence_id is not None
    assert Graph(box.exchange, ANN).only()["attendees"][0]["status"]["response"] == "none"


def test_declining_one_occurrence_takes_it_out() -> None:
    box, graph, address = invited(recurrence=weekly())
    second = graph.value("calendarView?startDateTime=2026-12-08T00:00:00Z&endDateTime=2026-12-10T00:00:00Z")[0]
    graph.post(f"events/{second['id']}/decline")
    assert graph.refused("GET", f"events/{second['id']}") == (404, "ErrorItemNotFound")
    series = graph.get(f"{address}?$select=cancelledOccurrences")
    assert series["cancelledOccurrences"] == [f"OID.{series['id']}.2026-12-09"]
    assert replies(box)[0].response == "Decline"
    assert BOB not in str(replies(box)[0].to)
