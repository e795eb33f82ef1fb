"""The control surface of a running simulator, for whole-program tests: JSON over HTTP, from this machine only.

::

    GET    /control/counters              calls counted so far
    POST   /control/counters/reset
    GET    /control/faults                rules that are on
    POST   /control/faults                switch one on (see faults.FaultRule)
    DELETE /control/faults[/{id}]         switch all, or one, off
    POST   /control/mailboxes             create a mailbox (see seeding)
    POST   /control/accounts              create a login (see seeding)
    POST   /control/applications          register an application (see seeding)
    POST   /control/lifecycle             {"subscription": id, "event": "missed" or another lifecycle event of Graph}
    POST   /control/options               {"silent_updates"?: bool, "strict"?: bool, "latency"?: seconds, "home"?: {address: where},
                                           "folders_locked"?: {address: bool}, "rights_cached_seconds"?: seconds,
                                           "message_rate"?: messages a minute of each mailbox, or null for any}
    POST   /control/deliver               {"mailbox", "ics", "sender"?}
    POST   /control/cmdlet                {"cmdlet", "parameters"?, "shell"?, "by"?}: {"objects": [...]} or {"error": {...}}
    GET    /control/state?mailbox=…       what lies in a mailbox, and what left the organisation
    POST   /control/clock                 {"now": ISO time or null for real time, "frozen"?}

Requests that a web page of another origin could make a browser send are refused.
"""

from __future__ import annotations

import json
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.routing import Route

from greenroom.simulator import seeding
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.errors import StoreError
from greenroom.simulator.faults import FaultRule, FaultRuleError
from greenroom.simulator.management import SHELLS, CmdletError, Management
from greenroom.simulator.model import CalendarItem, MeetingMessage, MeetingResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from greenroom.simulator.ews_face import EwsFace
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.graph_face import GraphFace
    from greenroom.simulator.model import Item

    Endpoint = Callable[[Request], Awaitable[Response]]

MAX_CONTROL_BYTES: Final = 4 * 1024 * 1024


