"""The web mail client over a small world, used without a browser."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
from starlette.applications import Starlette
from starlette.routing import Mount

from greenroom.simulator import Exchange
from greenroom.simulator.model import CalendarItem, Item
from greenroom.simulator.outlook import create_outlook_app

ADA, BO, CLEO = "ada@mail.test", "bo@mail.test", "cleo@mail.test"
VMR = "vmr@mail.test"
NOW = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)  # a Monday
BASE = "/mail"


@dataclass
class Mail:
    """A client and what it looks at."""

    exchange: Exchange
    http: httpx2.AsyncClient

    async def get(self, url: str, **options: object) -> httpx2.Response:
        return await self.http.get(_address(url), **options)  # type: ignore[arg-type]  # passed on as given

    async def post(self, url: str, data: dict[str, object] | None = None, **options: object) -> httpx2.Response:
        address = _address(url)
        return await self.http.post(address, data=data or {}, **options)  # type: ignore[arg-type]  # passed on as given

    async def page(self, url: str) -> str:
        """The text of a page that must be there."""
        answer = await self.get(url)
        assert answer.status_code == 200, answer.status_code
        return answer.text

    async def compose(self, who: str = ADA, **fields: object) -> CalendarItem:
        """Send an invitation as a person does; gives the organizer's item."""
        answer = await self.post(f"m/{who}/compose", meeting(**fields))
        assert answer.status_code == 303, problems(answer.text)
        item = self.items(who, "calendar")[-1]
        assert isinstance(item, CalendarItem)
        return item

    def items(self, who: str, folder: str) -> list[Item]:
        return self.exchange.items(who, folder)


def _address(url: str) -> str:
    """Item ids may be written into addresses as they are."""
    return (url if url.startswith("/") else f"{BASE}/{url}").replace("+", "%2B")


def meeting(**fields: object) -> dict[str, object]:
    """The fields of the composer for a good meeting, changed as told."""
    return {
        "subject": "Planning",
        "attendees": "bo@mail.test",
        "start_date": "2026-03-03",
        "start_time": "10:00",
        "end_date": "2026-03-03",
        "end_time": "11:00",
        "zone": "Europe/Berlin",
        "repeat": "none",
        "location": "Attic",
        "body": "Hello",
    } | fields


def form_of(page: str) -> dict[str, object]:
    """The values of the composer's fields, as a browser would send them."""
    fields: dict[str, object] = {}
    for name, value in re.findall(r'<input[^>]*? name="(\w+)" value="([^"]*)"', page):
        if name != "room":
            fields[name] = html.unescape(value)
    fields["room"] = re.findall(r'name="room" value="([^"]*)" checked', page)
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)<', options)
        if chosen:
            fields[name] = chosen[1] or chosen[2]
    body = re.search(r'<textarea[^>]* name="body"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    if body:
        fields["body"] = html.unescape(body[1]).replace("\n", "\r\n")
    fields.pop("back", None)
    return fields


def problems(page: str) -> dict[str, list[str]]:
    """The error sentences of a form by field."""
    found: dict[str, list[str]] = {}
    for name, sentence in re.findall(r'<p class="problem" id="(\w+)-problem[^"]*"[^>]*>(.*?)</p>', page):
        found.setdefault(name, []).append(html.unescape(sentence))
    return found


@asynccontextmanager
async def mail_client(zone: str | None = "Europe/Berlin") -> AsyncIterator[Mail]:
    """Ada, Bo and Cleo, a room mailbox with AutoUpdate, a stranger whom the client does not show; mounted under /mail."""
    exchange = Exchange(lambda: NOW)
    for address, name in ((ADA, "Ada Ahlgren"), (BO, "Bo Lind"), (CLEO, "Cleo Marsh"), ("secret@mail.test", "Sec Ret")):
        exchange.add_mailbox(address, name)
    exchange.add_mailbox(VMR, "Virtual room", kind="equipment", processing="auto_update")
    app = create_outlook_app(
        exchange, people=[ADA, BO, CLEO], equipment=[VMR], links=[("Timeline", "/timeline?of=<all>")]
    )
    site = Starlette(routes=[Mount(BASE, app)])
    cookies = {} if zone is None else {"mail_zone": zone}
    transport = httpx2.ASGITransport(app=site)
    async with httpx2.AsyncClient(transport=transport, base_url="http://mail.test", cookies=cookies) as http:
        yield Mail(exchange, http)
