"""The pages that show: start, folders with a reading pane, the live parts of them, bodies, files."""

import hashlib
import re
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from greenroom.simulator.errors import StoreError
from greenroom.simulator.model import CalendarItem, Item
from greenroom.simulator.outlook.agenda import WINDOW, agenda
from greenroom.simulator.outlook.bodies import BODY_POLICY, shown_html
from greenroom.simulator.outlook.desk import Desk, is_known_place
from greenroom.simulator.outlook.listing import listing
from greenroom.simulator.outlook.reading import body_shown, reading
from greenroom.simulator.outlook.visit import FOLDERS, Visit

_REGIONS = ("folders", "list", "head", "body")  # parts of the page that follow the mailbox by themselves


class Looking:
    """Handlers that change nothing but the mark of being read."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def start(self, request: Request) -> Response:
        """Choose a person."""
        unread = {}
        for one in self._desk.mailboxes([*self._desk.people, *self._desk.equipment]):
            unread[one.address] = sum(not item.is_read for item in self._desk.exchange.items(one.address, "inbox"))
        return self._desk.show(request, "start.html", None, {"unread": unread})

    async def mailbox(self, request: Request) -> Response:
        return RedirectResponse(self._desk.visit(request).url("inbox"))

    async def folder(self, request: Request) -> Response:
        """A folder's list and, when one is chosen, an item."""
        visit = self._visit(request)
        values = self._values(visit)
        if values["gone"]:
            return self._desk.show(request, "folder.html", visit, values, 404)
        return self._desk.show(request, "folder.html", visit, values | {"refresh": True})

    async def live(self, request: Request) -> Response:
        """The parts of a folder page, as JSON; 204 when the page has them already (`v`)."""
        visit = self._visit(request)
        values = self._desk.frame(request, visit) | self._values(visit, opens=False)
        regions = {name: self._desk.pages.text(f"parts/{name}.html", values) for name in _REGIONS}
        version = hashlib.sha256("\0".join(regions.values()).encode()).hexdigest()[:16]
        if request.query_params.get("v") == version:
            return Response(status_code=204)
        return JSONResponse({"version": version, "regions": regions, "title": _title(visit, values)})

    async def body(self, request: Request) -> Response:
        """The body of an item, for the sandboxed frame."""
        visit = self._desk.visit(request)
        markup, is_coloured = shown_html(body_shown(visit, self._desk.item(visit)))
        page = self._desk.pages.text("body.html", {"markup": markup, "is_coloured": is_coloured})
        return HTMLResponse(page, headers={"Content-Security-Policy": BODY_POLICY})

    async def ics(self, request: Request) -> Response:
        """A meeting as an iCalendar file."""
        visit = self._desk.visit(request)
        item = self._desk.item(visit)
        try:
            data = self._desk.exchange.export_ics(visit.mailbox.address, item.id)
        except StoreError as error:
            raise HTTPException(404, "This item cannot be saved as an invitation file.") from error
        name = re.sub(r"[^A-Za-z0-9]+", "-", item.subject).strip("-")[:60] or "meeting"
        disposition = f'attachment; filename="{name}.ics"'
        return Response(data, media_type="text/calendar", headers={"Content-Disposition": disposition})

    def _visit(self, request: Request) -> Visit:
        if not is_known_place(request.path_params["place"]):
            raise HTTPException(404, "There is no such folder.")
        return self._desk.visit(request)

    def _values(self, visit: Visit, *, opens: bool = True) -> dict[str, object]:
        item = self._chosen(visit)
        if item is not None and opens and not item.is_read and not visit.read_only:
            self._desk.exchange.update_item(visit.mailbox.address, item.id, {"is_read": True})
        first = visit.first_day or visit.clock.today
        if visit.first_day is None and isinstance(item, CalendarItem):
            start = visit.occurrence or item.meeting.start
            shown = visit.clock.day_of(start)
            first = first if first <= shown < first + WINDOW else shown
        values: dict[str, object] = {
            "place_name": FOLDERS[visit.place][1],
            "chosen": None if item is None else reading(visit, item),
            "gone": bool(visit.item_id) and item is None,
            "listing": None,
            "days": [],
        }
        if visit.place != "calendar":
            return values | {"listing": listing(visit)}
        last = first + WINDOW - timedelta(days=1)
        return values | {
            "days": agenda(self._desk.exchange.items(visit.mailbox.address, "calendar"), visit.clock, first),
            "agenda_title": f"{visit.clock.full_day(first)} \u2013 {visit.clock.full_day(last)}",
            "earlier": visit.url("calendar", **{"from": first - WINDOW}),
            "later": visit.url("calendar", **{"from": first + WINDOW}),
            "is_today": first == visit.clock.today,
        }

    def _chosen(self, visit: Visit) -> Item | None:
        if not visit.item_id:
            return None
        known = (one for one in (self._desk.exchange.items(visit.mailbox.address, FOLDERS[visit.place][0])))
        return next((one for one in known if one.id == visit.item_id), None)


def _title(visit: Visit, values: dict[str, object]) -> str:
    folders = values["folders"]
    unread = sum(one.unread for one in folders) if isinstance(folders, list) else 0
    count = f"({unread}) " if unread else ""
    return f"{count}{values['place_name']} \u00b7 {visit.mailbox.name} \u00b7 Mail"
