"""Whole events, and a scripted calendar that lists and gives them."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2

from exchange.graph.answering import MAILBOX, Answer, Graph, ok, refused
from exchange.graph.listing import BEGIN, event
from greenroom.exchange.graph.events import CLEAN_GLOBAL_OBJECT_ID, GLOBAL_OBJECT_ID, read_event
from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.exchange.graph.settings import GraphSettings
from greenroom.meetings.meeting import ItemRef, MeetingKey
from support import planted

if TYPE_CHECKING:
    from collections.abc import Callable

GOID = bytes.fromhex("040000008200E00074C5B7101A82E008") + bytes(20) + (16).to_bytes(4, "little") + bytes(range(16))
DATED = GOID[:16] + bytes([0x07, 0xEF, 5, 6]) + GOID[20:]
KEY = MeetingKey.of_global_object_id(GOID)
START = datetime(2031, 5, 6, 9, tzinfo=UTC)
Events = dict[str, dict[str, Any]]


def extended(**values: bytes | str) -> list[dict[str, str]]:
    """Extended properties as Graph names them in answers."""
    names = {"goid": GLOBAL_OBJECT_ID.lower(), "clean": CLEAN_GLOBAL_OBJECT_ID.lower()}
    return [
        {"id": names.get(name, name), "value": b64encode(value).decode() if isinstance(value, bytes) else value}
        for name, value in values.items()
    ]


def whole(ident: str, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "createdDateTime": "2031-01-01T00:00:00Z",
        "organizer": {"emailAddress": {"name": planted.NAME, "address": "SMTP:Olga@Example.Test"}},
        "attendees": [{"type": "resource", "emailAddress": {"name": "Room", "address": MAILBOX}}],
        "body": {"contentType": "html", "content": "<p>Agenda</p>"},
        "isOrganizer": False,
        "responseRequested": True,
        "originalStartTimeZone": "UTC",
    }
    return event(ident, BEGIN, **{**said, **more})


def master(ident: str, **more: Any) -> dict[str, Any]:
    rule = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"},
        "range": {"type": "noEnd", "startDate": "2031-05-06"},
    }
    return whole(ident, **{"type": "seriesMaster", "recurrence": rule} | more)


class Calendar:
    """A calendar that lists and gives these events; `wrong` answers instead where it has one for an operation and id."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events: Events = {one["id"]: one for one in events}
        self.wrong: dict[str, Callable[[], Answer]] = {}
        self.graph = Graph(self._script)
        self.asked: list[str] = []

    def mailbox(self) -> GraphMailbox:
        settings = GraphSettings(MAILBOX, "tenant", self.graph.tokens, timeout=timedelta(seconds=5))
        way = httpx2.MockTransport(self.graph._answer)
        return GraphMailbox(settings, limits=self.graph.limits, clock=self.graph.clock, http=way)

    def refs(self) -> list[ItemRef]:
        return [read_event(one).ref for one in self.events.values()]

    def _script(self, request: httpx2.Request) -> Answer:
        parts = urlsplit(str(request.url))
        if parts.path.endswith("/$batch"):
            self.asked.append("Batch")
            inside = json.loads(request.content)["requests"]
            return ok({"responses": [self._inside(one) for one in inside]})
        return self._one(parts.path.removeprefix("/v1.0/"), parts.query)

    def _inside(self, one: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(one["url"])
        answer = self._one(parts.path.lstrip("/"), parts.query)
        assert isinstance(answer, httpx2.Response)
        body = json.loads(answer.content) if answer.content else None
        return {"id": one["id"], "status": answer.status_code, "body": body}

    def _one(self, path: str, query: str) -> Answer:
        options = {name: values[0] for name, values in parse_qs(query).items()}
        segments = [unquote(part) for part in path.split("/")]
        if segments[-1] == "events":
            self.asked.append("ListEvents")
            return self.wrong.get("list", lambda: ok({"value": list(self.events.values())}))()
        _, deep, rest = options["$expand"].partition("exceptionOccurrences")
        answers = "responseStatus" in rest
        self.asked.append(
            f"GetEvent {segments[-1]}{' deep' if deep else ''}{'' if answers or not deep else ' (times)'}"
        )
        answer = self.wrong.get("deep" if deep else segments[-1]) or self.wrong.get(segments[-1])
        answer = (self.wrong.get("answers") if answers else None) or answer
        if answer is not None:
            return answer()
        found = self.events.get(segments[-1])
        return refused(404, "ErrorItemNotFound") if found is None else ok(found)
