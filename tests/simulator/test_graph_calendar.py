"""The calendar itself over Graph: properties of the folder, and a large one in pages that stay in order while it changes."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from greenroom.simulator.graph import filters
from support.box import ANN, AUTO, HOUR, START, Box
from support.graph_calls import Graph

COLOUR = "String {00020329-0000-0000-c000-000000000046} Name Colour"
OTHER_SET = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Colour"


def set_to(value: Any, name: str = COLOUR) -> dict[str, Any]:
    return {"singleValueExtendedProperties": [{"id": name, "value": value}]}


def shown(graph: Graph, address: str = "calendar") -> dict[str, str]:
    found = graph.get(f"{address}?$select=id&$expand=singleValueExtendedProperties($filter=id eq '{COLOUR.upper()}')")
    return {one["id"]: one["value"] for one in found.get("singleValueExtendedProperties", [])}


def test_a_property_of_the_calendar_is_shown_only_where_it_is_asked_for() -> None:
    graph = Graph(Box().exchange, AUTO)
    assert "singleValueExtendedProperties" not in graph.patch("calendar", set_to("green"))
    assert "singleValueExtendedProperties" not in graph.get("calendar")
    found = graph.get(f"calendar?$expand=singleValueExtendedProperties($filter=id eq '{COLOUR}')")
    assert found["singleValueExtendedProperties"] == [{"id": COLOUR, "value": "green"}]
    assert graph.exchange.folder_properties(AUTO) == {"Colour": "green"}
    (listed,) = graph.value("calendars")
    graph.patch(f"calendars/{listed['id']}", set_to(""))
    assert graph.exchange.folder_properties(AUTO) == {"Colour": ""}


@pytest.mark.parametrize(
    "body",
    [None, [], {"name": "x"}, set_to(None), set_to(["a"]), set_to("x", OTHER_SET), set_to("x", "String 0x37"), set_to("x", "no")],
    ids=["none", "list", "name", "null", "many", "other-set", "tagged", "no-id"],
)  # fmt: skip
def test_what_the_folder_does_not_keep_is_refused(body: Any) -> None:
    graph = Graph(Box().exchange, AUTO)
    assert graph.refused("PATCH", "calendar", body)[0] == 400
    assert graph.exchange.folder_properties(AUTO) == {}


def test_a_locked_folder_is_read_and_not_changed() -> None:
    box = Box()
    graph = Graph(box.exchange, AUTO)
    graph.patch("calendar", set_to("green"))
    box.exchange.mailbox(AUTO).folders_locked = True
    assert graph.refused("PATCH", "calendar", set_to("red")) == (403, "ErrorAccessDenied")
    assert list(graph.exchange.folder_properties(AUTO).values()) == ["green"]


def test_pages_stay_in_order_while_meetings_come_move_and_go() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    items = [
        box.invite(draft={"subject": str(n), "start": START + n * HOUR, "end": START + (n + 1) * HOUR})
        for n in (3, 1, 2, 0)
    ]
    ask = f"events?$orderby=start/dateTime&$top=3&$select=subject&$filter=start/dateTime ge '{START:%Y-%m-%dT%H:%M}'"
    assert [one["subject"] for one in graph.value(ask)] == ["0", "1", "2"]
    box.exchange.update_item(ANN, items[3].id, {"start": START + 9 * HOUR, "end": START + 10 * HOUR})
    assert [one["subject"] for one in graph.value(ask)] == ["1", "2", "3"]
    box.exchange.delete_item(ANN, items[1].id)
    assert [one["subject"] for one in graph.value(ask)] == ["2", "3", "0"]
    box.invite(draft={"subject": "new", "start": START, "end": START + timedelta(minutes=5)})
    assert [one["subject"] for one in graph.value(ask)] == ["new", "2", "3"]


def test_every_way_through_a_sorted_list_shows_the_same() -> None:
    box = Box()
    for number in range(23):
        at = START + (number * 7 % 23) // 2 * HOUR
        box.invite(draft={"subject": str(number), "start": at, "end": at + HOUR})
        box.later()
    graph = Graph(box.exchange, ANN)
    for order, where in itertools.product(
        ("start/dateTime", "start/dateTime desc", "lastModifiedDateTime", "start/dateTime,subject"),
        ("", "start/dateTime ge '2026-12-02T12:00'", "start/dateTime ge '2026-12-02T12:00' or subject eq '0'"),
    ):
        ask = f"events?$orderby={order}&$select=subject" + (f"&$filter={where}" if where else "")
        (whole,) = [[one["subject"] for one in graph.value(f"{ask}&$top=100&$count=true")]]
        pages = [graph.value(f"{ask}&$top=5&$skip={skip}") for skip in range(0, len(whole), 5)]
        assert [one["subject"] for page in pages for one in page] == whole


@pytest.mark.parametrize(
    ("expression", "begins"),
    [
        ("start/dateTime ge '2026-12-02T12:00'", True),
        ("START/DATETIME ge 2026-12-02T12:00:00Z and (subject eq 'a' or isCancelled)", True),
        ("start/dateTime ge '2026-12-02T12:00' or subject eq 'a'", False),
        ("start/dateTime ge '2026-12-02T12:00' and subject eq 'a' or isCancelled", False),
        ("start/dateTime gt '2026-12-02T12:00'", False),
        ("(start/dateTime ge '2026-12-02T12:00')", False),
        ("not start/dateTime ge '2026-12-02T12:00'", False),
        ("subject eq 'start/dateTime ge 2026'", False),
        ("start/dateTime ge", False),
        ("", False),
    ],
    ids=["alone", "and", "or", "and-or", "later", "nested", "not", "text", "cut", "none"],
)
def test_where_a_filter_begins_is_said_only_where_it_is_certain(expression: str, *, begins: bool) -> None:
    assert (filters.begins_with(expression, "start/dateTime") is not None) == begins
