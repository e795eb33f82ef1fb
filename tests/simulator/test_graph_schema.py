"""The referee of Graph traffic can fail: what does not fit the published schema fails the test in which it was said."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from greenroom.simulator.graph.call import GraphCall, GraphReply, Route
from greenroom.simulator.graph.dispatch import Dispatcher
from support.graph_schema import notification_complaint, reply_complaint, request_complaint
from support.shared import shared_path
from support.simulator import EQUIPMENT, simulator_in_loop

SUBSCRIPTION = {
    "id": "1",
    "resource": "users/vmr@sim.test/events",
    "changeType": "updated",
    "notificationUrl": "https://greenroom.example.test/hooks/graph/main",
    "expirationDateTime": "2031-03-04T09:00:00Z",
}
NOTIFICATION = {
    "subscriptionId": "6d7e2a30-5a1c-4c1e-9a3e-0d6f4a1b2c3d",
    "subscriptionExpirationDateTime": "2031-03-04T09:00:00Z",
    "tenantId": "0a1b2c3d-0000-4000-8000-000000000001",
    "clientState": "x",
    "changeType": "updated",
    "resource": "Users/1/Events/2",
    "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": "2"},
}


@pytest.mark.parametrize(
    ("operation", "right", "wrong"),
    [
        ("CreateEvent", {"subject": "x"}, {"subjects": "x"}),
        ("UpdateEvent", {"locations": [{"displayName": "Room 4"}]}, {"locations": [{"name": "Room 4"}]}),
        ("UpdateEvent", {"body": {"contentType": "html", "content": "x"}}, {"body": {"contentType": "rtf"}}),
        ("AcceptEvent", {"comment": "x", "sendResponse": True}, {"comment": "x", "sendReply": True}),
        ("AcceptEvent", {"comment": "x"}, {"comment": 7}),
        ("DeclineEvent", {"sendResponse": False}, {"sendResponse": "no"}),
        ("CreateSubscription", {"changeType": "updated"}, {"changeTypes": "updated"}),
        ("RenewSubscription", {"expirationDateTime": "2031-03-04T09:00:00Z"}, {"expirationDateTime": "soon"}),
        ("Batch", {"requests": [{"id": "1", "method": "GET", "url": "/x"}]}, {"requests": [{"id": 1}]}),
        ("GetEvent", None, {"subject": "x"}),
    ],
)
def test_a_request_that_does_not_fit_is_told_from_one_that_does(operation: str, right: Any, wrong: Any) -> None:
    assert request_complaint(operation, right) is None
    assert request_complaint(operation, wrong)


@pytest.mark.parametrize(
    ("operation", "status", "right", "wrong"),
    [
        ("GetEvent", 200, {"id": "1", "isCancelled": False}, {"id": "1", "isCancelled": "no"}),
        ("GetEvent", 200, {"id": "1", "@odata.etag": "x"}, {"id": "1", "isCanceled": False}),
        ("UpdateEvent", 200, {"id": "1"}, {}),
        ("ListEvents", 200, {"value": [{"id": "1"}]}, {"value": [{"id": "1"}, {"subject": "x"}]}),
        ("ListEvents", 200, {"value": []}, {"values": []}),
        ("DeltaCalendarView", 200, {"value": [{"id": "1", "@removed": {"reason": "deleted"}}]}, {"value": ["1"]}),
        ("CreateSubscription", 201, SUBSCRIPTION, SUBSCRIPTION | {"resource": None}),
        ("ListSubscriptions", 200, {"value": [SUBSCRIPTION]}, {"value": [SUBSCRIPTION | {"odd": 1}]}),
        ("GetEvent", 404, {"error": {"code": "x", "message": "y", "innerError": {}}}, {"error": "x"}),
    ],
)
def test_an_answer_that_does_not_fit_is_told_from_one_that_does(
    operation: str, status: int, right: Any, wrong: Any
) -> None:
    assert reply_complaint(operation, status, right) is None
    assert reply_complaint(operation, status, wrong)


@pytest.mark.parametrize("wrong", [{"changeType": "moved"}, {"tenantId": None}, {"resourceData": None}, {"odd": 1}])
def test_a_notification_that_does_not_fit_is_told_from_one_that_does(wrong: dict[str, Any]) -> None:
    assert notification_complaint({"value": [NOTIFICATION]}) is None
    assert notification_complaint({"value": [NOTIFICATION, NOTIFICATION | wrong]})


async def test_an_answer_of_the_simulator_that_does_not_fit_fails_the_test_it_was_given_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared_path("schemas/graph")
    work = Dispatcher._work

    async def odd(self: Dispatcher, route: Route, call: GraphCall) -> GraphReply:
        return replace(await work(self, route, call), body={"value": [{"id": "1", "isCanceled": False}]})

    monkeypatch.setattr(Dispatcher, "_work", odd)
    with pytest.raises(AssertionError, match="unknown property isCanceled"):
        async with simulator_in_loop() as sim, httpx2.AsyncClient(trust_env=False) as http:
            await http.get(f"{sim.graph_url}/users/{EQUIPMENT}/events", headers=sim.bearer())


async def test_a_request_that_does_not_fit_is_refused_and_fails_the_test_it_was_made_in() -> None:
    shared_path("schemas/graph")
    statuses: list[int] = []

    async def ask() -> None:
        async with simulator_in_loop() as sim, httpx2.AsyncClient(trust_env=False) as http:
            address = f"{sim.graph_url}/users/{EQUIPMENT}/events"
            statuses.append((await http.post(address, headers=sim.bearer(), json={"subjects": "x"})).status_code)

    with pytest.raises(AssertionError, match="unknown property subjects"):
        await ask()
    assert statuses == [400]
