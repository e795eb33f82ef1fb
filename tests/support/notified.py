"""Notifications as Graph posts them, made up, with planted words where content could be."""

import json
from typing import Any

from greenroom.exchange.graph.intake import Expectation, GraphIntake, Signal
from support import planted

TENANT = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
OTHER_TENANT = "5d3fbe1a-1111-4222-8333-944455556666"
SUBSCRIPTION = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"


def entry(client_state: str, **changed: Any) -> dict[str, Any]:
    """One notification of a change; what is None is left out."""
    found: dict[str, Any] = {
        "subscriptionId": SUBSCRIPTION,
        "subscriptionExpirationDateTime": "2026-11-28T11:00:00Z",
        "changeType": "updated",
        "resource": "Users/6f5c/Events/AAMk",
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Event",
            "@odata.etag": 'W/"1"',
            "id": "AAMk",
            "subject": planted.SUBJECT,
        },
        "encryptedContent": {"data": planted.TEXT},
        "clientState": client_state,
        "tenantId": TENANT,
    } | changed
    return {name: value for name, value in found.items() if value is not None}


def lifecycle(client_state: str, event: str, **changed: Any) -> dict[str, Any]:
    """One lifecycle notification."""
    return entry(client_state, **{"lifecycleEvent": event, "changeType": None, "resourceData": None} | changed)


def posted(*entries: Any) -> bytes:
    """The body of a post."""
    return json.dumps({"value": list(entries)}).encode()


class Listening:
    """An intake that knows one subscription, and what it has signalled."""

    def __init__(self, intake: GraphIntake, *, settled: bool = True) -> None:
        self.intake = intake
        self.signals: list[Signal] = []
        self.expectation: Expectation = intake.expect(self.signals.append)
        self.state = self.expectation.client_state
        self._versions = 0
        if settled:
            self.expectation.settle(SUBSCRIPTION)

    def fresh(self, **changed: Any) -> bytes:
        """A genuine notification that was never posted before."""
        self._versions += 1
        return posted(entry(self.state, resourceData={"id": "AAMk", "@odata.etag": f"{self._versions}"}, **changed))
