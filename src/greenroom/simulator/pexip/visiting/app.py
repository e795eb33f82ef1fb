"""Everything of `visiting` as one application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from greenroom.simulator.outlook.guard import Guard
from greenroom.simulator.pexip.visiting.pages import HERE
from greenroom.simulator.pexip.visiting.web_app import WebApp

if TYPE_CHECKING:
    from greenroom.simulator.pexip.visiting.lobby import Lobby

PATHS: Final = ("/pexip/lobby", "/pexip/dial", "/pexip/hangup", "/pexip/policy", "/pexip/static/", "/webapp3/")
"""What the addresses of this application begin with."""


def create_visiting_app(lobby: Lobby, home: str = "/") -> Starlette:
    """Make the application: the web app of the lobby's platform, and where the lobby's forms go."""
    return Starlette(
        routes=[
            *lobby.routes(),
            *WebApp(lobby.pexip, home).routes(),
            Mount("/pexip/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Guard)],
    )
