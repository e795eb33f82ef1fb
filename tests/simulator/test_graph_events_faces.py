"""One store, two faces: what one face writes, the other shows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from greenroom.simulator.clock import SimulatorClock
from support.ews_raw import GOID_PATH, RawClient, get_item, meeting, sync
from support.graph_bodies import BERLIN, at, event, people, weekly
from support.simulator import EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

CLEAN = "Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x23"
EWS_FIELDS = "".join(
    f'<t:FieldURI FieldURI="{name}"/>'
    for name in (
        "item:Subject",
        "item:Sensitivity",
        "calendar:Start",
        "calendar:End",
        "calendar:IsAllDayEvent",
        "calendar:Location",
        "calendar:CalendarItemType",
        "calendar:IsCancelled",
        "calendar:MyResponseType",
        "calendar:ModifiedOccurrences",
        "calendar:DeletedOccurrences",
        "calendar:Recurrence",
    )
)


class Both:
    """A running simulator and a client for each of its faces."""

    def __init__(self, sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
        self.sim = sim
        self.ews = RawClient(sim, http)
        self._http = http

    async def graph(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Call Graph; returns the body of the answer, which must be a success."""
        response = await self._http.request(
            method,
            f"{self.sim.graph_url}/users/{address}",
            json=body,
            headers={**self.sim.bearer(), **headers},
        )
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def only(self, address: str) -> Any:
        (found,) = (await self.graph("GET", address))["value"]
        return found

    async def over_ews(self, mailbox: str, *paths: str) -> list[str]:
        """What EWS says of the only item in a calendar."""
        listed = await self.ews.call(sync("calendar"), mailbox)
        ((item_id, _),) = listed.ids("CalendarItem")
        reply = await self.ews.call(get_item(item_id, more=EWS_FIELDS + GOID_PATH), mailbox)
        return [element.text or "" for path in paths for element in reply.all(f"//t:CalendarItem/{path}")]


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    clock = SimulatorClock(datetime(2026, 12, 1, 8, tzinfo=UTC))
    async with simulator_in_loop(clock=clock) as sim, httpx2.AsyncClient() as http:
        yield Both(sim, http)


async def test_an_invitation_over_graph_is_read_over_ews(both: Both) -> None:
    made = await both.graph(
        "POST",
        f"{ORGANIZER}/events?$expand=singleValueExtendedProperties($filter=id eq '{CLEAN}')",
        event(EQUIPMENT, location={"displayName": "Room 4"}, sensitivity="private"),
    )
    said = await both.over_ews(
        EQUIPMENT,
        "t:Subject",
        "t:Sensitivity",
        "t:Location",
        "t:Start",
        "t:MyResponseType",
        "t:ExtendedProperty/t:Value",
    )
    goid = made["singleValueExtendedProperties"][0]["value"]
    assert said == ["Plan", "Private", "Room 4", "2026-12-02T09:00:00Z", "NoResponseReceived", goid]


async def test_an_invitation_over_ews_is_read_and_answered_over_graph(both: Both) -> None:
    await both.ews.call(meeting("From EWS"), ORGANIZER)
    prefer = {"Prefer": 'IdType="ImmutableId", outlook.body-content-type="html"'}
    found = (await both.graph("GET", f"{EQUIPMENT}/calendar/events", **prefer))["value"][0]
    assert (found["subject"], found["location"]["displayName"]) == ("From EWS", "Room 4")
    assert "Agenda" in found["body"]["content"]
    assert found["attendees"][0]["type"] == "resource"
    await both.graph("POST", f"{EQUIPMENT}/events/{found['id']}/accept", {"comment": "Ready", "sendResponse": True})
    assert await both.over_ews(EQUIPMENT, "t:MyResponseType") == ["Accept"]
    seen = await both.only(f"{ORGANIZER}/events")
    assert seen["attendees"][0]["status"]["response"] == "accepted"


async def test_a_series_with_exceptions_is_the_same_over_both(both: Both) -> None:
    body = event(
        EQUIPMENT, recurrence=weekly(), start=at("02T09:00", BERLIN), end=at("02T10:00", BERLIN), subject="Series"
    )
    made = await both.graph("POST", f"{ORGANIZER}/events", body)
    window = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2027-01-30T00:00:00Z"
    days = (await both.graph("GET", f"{ORGANIZER}/events/{made['id']}/instances?{window}"))["value"]
    moved = {"start": at("10T11:00"), "end": at("10T12:00"), "subject": "Moved"}
    await both.graph("PATCH", f"{ORGANIZER}/events/{days[1]['id']}", moved)
    await both.graph("DELETE", f"{ORGANIZER}/events/{days[2]['id']}")
    for mailbox in (ORGANIZER, EQUIPMENT):
        said = await both.over_ews(
            mailbox,
            "t:CalendarItemType",
            "t:ModifiedOccurrences/t:Occurrence/t:Start",
            "t:ModifiedOccurrences/t:Occurrence/t:OriginalStart",
            "t:DeletedOccurrences/t:DeletedOccurrence/t:Start",
        )
        assert said == ["RecurringMaster", "2026-12-10T11:00:00Z", "2026-12-09T08:00:00Z", "2026-12-16T08:00:00Z"]
        own = (await both.only(f"{mailbox}/events"))["id"]
        query = "$select=cancelledOccurrences,subject&$expand=exceptionOccurrences"
        master = await both.graph("GET", f"{mailbox}/events/{own}?{query}")
        assert [one.rpartition(".")[2] for one in master["cancelledOccurrences"]] == ["2026-12-16"]
        (exception,) = master["exceptionOccurrences"]
        assert (exception["subject"], exception["originalStart"]) == ("Moved", "2026-12-09T08:00:00.0000000Z")


