"""Choosing, ordering and cutting lists of events."""

import base64
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from greenroom.simulator.graph.odata import PAGING
from greenroom.simulator.model import CalendarItem
from support.box import ANN, AUTO, BOB, HOUR, START, Box
from support.graph_bodies import event, weekly
from support.graph_calls import BASE, Graph

CLEAN = "Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x23"


def boxed(count: int = 4) -> tuple[Box, Graph]:
    """Ann has meetings 0, 1, 2, … on consecutive hours, each made a minute after the other."""
    box = Box()
    for number in range(count):
        box.invite(
            *([AUTO] if number % 2 else []),
            draft={"subject": f"Meeting {number}", "start": START + number * HOUR, "end": START + (number + 1) * HOUR},
        )
        box.later()
    return box, Graph(box.exchange, ANN)


def subjects(graph: Graph, query: str) -> list[str]:
    return [one["subject"].removeprefix("Meeting ") for one in graph.value(f"events?{query}")]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("subject eq 'Meeting 1'", "1"),
        ("subject eq 'MEETING 1'", "1"),
        ("subject ne 'Meeting 1'", "023"),
        ("startswith(subject,'Meeting')", "0123"),
        ("startswith(subject, 'Meeting 3')", "3"),
        ("contains(subject,'ting 2')", "2"),
        ("lastModifiedDateTime gt 2026-12-01T08:01:30Z", "23"),
        ("lastModifiedDateTime ge 2026-12-01T08:02:00.0000000Z", "23"),
        ("lastModifiedDateTime lt '2026-12-01T08:01:00Z'", "0"),
        ("start/dateTime ge '2026-12-02T11:00:00'", "23"),
        ("start/dateTime ge '2026-12-02T10:00' and end/dateTime le '2026-12-02T12:00'", "12"),
        ("start/dateTime lt '2026-12-02T10:00' or start/dateTime ge '2026-12-02T12:00:00.0000000'", "03"),
        ("not (subject eq 'Meeting 0' or subject eq 'Meeting 1')", "23"),
        ("not startswith(subject,'Meeting 0')", "123"),
        ("(subject eq 'Meeting 0' or subject eq 'Meeting 1') and isOrganizer eq true", "01"),
        ("subject eq 'Meeting 0' or subject eq 'Meeting 1' and isOrganizer eq false", "0"),
        ("isOrganizer", "0123"),
        ("isCancelled eq false", "0123"),
        ("isOrganizer eq false", ""),
        ("type eq 'seriesMaster'", ""),
        ("type eq 'singleInstance'", "0123"),
        ("seriesMasterId eq null", "0123"),
        ("organizer/emailAddress/address eq 'ANN@box.test'", "0123"),
        ("sensitivity eq 'private'", ""),
        ("categories/any(c: c eq 'Red')", ""),
    ],
)
def test_a_filter_chooses(expression: str, found: str) -> None:
    _, graph = boxed()
    assert "".join(subjects(graph, f"$filter={quote(expression)}&$top=50")) == found


def test_a_meeting_is_found_by_its_uid_in_any_mailbox() -> None:
    box, graph = boxed()
    mine = graph.value("events?$filter=subject eq 'Meeting 1'")[0]
    found = Graph(box.exchange, AUTO).value(f"events?$filter=iCalUId eq '{mine['iCalUId']}'")
    assert [one["subject"] for one in found] == ["Meeting 1"]


def test_a_meeting_is_found_by_the_binary_clean_id() -> None:
    box, graph = boxed()
    wanted = base64.b64encode(_item(box, 1).meeting.clean_goid).decode()
    expression = f"singleValueExtendedProperties/Any(ep: ep/id eq '{CLEAN.lower()}' and ep/value eq '{wanted}')"
    assert subjects(graph, f"$filter={quote(expression)}") == ["1"]
    other = f"singleValueExtendedProperties/Any(ep: ep/id eq '{CLEAN}' and ep/value eq '{wanted[::-1]}')"
    assert subjects(graph, f"$filter={quote(other)}") == []


def _item(box: Box, number: int) -> CalendarItem:
    found = box.exchange.items(ANN, "calendar")[number]
    assert isinstance(found, CalendarItem)
    return found


