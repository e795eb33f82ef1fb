"""A web app of sorts, at the address that Pexip's own has: it asks for a name and a PIN, and says where one is then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from greenroom.simulator.pexip.visiting.pages import LONGEST, fields_of, render
from greenroom.simulator.pexip.visiting.words import outcome

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from greenroom.simulator.pexip.platform import Pexip

_ASKS = ("PIN required", "wrong PIN")


class WebApp:
    """Pages at /webapp3; `home` is where somebody goes who has left."""

    def __init__(self, pexip: Pexip, home: str = "/") -> None:
        self.pexip = pexip
        self._home = home

    def routes(self) -> list[BaseRoute]:
        """Entrance and room."""
        return [
            Route("/webapp3/m/{alias:path}", self._entrance, methods=["GET", "POST"]),
            Route("/webapp3/in/{participant}", self._inside, methods=["GET", "POST"]),
        ]

    async def _entrance(self, request: Request) -> Response:
        """Ask the node first, as web apps do, and dial when the form comes."""
        alias = request.path_params["alias"].strip()[:LONGEST]
        given = await fields_of(request) if request.method == "POST" else None
        if given is None:
            report = await self.pexip.dial(alias, protocol="api")
        else:
            name = given.get("name") or "Visitor"
            pin = given.get("pin") or None
            report = await self.pexip.dial(
                alias, protocol="webrtc", pin=pin, remote_alias=name, remote_display_name=name, join=True
            )
            if report["participant"] is not None:
                return RedirectResponse(f"/webapp3/in/{quote(report['participant'])}", 303)
        return self._shown(alias, report, given or {})

    def _shown(self, alias: str, report: dict[str, Any], given: dict[str, str]) -> Response:
        door = outcome(report, coming=self.pexip.has(alias))
        is_room = report["service_type"] in ("conference", "lecture")
        asks = report["reason"] in _ASKS
        opens = is_room and (asks or report["admitted"])
        page = render(
            "entrance.html",
            alias=alias,
            name=report["name"] if opens else None,
            who=given.get("name", ""),
            opens=opens,
            asks=asks,
            wrong=report["reason"] == "wrong PIN",
            door=door,
            home=self._home,
        )
        return HTMLResponse(page)

    async def _inside(self, request: Request) -> Response:
        participant = request.path_params["participant"]
        if request.method == "POST":
            self.pexip.hangup(participant)
            return RedirectResponse(f"/webapp3/in/{quote(participant, safe='')}", 303)
        place = self.pexip.running.whereabouts(participant)
        if place is None:
            return HTMLResponse(render("left.html", home=self._home))
        conference, one = place
        role = "host" if one.role == "chair" else "guest"
        others = len(conference.participants) - 1
        waits = role == "guest" and not conference.started
        page = render(
            "inside.html",
            room=conference.name,
            who=one.display_name,
            role=role,
            others=others,
            waits=waits,
            alias=one.alias,
        )
        return HTMLResponse(page)
