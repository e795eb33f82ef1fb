"""The add-in in the composer: what the page of the composer is told, and what it asks for while people write.

The composer plays Outlook to the add-in's pages, in frames; see static/office_host.js for the words of that play. Roaming
settings live here, in memory; what an add-in keeps with a meeting goes with the meeting into the store, under the name
that Exchange gives it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from greenroom.simulator.identity_tokens import IdentityTokens
from greenroom.simulator.model import CalendarItem, PropertyTag
from greenroom.simulator.outlook.desk import Desk
from greenroom.simulator.outlook.visit import Visit

MAX_SETTINGS = 32 * 1024  # characters of JSON, as in Office.js
MAX_PROPERTIES = 2_500
EDITOR_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; img-src data: http://127.0.0.1:* http://localhost:*; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_PUBLIC_STRINGS = "00020329-0000-0000-c000-000000000046"


@dataclass(frozen=True, slots=True)
class AddinLink:
    """An add-in whose buttons the composer shows.

    `tokens` issues the identity tokens of whoever composes; without it there are none, as with Exchange Online. `set` is
    the requirement set "Mailbox" that this Outlook has, `sets` has further ones by name.
    """

    name: str
    taskpane_url: str
    commands_url: str
    function: str = "addRoom"
    add_label: str = "Add a video room"
    pane_label: str = "Video room \u2026"
    icon: str | None = None
    id: str = "greenroom"
    tokens: IdentityTokens | None = None
    set: str = "1.14"
    sets: Mapping[str, str] = field(default_factory=dict)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where its pages and its icon come from."""
        known = (self.taskpane_url, self.commands_url, self.icon or "")
        parts = [urlsplit(address) for address in known]
        return tuple(sorted({f"{part.scheme}://{part.netloc}" for part in parts if part.netloc}))

    @property
    def property_tag(self) -> PropertyTag:
        """Where Exchange keeps what an add-in remembers with an item ("Get and set add-in metadata", cecp-)."""
        return PropertyTag("String", set_id=_PUBLIC_STRINGS, name=f"cecp-{self.id}")


class Ribbon:
    """Handlers for the composer's page, and what that page is told."""

    def __init__(self, desk: Desk, link: AddinLink | None) -> None:
        self._desk = desk
        self.link = link
        self._settings: dict[str, dict[str, str]] = {}

    def told(self, visit: Visit, item: CalendarItem | None) -> dict[str, Any] | None:
        """What the composer's script needs to play Outlook; None where there is no add-in."""
        if self.link is None:
            return None
        link, mailbox = self.link, visit.mailbox
        return {
            "name": link.name,
            "taskpane": link.taskpane_url,
            "commands": link.commands_url,
            "function": link.function,
            "set": link.set,
            "sets": dict(link.sets),
            "user": {
                "name": mailbox.name,
                "address": mailbox.address,
                "timeZone": visit.clock.zone.key,
                "accountType": "enterprise" if link.tokens is not None else "office365",
            },
            "token": None if link.tokens is None else visit.url("addin/token"),
            "roaming": visit.url("addin/roaming"),
            "settings": self._settings.get(mailbox.address, {}),
            "itemId": None if item is None else item.id,
            "customProperties": self.kept(item),
        }

    def kept(self, item: CalendarItem | None) -> dict[str, Any]:
        """What the add-in remembers with a meeting."""
        raw = None if item is None or self.link is None else item.extended.get(self.link.property_tag)
        known = _object(raw if isinstance(raw, str) else "", MAX_PROPERTIES)
        return known or {}

    def remembered(self, text: str) -> dict[PropertyTag, str]:
        """What a form says that the add-in wants remembered, as properties of the item."""
        known = _object(text, MAX_PROPERTIES) if self.link is not None else None
        return {} if known is None or self.link is None else {self.link.property_tag: json.dumps(known)}

    async def token(self, request: Request) -> Response:
        """An identity token of whoever composes."""
        visit = self._desk.visit(request, write=True)
        if self.link is None or self.link.tokens is None:
            raise HTTPException(404, "There are no identity tokens here.")
        audience = self.link.taskpane_url.partition("?")[0]
        return JSONResponse({"token": self.link.tokens.issue(visit.mailbox.address, audience)})

    async def roaming(self, request: Request) -> Response:
        """Keep the add-in's roaming settings of whoever composes."""
        visit = self._desk.visit(request, write=True)
        known = _object((await request.body()).decode("utf-8", "replace"), MAX_SETTINGS)
        if known is None or not all(isinstance(value, str) for value in known.values()):
            raise HTTPException(400, "These are no settings.")
        self._settings[visit.mailbox.address] = known
        return Response(status_code=204)

    async def editor(self, _: Request) -> Response:
        """The empty page in which a body is edited: it can be written into, and no script of what is in it runs."""
        page = self._desk.pages.text("editor.html", {})
        return HTMLResponse(page, headers={"Content-Security-Policy": EDITOR_POLICY})


def _object(text: str, most: int) -> dict[str, Any] | None:
    if len(text) > most:
        return None
    try:
        known = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return known if isinstance(known, dict) else None