def test_named_properties_are_set_found_expanded_and_removed() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    name = "String {0F6A8A4E-7D2C-4B0E-9C55-9A4D1E6B7C22} Name GreenroomId"
    made = graph.post("events", event(singleValueExtendedProperties=[{"id": name, "value": "one's"}]))
    assert "singleValueExtendedProperties" not in made
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{name}' or id eq '{CLEAN}')"
    shown = graph.get(f"events/{made['id']}?{expand}")["singleValueExtendedProperties"]
    assert [one["id"].split()[0] for one in shown] == ["String", "Binary"]
    assert shown[0]["value"] == "one's"
    expression = f"singleValueExtendedProperties/any(ep:ep/id eq '{name}' and ep/value eq 'one''s')"
    assert len(graph.value(f"events?$filter={quote(expression)}")) == 1
    graph.patch(f"events/{made['id']}", {"singleValueExtendedProperties": [{"id": name, "value": None}]})
    assert len(graph.get(f"events/{made['id']}?{expand}")["singleValueExtendedProperties"]) == 1


def test_select_shows_what_was_asked_for_and_the_id() -> None:
    _, graph = boxed(1)
    shown = graph.only("events?$select=subject,start")
    assert {name for name in shown if not name.startswith("@")} == {"id", "subject", "start"}
    assert "@odata.etag" in shown
    assert set(graph.get(f"events/{shown['id']}?$select=isAllDay")) == {
        "@odata.context",
        "@odata.etag",
        "id",
        "isAllDay",
    }


def test_order_goes_both_ways_and_by_several_properties() -> None:
    _, graph = boxed()
    assert subjects(graph, "$orderby=lastModifiedDateTime desc") == ["3", "2", "1", "0"]
    assert subjects(graph, "$orderby=start/dateTime") == ["0", "1", "2", "3"]
    assert subjects(graph, "$orderby=isOrganizer,subject desc") == ["3", "2", "1", "0"]


def test_ten_events_make_a_page_and_a_link_leads_on() -> None:
    _, graph = boxed(23)
    first = graph.get("calendar/events?$orderby=start/dateTime&$count=true&$select=subject")
    assert (len(first["value"]), first["@odata.count"]) == (10, 23)
    link = first["@odata.nextLink"]
    assert link.startswith(f"{BASE}/users/{ANN}/calendar/events?")
    assert parse_qs(urlsplit(link).query)["$skip"] == ["10"]
    second = graph.get(link)
    third = graph.get(second["@odata.nextLink"])
    assert "@odata.nextLink" not in third
    told = [one["subject"] for page in (first, second, third) for one in page["value"]]
    assert told == [f"Meeting {number}" for number in range(23)]


def test_pages_are_as_long_as_asked_for() -> None:
    box, graph = boxed(13)
    assert len(graph.value("events?$top=12")) == 12
    assert len(graph.value("events?$top=1000")) == 13
    assert len(graph.value("events?$skip=12")) == 1
    assert len(Graph(box.exchange, ANN, page_size=3).value("events")) == 3
    assert len(Graph(box.exchange, ANN, page_size=3).value("events?$top=2")) == 2


def test_a_page_may_be_shorter_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _, graph = boxed(5)
    monkeypatch.setattr(PAGING, "at_most", 2)
    page = graph.get("events?$top=500")
    assert len(page["value"]) == 2
    assert len(graph.get(graph.get(page["@odata.nextLink"])["@odata.nextLink"])["value"]) == 1


def test_a_list_shows_series_as_one_event() -> None:
    box = Box()
    graph = Graph(box.exchange, ANN)
    graph.post("events", event(recurrence=weekly()))
    assert [one["type"] for one in graph.value("events")] == ["seriesMaster"]


def test_the_calendar_can_be_named_by_its_id() -> None:
    box, graph = boxed(1)
    calendar = graph.get("calendar")
    assert graph.value("calendars") == [{name: value for name, value in calendar.items() if name != "@odata.context"}]
    assert len(graph.value(f"calendars/{calendar['id']}/events")) == 1
    other = Graph(box.exchange, BOB).get("calendar")["id"]
    assert graph.refused("GET", f"calendars/{other}/events") == (404, "ErrorItemNotFound")
    assert graph.value("calendars?$filter=name eq 'Calendar'") != []
    assert graph.value("calendars?$filter=name eq 'Birthdays'") == []


def test_a_user_is_shown_by_any_of_their_names() -> None:
    box = Box()
    assert Graph(box.exchange, "a.archer@box.test").get("users/a.archer@box.test")["mail"] == ANN
    assert set(Graph(box.exchange, ANN).get(f"users/{ANN}?$select=mail")) == {"@odata.context", "id", "mail"}


