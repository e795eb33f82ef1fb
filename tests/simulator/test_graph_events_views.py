"""The calendar within a span, and what changed in it."""

from typing import Any

import pytest

from greenroom.simulator.graph.odata import PAGING
from support.box import ANN, AUTO, Box
from support.graph_bodies import at, event, weekly
from support.graph_calls import Graph

WINDOW = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-20T00:00:00Z"


def filled() -> tuple[Box, Graph]:
    """Ann invites AUTO to a single meeting and to a series (three of its occurrences within the window)."""
    box = Box()
    graph = Graph(box.exchange, ANN)
    graph.post("events", event(AUTO, subject="Single", start=at("04T09:00"), end=at("04T10:00")))
    graph.post("events", event(AUTO, subject="Series", recurrence=weekly()))
    graph.post("events", event(AUTO, subject="Later", start=at("28T09:00"), end=at("28T10:00")))
    box.later()
    return box, Graph(box.exchange, AUTO, immutable_ids=True)


def whole_round(graph: Graph, link: str) -> tuple[list[dict[str, Any]], str]:
    """All pages of a round, and the link to the next."""
    told: list[dict[str, Any]] = []
    while True:
        page = graph.get(link)
        told += page["value"]
        if "@odata.deltaLink" in page:
            return told, page["@odata.deltaLink"]
        link = page["@odata.nextLink"]


def test_a_view_expands_series_and_leaves_out_their_masters() -> None:
    _, graph = filled()
    shown = graph.value(f"calendarView?{WINDOW}&$select=subject,type,start")
    assert [(one["subject"], one["type"]) for one in shown] == [
        ("Series", "occurrence"),
        ("Single", "singleInstance"),
        ("Series", "occurrence"),
        ("Series", "occurrence"),
    ]
    assert len(graph.value(f"calendar/calendarView?{WINDOW}&$filter=type eq 'occurrence'&$top=2")) == 2


def test_names_of_the_window_may_be_in_any_case() -> None:
    _, graph = filled()
    assert len(graph.value("calendarView?startdatetime=2026-12-04&ENDDATETIME=2026-12-05T00:00:00Z")) == 1


def test_what_only_touches_the_window_is_in_it() -> None:
    _, graph = filled()
    half = "startDateTime=2026-12-04T09:30:00Z&endDateTime=2026-12-04T09:31:00Z"
    assert len(graph.value(f"calendarView?{half}")) == 1
    beside = "startDateTime=2026-12-04T10:00:00Z&endDateTime=2026-12-04T11:00:00Z"
    assert graph.value(f"calendarView?{beside}") == []


@pytest.mark.parametrize(
    "window",
    [
        "",
        "startDateTime=2026-12-04",
        "startDateTime=now&endDateTime=later",
        "startDateTime=2026-12-04&endDateTime=2026-12-03",
        "startDateTime=2026-12-04&endDateTime=2036-12-03",
    ],
)
def test_a_view_needs_a_window(window: str) -> None:
    _, graph = filled()
    for address in ("calendarView", "calendarView/delta", "calendar/calendarView"):
        assert graph.refused("GET", f"{address}?{window}") == (400, "ErrorInvalidRequest")


def test_a_first_round_tells_all_that_is_in_the_window() -> None:
    _, graph = filled()
    told, _ = whole_round(graph, f"calendarView/delta?{WINDOW}")
    kinds = sorted(one["type"] for one in told)
    assert kinds == ["occurrence", "occurrence", "occurrence", "seriesMaster", "singleInstance"]
    occurrence = next(one for one in told if one["type"] == "occurrence")
    assert {name for name in occurrence if "@" not in name} == {"id", "type", "seriesMasterId", "start", "end"}
    assert next(one for one in told if one["type"] == "seriesMaster")["body"]["content"]


def test_a_round_after_no_change_is_empty() -> None:
    _, graph = filled()
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    told, again = whole_round(graph, link)
    assert told == []
    assert whole_round(graph, again)[0] == []


def test_changes_are_told_once() -> None:
    box, graph = filled()
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    single = next(one for one in graph.value("events") if one["subject"] == "Single")
    graph.post(f"events/{single['id']}/accept")
    told, link = whole_round(graph, link)
    assert [(one["id"], one["responseStatus"]["response"]) for one in told] == [(single["id"], "accepted")]
    graph.post(f"events/{single['id']}/decline")
    told, link = whole_round(graph, link)
    assert told == [{"id": single["id"], "@removed": {"reason": "deleted"}}]
    assert whole_round(graph, link)[0] == []
    assert box.inbox(AUTO) != []