class _RefusedError(Exception):
    """A control request that cannot be answered; the text goes into the reply."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def _loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in ("localhost", "testserver")


def guarded(endpoint: Endpoint) -> Endpoint:
    """Let only programs on this machine in, and no web page of another origin."""

    async def answer(request: Request) -> Response:
        origin = request.headers.get("Origin")
        foreign = origin is not None and not _loopback(urlsplit(origin).hostname)
        if (
            request.client is None
            or not _loopback(request.client.host)
            or not _loopback(request.url.hostname)
            or foreign
        ):
            return JSONResponse({"error": "only programs on this machine may use the control surface"}, 403)
        try:
            return await endpoint(request)
        except _RefusedError as refused:
            return JSONResponse({"error": refused.text}, refused.status)
        except (seeding.SeedError, FaultRuleError) as error:
            return JSONResponse({"error": str(error)}, 400)
        except StoreError as error:
            return JSONResponse({"error": str(error), "code": error.code}, 400)

    return answer


async def _json(request: Request) -> Any:
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise _RefusedError(415, "send application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_CONTROL_BYTES:
            raise _RefusedError(413, "too large")
    try:
        return json.loads(body)
    except ValueError:
        raise _RefusedError(400, "not JSON") from None


def control_routes(  # noqa: C901 - one small function for each route
    face: EwsFace, graph: GraphFace
) -> list[BaseRoute]:
    """The routes of the control surface of one simulator."""

    async def counters(_: Request) -> Response:
        return JSONResponse(face.counters.snapshot())

    async def reset(_: Request) -> Response:
        face.counters.reset()
        return JSONResponse({})

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            data = await _json(request)
            if not isinstance(data, dict):
                raise _RefusedError(400, "a rule is a JSON object")
            return JSONResponse({"id": face.faults.add(FaultRule.from_json(data))}, 201)
        if request.method == "DELETE":
            face.faults.clear()
        return JSONResponse(face.faults.snapshot())

    async def fault(request: Request) -> Response:
        if not face.faults.remove(int(request.path_params["id"])):
            raise _RefusedError(404, "no such rule")
        return JSONResponse({})

    async def mailboxes(request: Request) -> Response:
        mailbox = seeding.add_mailbox(face.exchange, await _json(request))
        return JSONResponse({"address": mailbox.address, "x500": mailbox.x500}, 201)

    async def accounts(request: Request) -> Response:
        seeding.add_account(face.exchange, await _json(request))
        return JSONResponse({}, 201)

    async def applications(request: Request) -> Response:
        seeding.add_application(face.exchange, await _json(request))
        return JSONResponse({}, 201)

    async def lifecycle(request: Request) -> Response:
        data = await _json(request)
        try:
            graph.lifecycle(data["subscription"], data["event"])
        except (TypeError, KeyError):
            raise _RefusedError(404, "no such subscription") from None
        except ValueError as error:
            raise _RefusedError(400, str(error)) from None
        return JSONResponse({}, 202)

    async def options(request: Request) -> Response:
        _set_options(face.exchange, graph, await _json(request))
        return JSONResponse({})

    async def deliver(request: Request) -> Response:
        data = await _json(request)
        if (
            not isinstance(data, dict)
            or not isinstance(data.get("mailbox"), str)
            or not isinstance(data.get("ics"), str)
        ):
            raise _RefusedError(400, "mailbox and ics must be texts")
        done = face.exchange.deliver_ics(data["mailbox"], data["ics"].encode(), sender=data.get("sender"))
        return JSONResponse(
            {
                "method": done.method,
                "uid": done.uid,
                "message_ids": list(done.message_ids),
                "calendar_item_ids": list(done.calendar_item_ids),
                "note": done.note,
            }
        )

    async def cmdlet(request: Request) -> Response:
        return run_cmdlet(face.exchange, await _json(request))

    async def state(request: Request) -> Response:
        return JSONResponse(mailbox_state(face.exchange, request.query_params.get("mailbox", "")))

    async def clock(request: Request) -> Response:
        data = await _json(request)
        if not isinstance(face.exchange.clock, SimulatorClock) or not isinstance(data, dict):
            raise _RefusedError(409, "this simulator's clock cannot be set")
        try:
            if data.get("now") is None:
                face.exchange.clock.reset()
            else:
                face.exchange.clock.set(datetime.fromisoformat(str(data["now"])), frozen=bool(data.get("frozen")))
        except ValueError as error:
            raise _RefusedError(400, f"now: {error}") from None
        return JSONResponse({"now": face.exchange.clock().isoformat()})

    return [
        Route("/control/counters", guarded(counters), methods=["GET"]),
        Route("/control/counters/reset", guarded(reset), methods=["POST"]),
        Route("/control/faults", guarded(faults), methods=["GET", "POST", "DELETE"]),
        Route("/control/faults/{id:int}", guarded(fault), methods=["DELETE"]),
        Route("/control/mailboxes", guarded(mailboxes), methods=["POST"]),
        Route("/control/accounts", guarded(accounts), methods=["POST"]),
        Route("/control/applications", guarded(applications), methods=["POST"]),
        Route("/control/lifecycle", guarded(lifecycle), methods=["POST"]),
        Route("/control/options", guarded(options), methods=["POST"]),
        Route("/control/deliver", guarded(deliver), methods=["POST"]),
        Route("/control/cmdlet", guarded(cmdlet), methods=["POST"]),
        Route("/control/state", guarded(state), methods=["GET"]),
        Route("/control/clock", guarded(clock), methods=["POST"]),
    ]


def run_cmdlet(exchange: Exchange, data: Any) -> Response:
    """Run one cmdlet of an administrator; what it refuses is an answer as well (400)."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "cmdlet": str, "parameters": dict, "shell": (str, type(None)), "by": (str, type(None)),
    }  # fmt: skip
    fits = isinstance(data, dict) and all(isinstance(value, kinds.get(name, ())) for name, value in data.items())
    if not fits or "cmdlet" not in data or data.get("shell") not in (None, *SHELLS):
        raise _RefusedError(400, f"a call has cmdlet, parameters, by, and as shell one of {', '.join(sorted(SHELLS))}")
    try:
        management = Management(exchange, by=data.get("by"))
        objects = management.run(data["cmdlet"], data.get("parameters", {}), shell=data.get("shell"))
    except CmdletError as error:
        about = {"category": error.category, "text": error.text, "kind": error.kind, "binding": error.binding}
        return JSONResponse({"error": about}, 400)
    return JSONResponse({"objects": objects})