def test_ids_are_translated_both_ways() -> None:
    box = Box()
    box.invite(AUTO)
    plain = Graph(box.exchange, AUTO).only()["id"]
    lasting = Graph(box.exchange, AUTO, immutable_ids=True).only()["id"]
    graph = Graph(box.exchange, AUTO)
    forth = {"InputIds": [plain, "x" * 152], "TargetIdType": "restImmutableEntryId", "SourceIdType": "restId"}
    first, second = graph.post("translateExchangeIds", forth)["value"]
    assert first == {"sourceId": plain, "targetId": lasting}
    assert second["errorDetails"]["code"] == "ErrorInvalidIdMalformed"
    back = {"inputIds": [lasting], "targetIdType": "ewsId", "sourceIdType": "restImmutableEntryId"}
    assert graph.post("translateExchangeIds", back)["value"][0]["targetId"] == box.copy(AUTO).id
    many = {**back, "inputIds": [lasting] * 1001}
    assert graph.refused("POST", "translateExchangeIds", many)[0] == 400


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$select=nonsense", "RequestBroker--ParseUri"),
        ("$select=subject,uid", "RequestBroker--ParseUri"),
        ("$select=cancelledOccurrences", "ErrorInvalidUrlQuery"),
        ("$expand=exceptionOccurrences", "ErrorInvalidUrlQuery"),
        ("$expand=organizer", "RequestBroker--ParseUri"),
        ("$expand=singleValueExtendedProperties", "ErrorInvalidUrlQueryFilter"),
        ("$expand=singleValueExtendedProperties($filter=id eq 'nonsense')", "ErrorInvalidExtendedProperty"),
        ("$expand=singleValueExtendedProperties($filter=value eq 'x')", "ErrorInvalidUrlQueryFilter"),
        ("$expand=singleValueExtendedProperties($filter=id eq 'x'", "RequestBroker--ParseUri"),
        ("$filter=uid eq 'x'", "ErrorInvalidUrlQueryFilter"),
        ("$filter=subject eq", "RequestBroker--ParseUri"),
        ("$filter=subject eq 'x", "RequestBroker--ParseUri"),
        ("$filter=subject like 'x'", "RequestBroker--ParseUri"),
        ("$filter=subject eq 'x')", "RequestBroker--ParseUri"),
        ("$filter=(subject eq 'x'", "RequestBroker--ParseUri"),
        ("$filter=lastModifiedDateTime gt 'yesterday'", "ErrorInvalidUrlQueryFilter"),
        ("$filter=lastModifiedDateTime gt 7", "ErrorInvalidUrlQueryFilter"),
        ("$filter=lastModifiedDateTime gt 2026-99-99T00:00:00Z", "ErrorInvalidUrlQueryFilter"),
        ("$filter=isOrganizer eq 'x'", "ErrorInvalidUrlQueryFilter"),
        ("$filter=startswith(isAllDay,'x')", "ErrorInvalidUrlQueryFilter"),
        ("$filter=attendees/any(a: a eq 'x')", "ErrorInvalidUrlQueryFilter"),
        ("$filter=subject", "RequestBroker--ParseUri"),
        ("$filter=and", "ErrorInvalidUrlQueryFilter"),
        ("$filter=;", "RequestBroker--ParseUri"),
        ("$filter=" + "(" * 200 + "isOrganizer" + ")" * 200, "ErrorInvalidUrlQueryFilter"),
        ("$filter=" + "not " * 200 + "isOrganizer", "ErrorInvalidUrlQueryFilter"),
        ("$filter=" + "isOrganizer or " * 2000 + "isOrganizer", "ErrorInvalidUrlQueryFilter"),
        ("$orderby=nonsense", "ErrorInvalidUrlQueryOrderBy"),
        ("$orderby=subject sideways", "ErrorInvalidUrlQueryOrderBy"),
        ("$orderby=,", "ErrorInvalidUrlQueryOrderBy"),
        ("$top=0", "ErrorInvalidUrlQuery"),
        ("$top=1001", "ErrorInvalidUrlQuery"),
        ("$top=many", "ErrorInvalidUrlQuery"),
        ("$skip=-1", "ErrorInvalidUrlQuery"),
        ("$skip=²", "ErrorInvalidUrlQuery"),
        ("$search=x", "RequestBroker--ParseUri"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(query: str, code: str) -> None:
    _, graph = boxed(1)
    assert graph.refused("GET", f"events?{query}") == (400, code)
