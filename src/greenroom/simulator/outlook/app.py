"""The routes of the mail client."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from greenroom.simulator import Exchange
from greenroom.simulator.outlook.acting import Acting
from greenroom.simulator.outlook.addin import AddinLink, Ribbon
from greenroom.simulator.outlook.desk import Desk
from greenroom.simulator.outlook.guard import Guard
from greenroom.simulator.outlook.looking import Looking
from greenroom.simulator.outlook.pages import HERE, Pages


def create_outlook_app(
    exchange: Exchange,
    *,
    people: Sequence[str],
    equipment: Sequence[str],
    base_path: str = "",
    links: Sequence[tuple[str, str]] = (),
    addin: AddinLink | None = None,
) -> Starlette:
    """A small web mail client over the store, for demos: no passwords, whoever opens it chooses whom to be.

    Args:
        exchange: The store, living in the same event loop.
        people: Addresses of the mailboxes that can be opened and written from.
        equipment: Addresses of the mailboxes that the composer offers to invite; they can be looked at only.
        base_path: Where the pages live as the browser sees it, when that differs from where the application is
            mounted (behind a rewriting proxy). Empty: as mounted.
        links: Shown in the header of every page, as (label, address). The sequence is read anew for each page.
        addin: The Outlook add-in whose buttons stand above the composer.

    """
    desk = Desk(exchange, people, equipment, Pages(links), base_path)
    ribbon = Ribbon(desk, addin)
    looking, acting = Looking(desk), Acting(desk, ribbon)
    both = ["GET", "POST"]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for this class alone"
        return desk.show(request, "refused.html", None, {"sentence": error.detail}, error.status_code)

    box = "/m/{address}"
    return Starlette(
        routes=[
            Route("/", looking.start, name="start"),
            Route("/zone", acting.zone, methods=["POST"]),
            Route("/import", acting.bring, methods=both, name="import"),
            Route("/editor", ribbon.editor),
            Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
            Route(f"{box}", looking.mailbox),
            Route(f"{box}/compose", acting.compose, methods=both),
            Route(f"{box}/edit", acting.edit, methods=both),
            Route(f"{box}/cancel", acting.cancel, methods=both),
            Route(f"{box}/answer", acting.answer, methods=["POST"]),
            Route(f"{box}/remove", acting.remove, methods=["POST"]),
            Route(f"{box}/delete", acting.delete, methods=["POST"]),
            Route(f"{box}/addin/token", ribbon.token, methods=["POST"]),
            Route(f"{box}/addin/roaming", ribbon.roaming, methods=["PUT"]),
            Route(f"{box}/body", looking.body),
            Route(f"{box}/meeting.ics", looking.ics),
            Route(f"{box}/live/{{place}}", looking.live),
            Route(f"{box}/{{place}}", looking.folder),
        ],
        middleware=[Middleware(Guard, origins=() if addin is None else addin.origins)],
        exception_handlers={HTTPException: refused},
    )
