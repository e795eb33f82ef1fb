"""From a request to a visit: which mailbox, which zone, which folder and item; and the frame around every page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from greenroom.simulator import Exchange
from greenroom.simulator.errors import NoSuchItem
from greenroom.simulator.model import Item, Mailbox
from greenroom.simulator.outlook.listing import folder_links
from greenroom.simulator.outlook.localtime import COOKIE, Clock, known_zone, zone_names
from greenroom.simulator.outlook.pages import Pages
from greenroom.simulator.outlook.visit import FOLDERS, Visit

DONE = {
    "sent": "The invitation was sent.",
    "updated": "The update was sent.",
    "unchanged": "Nothing was changed, so nothing was sent.",
    "cancelled": "The meeting was cancelled and everybody told.",
    "answered": "Your answer was sent.",
    "quietly": "Your answer was noted; the organizer asked for none.",
    "deleted": "Moved to Deleted.",
    "removed": "Removed from the calendar.",
}  # what the last action did, by the code it leaves in the address
_MAX_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Desk:
    """What all handlers share."""

    exchange: Exchange
    people: Sequence[str]
    equipment: Sequence[str]
    pages: Pages
    base_path: str

    def base(self, request: Request) -> str:
        """Where the application is mounted, without a slash at the end."""
        return (self.base_path or str(request.scope.get("root_path", ""))).rstrip("/")

    def clock(self, request: Request) -> Clock:
        zone = known_zone(request.cookies.get(COOKIE)) or ZoneInfo("Etc/UTC")
        return Clock(zone, self.exchange.clock().astimezone(UTC))

    def mailboxes(self, addresses: Sequence[str]) -> list[Mailbox]:
        found = (self.exchange.find_mailbox(address) for address in addresses)
        return [mailbox for mailbox in found if mailbox is not None]

    def rooms(self) -> list[Mailbox]:
        """The equipment mailboxes a meeting can invite."""
        return self.mailboxes(self.equipment)

    def visit(self, request: Request, place: str = "", *, write: bool = False) -> Visit:
        """Whose mailbox the address names. Raises 404 for others than the people and equipment of this client."""
        address = request.path_params["address"].lower()
        mailbox = self.exchange.find_mailbox(address)
        if mailbox is None or mailbox.address not in {one.address for one in self._known()}:
            raise HTTPException(404, "There is no such mailbox here.")
        query = request.query_params
        visit = Visit(
            self.exchange,
            mailbox,
            self.clock(request),
            self.base(request),
            place or request.path_params.get("place", ""),
            item_id=query.get("item", ""),
            occurrence=_moment(query.get("on")),
            first_day=_day(query.get("from")),
            page=_page(query.get("page")),
        )
        if write and visit.read_only:
            raise HTTPException(403, "This mailbox belongs to a room and can only be looked at.")
        return visit

    def _known(self) -> list[Mailbox]:
        return self.mailboxes([*self.people, *self.equipment])

    def item(self, visit: Visit, item_id: str = "") -> Item:
        """An item of the visited mailbox. Raises 404 when it is gone."""
        try:
            return self.exchange.get(visit.mailbox.address, item_id or visit.item_id)
        except NoSuchItem:
            raise HTTPException(404, "This item was moved or deleted meanwhile.") from None

    def frame(self, request: Request, visit: Visit | None = None) -> dict[str, object]:
        """What the frame around a page is told."""
        base, clock = self.base(request), self.clock(request)
        return {
            "base": base,
            "clock": clock,
            "zone": clock.zone.key,
            "zone_cookie": COOKIE,
            "zones": zone_names(clock.zone.key),
            "zone_is_chosen": COOKIE in request.cookies,
            "return_to": _return_path(request),
            "visit": visit,
            "folders": [] if visit is None else folder_links(visit),
            "people": self.mailboxes(self.people),
            "rooms": self.rooms(),
            "mailbox_url": lambda one: f"{base}/m/{quote(one.address, safe='@')}/inbox",
            "done": DONE.get(request.query_params.get("done", "")),
            "refresh": False,
        }

    def show(
        self, request: Request, template: str, visit: Visit | None, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        """Render a page with its frame."""
        return self.pages.page(template, self.frame(request, visit) | dict(values), status)


def go(url: str) -> Response:
    """After a form: to the page that shows what it did."""
    return RedirectResponse(url, status_code=303)


def is_known_place(place: str) -> bool:
    """Whether the address names one of the folders shown."""
    return place in FOLDERS


def _return_path(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query and request.method == "GET" else "")


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    first, last = 1900, 2300
    return day if first <= day.year <= last else None


def _page(text: str | None) -> int:
    return min(int(text), _MAX_PAGE) if text and text.isascii() and text.isdigit() and len(text) <= len("10000") else 0
