"""Rendering of pages, and the files they load."""

import hashlib
import re
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

ASSETS = {
    "join.css": "text/css; charset=utf-8",
    "join.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Names and media types of the files a page may load."""

_HOUR = 60
_SHORT_NAME = re.compile(r"[A-Z]{1,6}")
_DEEPEST = 8


class Pages:
    """All templates and assets, read once."""

    def __init__(self) -> None:
        static = files("greenroom.web") / "static"
        self._assets = {name: (static / name).read_bytes() for name in ASSETS}
        self._environment = Environment(
            loader=PackageLoader("greenroom.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"moment": moment, "offset": offset}

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a page. It names its files relatively: a proxy may have put us below a path of its own."""
        up = "../" * min(_DEEPEST, request.scope["path"].count("/") - 1)
        text = self._environment.get_template(template).render(values, asset=lambda name: up + self._address(name))
        return HTMLResponse(text, status)

    def asset(self, name: str) -> Response | None:
        """Return a file for the browser to keep: its address changes with its content."""
        content = self._assets.get(name)
        if content is None:
            return None
        keep = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=ASSETS[name], headers=keep)

    def _address(self, name: str) -> str:
        digest = hashlib.sha256(self._assets[name]).hexdigest()[:12]
        return f"static/{name}?v={digest}"


def moment(at: datetime, zone: tzinfo | None = None, since: datetime | None = None) -> str:
    """Write an instant for readers without JavaScript: "Mon 23 Nov 2026, 13:30 UTC", or with the zone's own short name.

    On the same day as `since` the time of day alone: "14:30 CET".
    """
    local = at.astimezone(zone or UTC)
    name = "UTC" if zone is None else local.tzname() or ""
    if not _SHORT_NAME.fullmatch(name):  # zones without letters of their own
        minutes = offset(at, zone)
        name = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // _HOUR:02d}:{abs(minutes) % _HOUR:02d}"
    day = f"{local:%a} {local.day} {local:%b %Y}, "
    if since is not None and since.astimezone(zone or UTC).date() == local.date():
        day = ""
    return f"{day}{local:%H:%M} {name}"


def offset(at: datetime, zone: tzinfo | None = None) -> int:
    """Return how many minutes a zone is ahead of UTC at an instant."""
    ahead = at.astimezone(zone or UTC).utcoffset() or timedelta()
    return ahead // timedelta(minutes=1)
