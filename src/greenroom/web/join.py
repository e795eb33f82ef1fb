"""The stable join link, `/j/<id>`, as a page and as JSON.

An id is 80 bits of a MAC: it cannot be guessed, and an unknown one is answered like a malformed one. The page carries what is
needed to get in only while the room is open, and never a PIN.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from greenroom.web.contract import JoinRoom, Place, RoomLookup, RoomsUnavailableError
from greenroom.web.join_view import is_single, state_of, view
from greenroom.web.pages import Pages

log = structlog.get_logger(__name__)

_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{16}")
_RETRY = {"Retry-After": "15"}


def join_router(
    rooms: RoomLookup, clock: Callable[[], datetime], places: Mapping[int, Place], pages: Pages
) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    async def find(join_id: str) -> JoinRoom | None:
        wanted = join_id.lower()  # some clients shout addresses
        return await rooms.by_join_id(wanted) if _ID.fullmatch(wanted) else None

    @router.api_route("/j/{join_id}.json", methods=["GET", "HEAD"])
    async def as_json(join_id: str) -> Response:
        """Tell the state and the times, for the page's own script and for automation; like the page no end of a series."""
        try:
            room = await find(join_id)
        except RoomsUnavailableError as error:
            log.warning("rooms cannot be looked up", error=str(error))
            return JSONResponse({"state": "unavailable"}, 503, headers=_RETRY)
        if room is None:
            return JSONResponse({"state": "unknown"}, 404)
        now, window = clock(), room.spec.window
        times = {
            "now": now,
            "opens": window.opens,
            "starts": window.starts,
            "ends": window.ends if is_single(window) else None,
            "closes": window.closes if is_single(window) else None,
        }
        written = {name: None if at is None else at.isoformat() for name, at in times.items()}
        return JSONResponse({"state": state_of(room, now).value, **written})

    @router.api_route("/j/{join_id}/", methods=["GET", "HEAD"])
    @router.api_route("/j/{join_id}", methods=["GET", "HEAD"])
    async def as_page(request: Request, join_id: str) -> Response:
        """Show the page."""
        try:
            room = await find(join_id)
        except RoomsUnavailableError as error:
            log.warning("rooms cannot be looked up", error=str(error))
            response = pages.render(request, "message.html", 503, kind="unavailable")
            response.headers.update(_RETRY)
            return response
        if room is None:
            return pages.render(request, "message.html", 404, kind="unknown")
        return pages.render(request, "join.html", view=view(room, places.get(room.integration, Place()), clock()))

    return router
