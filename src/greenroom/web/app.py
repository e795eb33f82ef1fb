"""The web application, put together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from greenroom.exchange.notifications import NotificationIntake
from greenroom.meetings.dialling import WaysToJoin
from greenroom.web.contract import RoomLookup
from greenroom.web.headers import SecurityHeaders
from greenroom.web.hooks import hooks_router
from greenroom.web.join import join_router
from greenroom.web.pages import Pages
from greenroom.web.policy import PolicyFront
from greenroom.web.qr import qr_router

_NO_INTAKES: Mapping[str, NotificationIntake] = MappingProxyType({})


def create_app(
    rooms: RoomLookup,
    clock: Callable[[], datetime],
    places: Mapping[int, WaysToJoin],
    intakes: Mapping[str, NotificationIntake] = _NO_INTAKES,
    *,
    base: str | None = None,
    policy: ASGIApp | None = None,
    more: Sequence[APIRouter] = (),
) -> FastAPI:
    """Make the application. `clock` gives aware UTC times; `places` tells by integration number how rooms are entered.

    `intakes` take, by the name of the integration, the notifications that Exchange posts. `base` is the public address of the
    join pages, which their QR codes hold; without it there are none. `policy` (from `policy_app`) answers below `/policy/`, before
    anything of a page is thought of. `more` are other routes: of the Outlook add-in, where there is one, and of the metrics.
    """
    app = FastAPI(
        title="Greenroom",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a redirect would name the host that the request claims
    )
    app.add_middleware(SecurityHeaders)
    if policy is not None:
        app.add_middleware(PolicyFront, policy=policy)  # what is added last stands in front
    pages = Pages()
    app.include_router(join_router(rooms, clock, places, pages))
    if base is not None:
        app.include_router(qr_router(base, pages))
    app.include_router(hooks_router(intakes))
    for router in more:
        app.include_router(router)

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def health() -> JSONResponse:
        """Tell a monitor that this process answers."""
        return JSONResponse({"status": "ok"})

    @app.api_route("/static/{name}", methods=["GET", "HEAD"])
    async def static(request: Request, name: str) -> Response:
        """Return a file that a page loads."""
        return pages.asset(name) or pages.render(request, "message.html", 404, kind="unknown")

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        """Answer what no route answers, in the house's style and without echoing the request."""
        response = pages.render(request, "message.html", error.status_code, kind="unknown")
        response.headers.update(error.headers or {})
        return response

    return app
