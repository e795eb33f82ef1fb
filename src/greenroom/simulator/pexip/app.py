"""The simulated platform as one ASGI application, and a way to it without a network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
from starlette.applications import Starlette
from starlette.routing import Route

from greenroom.simulator.pexip.control import control_routes
from greenroom.simulator.pexip.management import ManagementFace
from greenroom.simulator.pexip.oauth import TOKEN_PATH
from greenroom.simulator.wire import Cuttable

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from greenroom.simulator.pexip.platform import Pexip

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class PexipApp(Cuttable):
    """The application; `pexip` is the platform."""

    def __init__(self, pexip: Pexip, routes: list[BaseRoute]) -> None:
        self.pexip = pexip
        super().__init__(Starlette(routes=routes))

    def close(self) -> None:
        """Nothing stays open; here for the server's sake."""


def pexip_routes(pexip: Pexip) -> list[BaseRoute]:
    """The routes of the platform, to be served beside others (`create_simulator_app(..., routes=...)`)."""
    face = ManagementFace(pexip)
    return [
        Route("/api/admin/{rest:path}", face.api, methods=_METHODS),
        Route(TOKEN_PATH, face.token, methods=_METHODS),
        *control_routes(pexip),
    ]


def create_pexip_app(pexip: Pexip) -> PexipApp:
    """Make the application of a platform: management API, sign-in, control surface."""
    return PexipApp(pexip, pexip_routes(pexip))


class InProcess(httpx2.ASGITransport):
    """A way to the platform without a network, on which connections break and time runs out as on a real one."""

    def __init__(self, pexip: Pexip) -> None:
        super().__init__(app=create_pexip_app(pexip))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises httpx2.ReadTimeout and httpx2.ReadError as a network would."""
        limits: dict[str, Any] = request.extensions.get("timeout") or {}
        try:
            async with asyncio.timeout(limits.get("read")):
                return await super().handle_async_request(request)
        except TimeoutError:
            raise httpx2.ReadTimeout("the simulator did not answer in time", request=request) from None
        except ConnectionResetError:
            raise httpx2.ReadError("the simulator cut the connection", request=request) from None