def test_what_left_the_window_is_removed_as_well() -> None:
    box, graph = filled()
    organizer = Graph(box.exchange, ANN)
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    own = next(one for one in organizer.value("events") if one["subject"] == "Single")
    organizer.patch(f"events/{own['id']}", {"start": at("29T09:00"), "end": at("29T10:00")})
    told, link = whole_round(graph, link)
    assert [one["@removed"]["reason"] for one in told] == ["deleted"]
    organizer.patch(f"events/{own['id']}", {"start": at("05T09:00"), "end": at("05T10:00")})
    told, _ = whole_round(graph, link)
    assert [one["start"]["dateTime"][:10] for one in told] == ["2026-12-05"]


def test_a_removed_occurrence_is_told_with_its_series() -> None:
    box, graph = filled()
    organizer = Graph(box.exchange, ANN)
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    second = organizer.value("calendarView?startDateTime=2026-12-08&endDateTime=2026-12-10")[0]
    gone = graph.value("calendarView?startDateTime=2026-12-08&endDateTime=2026-12-10")[0]
    organizer.delete(f"events/{second['id']}")
    told, _ = whole_round(graph, link)
    assert [one["id"] for one in told if "@removed" in one] == [gone["id"]]
    assert sorted(one["type"] for one in told if "type" in one) == ["occurrence", "occurrence", "seriesMaster"]


def test_an_event_that_came_back_is_not_removed() -> None:
    box, graph = filled()
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    item = next(one for one in box.exchange.items(AUTO, "calendar") if one.subject == "Single")
    moved = box.exchange.move_item(AUTO, item.id, "deleteditems")
    box.exchange.move_item(AUTO, moved.id, "calendar")
    told, _ = whole_round(graph, link)
    assert [one.get("subject") for one in told] == ["Single"]


def test_a_round_comes_in_pages() -> None:
    box, graph = filled()
    expected, _ = whole_round(graph, f"calendarView/delta?{WINDOW}")
    small = Graph(box.exchange, AUTO, immutable_ids=True, page_size=2)
    page = small.get(f"calendarView/delta?{WINDOW}")
    assert len(page["value"]) == 2
    assert "@odata.deltaLink" not in page
    told, _ = whole_round(small, f"calendarView/delta?{WINDOW}")
    assert told == expected


def test_changes_during_a_round_come_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    box, graph = filled()
    monkeypatch.setattr(PAGING, "at_most", 1)
    page = graph.get(f"calendarView/delta?{WINDOW}")
    Graph(box.exchange, ANN).post("events", event(AUTO, subject="New", start=at("05T09:00"), end=at("05T10:00")))
    told, link = whole_round(graph, page["@odata.nextLink"])
    assert "New" not in [one.get("subject") for one in told]
    assert len(told) == 4
    assert [one["subject"] for one in whole_round(graph, link)[0]] == ["New"]


def test_old_tokens_expire() -> None:
    box, graph = filled()
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    box.exchange.expire_sync_states()
    assert graph.refused("GET", link) == (410, "syncStateNotFound")


def test_a_token_is_of_one_mailbox() -> None:
    box, graph = filled()
    _, link = whole_round(graph, f"calendarView/delta?{WINDOW}")
    other = link.replace(f"users/{AUTO}", f"users/{ANN}")
    assert Graph(box.exchange, ANN).refused("GET", other) == (410, "syncStateNotFound")


@pytest.mark.parametrize("token", ["x", "", "A" * 5000, "AAAA", "ü", "bnVsbA"])
def test_what_is_no_token_is_refused(token: str) -> None:
    _, graph = filled()
    for name in ("$deltatoken", "$skiptoken"):
        assert graph.refused("GET", f"calendarView/delta?{name}={token}")[0] == 400


def test_a_delta_hears_no_other_options() -> None:
    _, graph = filled()
    for option in ("$select=subject", "$filter=isOrganizer", "$top=5"):
        assert graph.refused("GET", f"calendarView/delta?{WINDOW}&{option}")[0] == 400


def test_a_view_far_away_is_answered() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    rule = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-12-02"}}
    graph.post("events", event(recurrence=rule))
    far = "startDateTime=2060-01-01T00:00:00Z&endDateTime=2060-01-03T00:00:00Z"
    assert len(graph.value(f"calendarView?{far}")) == 2
    assert len(graph.value("calendarView?startDateTime=4400-01-01T00:00:00Z&endDateTime=4400-01-03T00:00:00Z")) == 2
    assert graph.value("calendarView?startDateTime=4600-01-01T00:00:00Z&endDateTime=4600-01-03T00:00:00Z") == []
    for first, last in (("9999-12-30", "9999-12-31"), ("0001-01-01", "0001-01-02")):
        edge = f"startDateTime={first}T00:00:00Z&endDateTime={last}T00:00:00Z"
        assert graph.value(f"calendarView?{edge}") == []
