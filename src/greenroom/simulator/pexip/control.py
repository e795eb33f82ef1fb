"""The control surface of a running platform, for whole-program tests: JSON over HTTP, from this machine only.

::

    GET    /pexip/control/calls            what was asked of the management API (see calls.Calls.snapshot)
    POST   /pexip/control/calls/reset
    GET    /pexip/control/faults           rules that are on
    POST   /pexip/control/faults           switch one on (see faults.Fault)
    DELETE /pexip/control/faults[/{id}]    switch all, or one, off
    POST   /pexip/control/seed             fill it (see seeding); answers with addresses by key
    POST   /pexip/control/dial             {"alias", "protocol"?, "remote_alias"?, "remote_address"?, "pin"?, "join"?, ...}
    POST   /pexip/control/hangup           {"participant": id}
    POST   /pexip/control/ask              {"kind": "participant" | "location" | "avatar" | "directory" | "registration", ...}
    POST   /pexip/control/options          see options.Options; answers with all of them
    POST   /pexip/control/policy           {"url", "username"?, "password"?, "enable_…"?, "timeout"?, "reachable"?, …}
    POST   /pexip/control/replication      {"seconds": 60}, or {"now": true} to let nodes know everything at once
    GET    /pexip/control/state            all objects of the configuration by resource, and what runs
    POST   /pexip/control/clock            {"now": ISO time or null for real time, "frozen"?}, or {"advance": seconds}
    POST   /pexip/control/tokens/revoke    make all tokens worthless
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.control import MAX_CONTROL_BYTES, guarded
from greenroom.simulator.faults import FaultRuleError
from greenroom.simulator.pexip.caller import Caller
from greenroom.simulator.pexip.faults import Fault
from greenroom.simulator.pexip.fields import CONFIGURATION
from greenroom.simulator.pexip.policy import PolicyProfile
from greenroom.simulator.pexip.values import moment_text
from greenroom.simulator.wire import bounded_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from greenroom.simulator.pexip.platform import Pexip

    Work = Callable[[dict[str, Any]], Awaitable[Any]]


def control_routes(pexip: Pexip) -> list[BaseRoute]:
    """The routes of the control surface."""
    control = _Control(pexip)
    posts: dict[str, Work] = {
        "calls/reset": control.reset,
        "faults": control.add_fault,
        "seed": control.seed,
        "dial": control.dial,
        "hangup": control.hangup,
        "ask": control.ask,
        "options": control.options,
        "policy": control.policy,
        "replication": control.replication,
        "clock": control.clock,
        "tokens/revoke": control.revoke,
    }
    routes: list[BaseRoute] = [
        Route(f"/pexip/control/{name}", guarded(_posted(work)), methods=["POST"]) for name, work in posts.items()
    ]
    for name, read in {"calls": pexip.calls.snapshot, "faults": pexip.faults.snapshot, "state": control.state}.items():
        routes.append(Route(f"/pexip/control/{name}", guarded(_read(read)), methods=["GET"]))
    routes += [
        Route("/pexip/control/faults", guarded(control.clear_faults), methods=["DELETE"]),
        Route("/pexip/control/faults/{id:int}", guarded(control.remove_fault), methods=["DELETE"]),
    ]
    return routes


def _read(work: Callable[[], Any]) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def answer(_request: Request) -> JSONResponse:
        return JSONResponse(work())

    return answer


def _posted(work: Work) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def answer(request: Request) -> JSONResponse:
        body = await bounded_body(request, MAX_CONTROL_BYTES)
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            return JSONResponse({"error": "send application/json"}, 415)
        try:
            data = json.loads(body or b"")
        except ValueError:
            return JSONResponse({"error": "not JSON"}, 400)
        if not isinstance(data, dict):
            return JSONResponse({"error": "not an object"}, 400)
        return JSONResponse(await work(data))

    return answer


class _Control:
    """What the addresses do."""

    def __init__(self, pexip: Pexip) -> None:
        self.pexip = pexip

    async def reset(self, _data: dict[str, Any]) -> Any:
        self.pexip.calls.clear()
        return {}

    async def add_fault(self, data: dict[str, Any]) -> Any:
        return {"id": self.pexip.faults.add(Fault.from_json(data))}

    async def clear_faults(self, _request: Request) -> JSONResponse:
        self.pexip.faults.clear()
        return JSONResponse({})

    async def remove_fault(self, request: Request) -> JSONResponse:
        found = self.pexip.faults.remove(request.path_params["id"])
        return JSONResponse({}, 200 if found else 404)

    async def seed(self, data: dict[str, Any]) -> Any:
        return self.pexip.seed(data)

    async def dial(self, data: dict[str, Any]) -> Any:
        if unknown := set(data) - set(Caller.__slots__):
            raise FaultRuleError(f"unknown field {min(unknown)}")
        if "alias" not in data:
            raise FaultRuleError("alias is missing")
        _typed(data)
        return await self.pexip.dial(**data)

    async def hangup(self, data: dict[str, Any]) -> Any:
        return {"left": self.pexip.hangup(str(data.get("participant")))}

    async def ask(self, data: dict[str, Any]) -> Any:
        kind = data.pop("kind", None)
        _typed(data)
        try:
            return await self.pexip.ask(kind, **data)
        except ValueError as error:
            raise FaultRuleError(str(error)) from None

    async def options(self, data: dict[str, Any]) -> Any:
        self.pexip.options.change(data)
        return self.pexip.options.snapshot()

    async def policy(self, data: dict[str, Any]) -> Any:
        known = {field.name for field in fields(PolicyProfile)} - {"verify"}
        if unknown := set(data) - known:
            raise FaultRuleError(f"unknown field {min(unknown)}; allowed are {', '.join(sorted(known))}")
        for name, value in data.items():
            setattr(self.pexip.policy, name, value)
        return {}

    async def replication(self, data: dict[str, Any]) -> Any:
        if data.get("now"):
            self.pexip.replicate()
        if isinstance(data.get("seconds"), int | float):
            self.pexip.replication = timedelta(seconds=data["seconds"])
        return {"seconds": self.pexip.replication.total_seconds()}

    def state(self) -> Any:
        running = self.pexip.running
        return {
            **{name: self.pexip.all(name) for name in CONFIGURATION},
            "running": [_plain(row) for row in running.status_conferences()],
            "disturbed": list(self.pexip.disturbed),
            "participants": [_plain(row) for row in running.status_participants()],
        }

    async def clock(self, data: dict[str, Any]) -> Any:
        clock = self.pexip.clock
        if not isinstance(clock, SimulatorClock):
            raise FaultRuleError("this clock cannot be set")
        if isinstance(data.get("advance"), int | float):
            clock.advance(timedelta(seconds=data["advance"]))
        elif data.get("now") is None:
            clock.reset()
        else:
            try:
                clock.set(datetime.fromisoformat(str(data["now"])), frozen=bool(data.get("frozen")))
            except ValueError as error:
                raise FaultRuleError(str(error)) from None
        return {"now": clock().isoformat()}

    async def revoke(self, _data: dict[str, Any]) -> Any:
        self.pexip.sign_in.revoke_all()
        return {}


def _typed(data: dict[str, Any]) -> None:
    """Refuse fields of a caller that are not what they should be."""
    wanted: dict[str, type] = dict.fromkeys(Caller.__slots__, str) | {"remote_port": int}
    wanted |= dict.fromkeys(("registered", "idp", "raw", "join"), bool)
    for name, value in data.items():
        if not isinstance(value, wanted.get(name, object)) and not (name in ("pin", "trigger") and value is None):
            raise FaultRuleError(f"{name} has the wrong type")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: moment_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
