"""Whatever comes in is answered or refused: no operation fails in a way that would be a 500."""

import json
import random
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.simulator.graph import drafts, places, rendering
from greenroom.simulator.graph.call import GraphError
from greenroom.simulator.model import Body, PropertyTag
from support.box import ANN, AUTO, Box
from support.graph_bodies import event, weekly
from support.graph_calls import Graph

ODD: list[Any] = [
    None, True, 0, -1, 2**70, 1.5, "", "x", "\ud800", "'", "\x00", "9" * 400, "a" * 70_000, [], [None], [[]], {}, {"": None},
    {"a": {"b": []}}, [{"emailAddress": None}], {"dateTime": "0001-01-01T00:00:00", "timeZone": "Tonga Standard Time"},
    {"dateTime": "9999-12-31T23:59:59.9999999", "timeZone": "UTC"}, {"contentType": "html", "content": "<" * 5000},
    {"pattern": {"type": "absoluteYearly", "interval": 1, "month": 99, "dayOfMonth": 99}, "range": {"type": "noEnd"}},
    {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "numberOfOccurrences": 2**31 - 1}},
    {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "endDate", "endDate": "9999-12-31", "startDate": "0001-01-02"}},
]  # fmt: skip
WRITTEN = sorted({*drafts._READERS, *drafts._KEPT, *drafts._LATER})  # in one order for all workers
NAMES = [*WRITTEN, "id", "organizer", "nonsense", "@odata.type"]
ADDRESSES = [
    "events", "calendar", "calendars", "calendarView", "calendarView/delta", "events/{id}", "events/{id}/instances",
]  # fmt: skip
OPTIONS = [
    "$select", "$filter", "$expand", "$orderby", "$top", "$skip", "$count", "$deltatoken", "$skiptoken", "startDateTime",
    "endDateTime", "$search", "",
]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["html", "UTC", ANN]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "dateTime", "type"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def world() -> tuple[Box, Graph, Graph]:
    box = Box()
    organizer = Graph(box.exchange, ANN)
    organizer.post("events", event(AUTO, recurrence=weekly()))
    return box, organizer, Graph(box.exchange, AUTO, immutable_ids=True)


@cache
def read_only_world() -> tuple[Box, Graph, str]:
    box, graph, _ = world()
    return box, graph, graph.value("events")[0]["id"]


def survives(graph: Graph, method: str, address: str, body: Any = None) -> None:
    """Answered (and then fit for the schema and for UTF-8) or refused."""
    refusal = refused(lambda: graph.call(method, address, body))
    if refusal is not None:
        assert 400 <= refusal.status < 500
        json.dumps(refusal.message).encode()


def refused(work: Callable[[], object]) -> GraphError | None:
    try:
        work()
    except GraphError as refusal:
        return refusal
    return None


@pytest.mark.parametrize("name", WRITTEN)
def test_no_value_of_a_property_brings_it_down(name: str) -> None:
    box, graph, theirs = world()
    for value in ODD:
        survives(graph, "POST", "events", {**event(), name: value})
        survives(graph, "PATCH", f"events/{graph.value('events')[0]['id']}", {name: value})
        survives(graph, "GET", "events?$top=1000&$orderby=start/dateTime")
        survives(theirs, "GET", "events")
    window = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2027-12-01T00:00:00Z"
    survives(graph, "GET", f"calendarView?{window}&$top=1000")
    assert box.exchange.items(ANN, "calendar")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_no_body_brings_it_down(body: Any) -> None:
    _, graph, theirs = world()
    own, other = graph.value("events")[0]["id"], theirs.value("events")[0]["id"]
    for method, address, one in (
        ("POST", "events", graph),
        ("PATCH", f"events/{own}", graph),
        ("PATCH", f"events/{own}.20261209", graph),
        ("POST", f"events/{other}/tentativelyAccept", theirs),
        ("POST", f"events/{other}.20261216/decline", theirs),
        ("POST", f"events/{own}/cancel", graph),
        ("POST", "translateExchangeIds", graph),
    ):
        one.sends(method, address, body)
        survives(one, method, address, body)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ADDRESSES), st.sampled_from(OPTIONS), st.text(max_size=40))
def test_no_query_brings_it_down(address: str, option: str, value: str) -> None:
    _, graph, event_id = read_only_world()
    route, call = graph.prepared("GET", address.replace("{id}", event_id))
    call.query = {option: value, "startDateTime": "2026-12-01", "endDateTime": "2026-12-30"}
    refusal = refused(lambda: route.answer(call))
    assert refusal is None or 400 <= refusal.status < 500


PIECES = [
    "subject", "eq", "ne", "and", "or", "not", "(", ")", ",", "'x'", "'", "null", "true", "7", "-1", "2026-12-01", "startswith",
    "contains", "start/dateTime", "isOrganizer", "categories/any", "singleValueExtendedProperties/Any", "ep:", "ep/id", "ep/value",
    "c", ":", "2026-12-01T00:00:00Z", "type", "'String 0x37'", "seriesMasterId", "iCalUId",
]  # fmt: skip


def test_no_filter_brings_it_down() -> None:
    _, graph, _ = world()
    chance = random.Random(7)
    for _ in range(3000):
        expression = " ".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
        route, call = graph.prepared("GET", "events")
        call.query = {"$filter": expression}
        refusal = refused(partial(route.answer, call))
        assert refusal is None or refusal.status == 400


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_no_id_brings_it_down(text: str) -> None:
    _, graph, event_id = read_only_world()
    route, call = graph.prepared("GET", "events/x")
    for one in (text, event_id + text, event_id[: len(text)]):
        call.path = {**call.path, "id": one}
        refusal = refused(partial(route.answer, call))
        assert refusal is None or refusal.status in {400, 404}


def test_what_another_face_wrote_into_our_own_properties_is_not_trusted() -> None:
    box, graph, _ = world()
    item = box.exchange.items(ANN, "calendar")[0]
    garbage: dict[PropertyTag, str | tuple[str, ...] | None] = {
        places.LOCATIONS: '[{"displayName": 7}, 3, {"displayName": "x", "evil": true}]',
        rendering.REMINDER_MINUTES: "soon",
        rendering.REMINDER_ON: ("a", "b"),
        rendering.CATEGORIES: "one",
        rendering.HIDE_ATTENDEES: "perhaps",
    }
    for text in (garbage[places.LOCATIONS], "[", "[" * 100_000, '"x"', "null"):
        box.exchange.update_item(ANN, item.id, {"extended": {**garbage, places.LOCATIONS: text}, "location": "x"})
        shown = graph.only()
        assert [one["displayName"] for one in shown["locations"]] == ["x"]
        assert shown["categories"] == ["one"]


@pytest.mark.parametrize(
    "content",
    [
        "<" * 20_000, "<div>" * 20_000, "<!--", "<script>", "&#0;&#xD800;", "<a href='java\tscript:x'>y</a>", "<p on=1 onx=2>z",
        "<svg><style>x</style></svg>", "\x00", "<html><body></body></html>", "<?xml version='1.0'?><p>x</p>",
        "<a HREF=' &#1; javascript:alert(1)'>y</a>", "<form action='javascript:x'><p>in</p></form>after",
    ],
)  # fmt: skip
def test_no_body_is_too_strange_to_show(content: str) -> None:
    box = Box()
    box.invite(AUTO, draft={"body": Body(content, "HTML")})
    shown = Graph(box.exchange, AUTO).only()["body"]["content"].lower()
    for bad in ("<script", "javascript:", "onx=", "<style", "<form"):
        assert bad not in shown
    Graph(box.exchange, AUTO, body_type="text").only()
