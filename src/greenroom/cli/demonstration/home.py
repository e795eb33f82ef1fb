"""The page the demo begins at: where to go, and what Greenroom has done so far, meeting by meeting."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from greenroom.cli.words import sentence
from greenroom.simulator.pexip.visiting import Lobby
from greenroom.storage import Storage

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all a form would not say whose it is
}
_MOST = 20


def create_home(storage: Storage, *, equipment: str, folder: Path, spoken: str, lobby: Lobby | None) -> Starlette:
    """Make the page and the fragment by which it keeps itself current.

    It says whom to invite, where the data lie, and over which protocol Greenroom and Exchange speak; with a lobby, it dials.
    """
    pages = Environment(loader=PackageLoader("greenroom.cli.demonstration"), autoescape=True, undefined=StrictUndefined)

    async def home(request: Request) -> Response:
        return HTMLResponse(
            pages.get_template("home.html").render(
                meetings=await _meetings(storage),
                equipment=equipment,
                folder=folder,
                spoken=spoken,
                lobby=lobby,
                alias=request.query_params.get("alias", ""),
            ),
            headers=_HEADERS,
        )

    async def meetings(_request: Request) -> Response:
        return HTMLResponse(
            pages.get_template("meetings.html").render(meetings=await _meetings(storage), lobby=lobby),
            headers=_HEADERS,
        )

    async def room(_request: Request) -> Response:
        return HTMLResponse(pages.get_template("room.html").render(), headers=_HEADERS)

    def asset(name: str, kind: str) -> Route:
        async def serve(_request: Request) -> Response:
            return Response(pages.get_template(name).render(), media_type=kind, headers=_HEADERS)

        return Route(f"/demo/{name}", serve)

    return Starlette(
        routes=[
            Route("/", home),
            Route("/demo/meetings", meetings),
            Route("/demo/room/{number}", room),
            asset("home.css", "text/css"),
            asset("home.js", "text/javascript"),
        ]
    )


async def _meetings(storage: Storage) -> list[dict[str, object]]:
    """Return the latest meetings with their timelines, as the page shows them."""
    async with storage.reading() as work:
        records = await work.meetings.search(limit=1000)
        records.sort(key=lambda record: record.updated_at, reverse=True)
        shown: list[dict[str, object]] = []
        for record in records[:_MOST]:
            room = await work.rooms.by_mark(record.integration, record.mark)
            journal = await work.journal.of_meeting(record.integration, record.key)
            shown.append(
                {
                    "record": record,
                    "join": None if room is None else f"/j/{room.spec.join_id}",
                    "alias": None if room is None else room.spec.alias.name,
                    "journal": [(entry, sentence(entry)) for entry in journal],
                }
            )
    return shown