def _set_options(exchange: Exchange, graph: GraphFace, data: Any) -> None:
    kinds: dict[str, type | tuple[type, ...]] = {
        "silent_updates": bool, "strict": bool, "latency": (int, float), "home": dict,
        "folders_locked": dict, "rights_cached_seconds": (int, float), "message_rate": (int, type(None)),
    }  # fmt: skip
    if not isinstance(data, dict) or not all(isinstance(value, kinds.get(name, ())) for name, value in data.items()):
        raise _RefusedError(400, f"options are {', '.join(sorted(kinds))}")
    homes = {exchange.mailbox(address).address: home for address, home in data.get("home", {}).items()}
    if not set(homes.values()) <= {"both", "cloud", "on-premises"}:
        raise _RefusedError(400, "home is both, cloud or on-premises")
    locks = [(exchange.mailbox(address), locked) for address, locked in data.get("folders_locked", {}).items()]
    if not all(isinstance(locked, bool) for _, locked in locks):
        raise _RefusedError(400, "folders_locked is true or false for each address")
    organisation = exchange.site.organisation
    rate = data.get("message_rate")
    if data.get("rights_cached_seconds", 0) < 0 or (rate is not None and rate < 1):
        raise _RefusedError(400, "rights_cached_seconds is not negative, message_rate is at least 1")
    organisation.rights_cached_seconds = data.get("rights_cached_seconds", organisation.rights_cached_seconds)
    organisation.message_rate = data.get("message_rate", organisation.message_rate)
    for mailbox, locked in locks:
        mailbox.folders_locked = locked
    for address, home in homes.items():
        exchange.mailbox(address).home = home
    exchange.site.silent_updates = data.get("silent_updates", exchange.site.silent_updates)
    graph.throttle.strict = data.get("strict", graph.throttle.strict)
    graph.latency = data.get("latency", graph.latency)


def mailbox_state(exchange: Exchange, address: str) -> dict[str, Any]:
    """What lies in a mailbox, as JSON: calendar, inbox, sentitems, deleteditems; and all mail that left the organisation."""
    mailbox = exchange.mailbox(address)
    names = ("calendar", "inbox", "sentitems", "deleteditems")
    return {
        "address": mailbox.address,
        **{name: [_summary(item) for item in exchange.items(mailbox.address, name)] for name in names},
        "outbound": [
            {
                "sender": mail.sender,
                "recipient": mail.recipient,
                "subject": mail.subject,
                "method": mail.method,
                "body": mail.body.content,
                "sent": mail.sent.isoformat(),
            }
            for mail in exchange.outbound
        ],
    }


def _summary(item: Item) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "id": item.id,
        "class": item.item_class,
        "subject": item.subject,
        "body": item.body.content,
        "body_type": item.body.type,
        "from": item.author.address if item.author is not None else None,
        "to": [person.address for person in item.to],
    }
    if isinstance(item, (CalendarItem, MeetingMessage)):
        meeting = item.meeting
        summary |= {
            "key": meeting.clean_goid.hex(),
            "uid": meeting.uid,
            "start": meeting.start.isoformat(),
            "end": meeting.end.isoformat(),
            "location": meeting.location,
            "organizer": meeting.organizer.address,
            "cancelled": meeting.is_cancelled,
            "sequence": meeting.sequence,
            "attendees": [
                {"address": attendee.person.address, "role": attendee.role, "response": attendee.response}
                for attendee in meeting.attendees
            ],
        }
    if isinstance(item, CalendarItem):
        summary["response"] = item.my_response
        summary["is_organizer"] = item.is_organizer
    if isinstance(item, MeetingResponse):
        summary["response"] = item.response
    return summary