async def test_an_all_day_meeting_keeps_its_day_over_both(both: Both) -> None:
    body = event(EQUIPMENT, isAllDay=True, start=at("02T00:00", "Europe/Berlin"), end=at("03T00:00", BERLIN))
    await both.graph("POST", f"{ORGANIZER}/events", body)
    said = await both.over_ews(EQUIPMENT, "t:IsAllDayEvent", "t:Start", "t:End")
    assert said == ["true", "2026-12-01T23:00:00Z", "2026-12-02T23:00:00Z"]
    shown = await both.only(f"{EQUIPMENT}/events")
    assert (shown["start"]["dateTime"], shown["originalStartTimeZone"]) == ("2026-12-02T00:00:00.0000000", BERLIN)


async def test_an_all_day_meeting_over_ews_is_one_over_graph(both: Both) -> None:
    whole_day = meeting().replace("<t:Location>", "<t:IsAllDayEvent>true</t:IsAllDayEvent><t:Location>")
    await both.ews.call(whole_day, ORGANIZER)
    shown = await both.only(f"{EQUIPMENT}/events")
    assert (shown["isAllDay"], shown["start"]["dateTime"][:10], shown["end"]["dateTime"][:10]) == (
        True,
        "2026-12-03",
        "2026-12-04",
    )


async def test_a_cancellation_reaches_the_other_face(both: Both) -> None:
    made = await both.graph("POST", f"{ORGANIZER}/events", event(EQUIPMENT))
    await both.graph("POST", f"{ORGANIZER}/events/{made['id']}/cancel", {"comment": "Off"})
    assert await both.over_ews(EQUIPMENT, "t:Subject", "t:IsCancelled") == ["Canceled: Plan", "true"]
    shown = await both.only(f"{EQUIPMENT}/events")
    assert (shown["isCancelled"], shown["iCalUId"]) == (True, made["iCalUId"])


async def test_a_patch_of_the_organizers_meeting_arrives_over_ews(both: Both) -> None:
    await both.ews.call(meeting("From EWS"), ORGANIZER)
    mine = await both.only(f"{ORGANIZER}/events")
    found = await both.graph("GET", f"{ORGANIZER}/events?$filter=iCalUId eq '{mine['iCalUId']}'")
    assert [one["id"] for one in found["value"]] == [mine["id"]]
    change = {"body": {"contentType": "html", "content": "<p>Agenda</p><p>Join here</p>"}}
    locations = {"locations": [*mine["locations"], {"displayName": "Video"}]}
    await both.graph(
        "PATCH", f"{ORGANIZER}/events/{mine['id']}", {**change, **locations}, **{"If-Match": mine["@odata.etag"]}
    )
    assert await both.over_ews(EQUIPMENT, "t:Location") == ["Room 4; Video"]
    assert "Join here" in (await both.only(f"{EQUIPMENT}/events"))["body"]["content"]


async def test_an_id_of_ews_is_translated_for_graph(both: Both) -> None:
    await both.graph("POST", f"{ORGANIZER}/events", event(EQUIPMENT))
    listed = await both.ews.call(sync("calendar"), EQUIPMENT)
    ((item_id, _),) = listed.ids("CalendarItem")
    wanted = {"inputIds": [item_id], "sourceIdType": "ewsId", "targetIdType": "restImmutableEntryId"}
    answer = await both.graph("POST", f"{EQUIPMENT}/translateExchangeIds", wanted)
    lasting = answer["value"][0]["targetId"]
    assert (await both.graph("GET", f"{EQUIPMENT}/events/{lasting}"))["subject"] == "Plan"


async def test_lists_are_followed_over_http(both: Both) -> None:
    for number in range(12):
        await both.graph("POST", f"{ORGANIZER}/events", event(subject=f"Meeting {number}", attendees=people()))
    page = await both.graph(
        "GET", f"{ORGANIZER}/events?$filter=startswith(subject,'Meeting')&$orderby=lastModifiedDateTime"
    )
    link = page["@odata.nextLink"].partition("/users/")[2]
    rest = await both.graph("GET", link)
    assert len(page["value"]) + len(rest["value"]) == 12
    assert page["@odata.nextLink"].startswith(both.sim.graph_url)
