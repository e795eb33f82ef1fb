"""The stable join link, `/j/<id>`, as a page and as JSON.

An id is 80 bits of a MAC: it cannot be guessed, and an unknown one is answered like a malformed one. The page carries what is
needed to get in only while the room is open, and never a PIN.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

import structlog
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from greenroom.meetings.dialling import WaysToJoin
from greenroom.web.contract import JoinRoom, RoomLookup, RoomsUnavailableError
from greenroom.web.join_times import state_of, times_of
from greenroom.web.join_view import view
from greenroom.web.pages import Pages

log = structlog.get_logger(__name__)

_Said = TypeVar("_Said")

JOIN_ID_FORM = re.compile(r"[0-9a-hjkmnp-tv-z]{16}")
_RETRY = {"Retry-After": "15"}


def join_router(
    rooms: RoomLookup, clock: Callable[[], datetime], places: Mapping[int, WaysToJoin], pages: Pages
) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    async def find(join_id: str, say: Callable[[JoinRoom, datetime], _Said]) -> _Said | None:
        """Say something of a room, None if there is none. Raises RoomsUnavailableError."""
        wanted = join_id.lower()  # some clients shout addresses
        room = await rooms.by_join_id(wanted) if JOIN_ID_FORM.fullmatch(wanted) else None
        if room is None:
            return None
        if room.retired_at is None and not room.spec.admission.times:
            # Every room that lives is for something: what it is for could not be read. Storage said so by the room's mark.
            raise RoomsUnavailableError("times-unreadable")
        try:
            return say(room, clock())
        except (ValueError, OverflowError) as error:
            # What was stored can be read and makes no sense: out of a calendar's range, or a zone with impossible clocks.
            what = type(error).__name__
            log.warning("join.times_unusable", integration=room.integration, mark=room.spec.mark, error=what)
            raise RoomsUnavailableError("times-unusable") from error

    @router.api_route("/j/{join_id}.json", methods=["GET", "HEAD"])
    async def as_json(join_id: str) -> Response:
        """Tell the state and the times, for the page's own script and for automation; like the page no end of a series."""
        try:
            told = await find(join_id, _told)
        except RoomsUnavailableError as error:
            log.warning("rooms cannot be looked up", error=str(error))
            return JSONResponse({"state": "unavailable"}, 503, headers=_RETRY)
        return JSONResponse({"state": "unknown"}, 404) if told is None else JSONResponse(told)

    @router.api_route("/j/{join_id}/", methods=["GET", "HEAD"])
    @router.api_route("/j/{join_id}", methods=["GET", "HEAD"])
    async def as_page(request: Request, join_id: str) -> Response:
        """Show the page."""

        def page(room: JoinRoom, now: datetime) -> Response:
            ways = places.get(room.integration, WaysToJoin())
            return pages.render(request, "join.html", view=view(room, ways, now))

        try:
            shown = await find(join_id, page)
        except RoomsUnavailableError as error:
            log.warning("rooms cannot be looked up", error=str(error))
            response = pages.render(request, "message.html", 503, kind="unavailable")
            response.headers.update(_RETRY)
            return response
        return pages.render(request, "message.html", 404, kind="unknown") if shown is None else shown

    return router


def _told(room: JoinRoom, now: datetime) -> dict[str, str | None]:
    state = state_of(room, now)
    told: dict[str, datetime | None] = {"now": now, **asdict(times_of(room, state, now))}
    return {"state": state.value} | {name: None if at is None else at.isoformat() for name, at in told.items()}
