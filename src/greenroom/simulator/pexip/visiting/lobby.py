"""Parts of a page: a form to dial any alias, what became of calls, who is in a room, and which rooms there are."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from greenroom.simulator.pexip.visiting.pages import LONGEST, fields_of, render
from greenroom.simulator.pexip.visiting.words import Outcome, outcome

if TYPE_CHECKING:
    from datetime import datetime

    from markupsafe import Markup
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from greenroom.simulator.pexip.platform import Pexip

PROTOCOLS: Final = {"sip": "Video system (SIP)", "h323": "Video system (H.323)", "webrtc": "Web browser"}
_CALLER: Final = "a visitor"
_CALLS: Final = 5
_ROOMS: Final = 25


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that somebody made here."""

    at: datetime
    alias: str
    how: str
    name: str | None
    outcome: Outcome


class Lobby:
    """`home` is the address of the page that shows the parts; after every form the browser comes back to it."""

    def __init__(self, pexip: Pexip, home: str = "/") -> None:
        self.pexip = pexip
        self._home = home
        self._calls: deque[_Call] = deque(maxlen=_CALLS)

    def routes(self) -> list[BaseRoute]:
        """Where forms go, and from where `parts` are fetched anew."""
        return [
            Route("/pexip/lobby", self._parts),
            Route("/pexip/dial", self._dial, methods=["POST"]),
            Route("/pexip/hangup", self._hangup, methods=["POST"]),
            Route("/pexip/policy", self._policy, methods=["POST"]),
        ]

    def form(self, alias: str) -> Markup:
        """The form, with an alias in it."""
        return render("form.html", alias=alias[:LONGEST], longest=LONGEST, protocols=PROTOCOLS)

    def button(self, alias: str, name: str) -> Markup:
        """A button that dials an alias; `name` is one of its own on the page."""
        return render("button.html", alias=alias, name=name)

    def parts(self) -> Markup:
        """Calls, people and rooms."""
        running = self.pexip.running.conferences
        with self.pexip.store.lock:
            rows = self.pexip.store.management.tables["conference"].rows
            rooms = [self._room(number) for number in sorted(rows, reverse=True)[:_ROOMS]]
            more = len(rows) - len(rooms)
        people = [(one, conference) for conference in running.values() for one in conference.participants.values()]
        return render(
            "lobby.html",
            calls=list(reversed(self._calls)),
            people=people,
            rooms=rooms,
            more=more,
            reachable=self.pexip.policy.reachable,
        )

    def _room(self, number: int) -> dict[str, Any]:
        tables = self.pexip.store.management.tables
        row = tables["conference"].rows[number]
        numbers = tables["conference_alias"].pointing("conference", number)
        inside = self.pexip.running.conferences.get(row["name"])
        return {
            "name": row["name"],
            "tag": row["tag"],
            "aliases": [tables["conference_alias"].rows[one]["alias"] for one in numbers],
            "pins": [pin for pin in (row["pin"], row["guest_pin"]) if pin],
            "inside": len(inside.participants) if inside else 0,
            "known": number in self.pexip.store.node.tables["conference"].rows,
        }

    async def _parts(self, _request: Request) -> Response:
        return HTMLResponse(self.parts())

    async def _dial(self, request: Request) -> Response:
        given = await fields_of(request)
        alias, protocol = given.get("alias", ""), given.get("protocol", "")
        protocol = protocol if protocol in PROTOCOLS else "sip"
        if alias:
            pin = given.get("pin") or None
            report = await self.pexip.dial(alias, protocol=protocol, pin=pin, remote_alias=_CALLER, join=True)
            told = outcome(report, coming=self.pexip.has(alias))
            self._calls.append(_Call(self.pexip.clock(), alias, PROTOCOLS[protocol], report["name"], told))
        return self._back(request, alias)

    async def _hangup(self, request: Request) -> Response:
        self.pexip.hangup((await fields_of(request)).get("participant", ""))
        return self._back(request)

    async def _policy(self, request: Request) -> Response:
        self.pexip.policy.reachable = (await fields_of(request)).get("reachable") == "yes"
        return self._back(request)

    def _back(self, request: Request, alias: str = "") -> Response:
        there = request.url.replace(path=self._home, query="", fragment="dial")
        return RedirectResponse(str(there.include_query_params(alias=alias) if alias else there), 303)
