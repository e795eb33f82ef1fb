"""Rendering of pages, and the files they load."""

import hashlib
from datetime import UTC, datetime, tzinfo
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

_MINUTE = 60
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
        self._environment.filters["moment"] = moment

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


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """Write an instant for readers without JavaScript: "Mon 23 Nov 2026, 13:30 UTC", or with the zone's own short name."""
    local = at.astimezone(zone or UTC)
    offset = local.utcoffset()
    name = "UTC" if zone is None else local.tzname() or ""
    if offset is not None and name[:1] in {"+", "-"}:  # zones without letters of their own
        minutes = int(offset.total_seconds()) // _MINUTE
        name = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {name}"
