"""The join link as a picture, `/j/<id>/qr.png`, for invitations that are read on one device and joined from another.

Mail clients drop pictures that travel in the text (data: addresses, SVG), so ours has an address. It says nothing but the id that
was asked for: no room is looked up, a made-up id of the right form gets its picture, and nobody learns whether a room has it.
"""

import asyncio
import hashlib
import io
import re
from functools import lru_cache

import segno
from fastapi import APIRouter, Request
from starlette.responses import Response

from greenroom.meetings.dialling import QR_NAME, join_page
from greenroom.web.join import JOIN_ID_FORM
from greenroom.web.pages import Pages

_DRAWN_AS = "1"  # to be changed with anything that changes the picture of an address
_KEPT = 1024
_MASK = 3
_PIXELS = 8
_QUIET = 4
_TAG = re.compile(r'"([^"]*)"|\*')


def qr_router(base: str, pages: Pages) -> APIRouter:
    """Make the route. `base` is the public address of the join pages; the address of the request is never believed."""
    router = APIRouter()

    @router.api_route(f"/j/{{join_id}}/{QR_NAME}", methods=["GET", "HEAD"])
    async def picture(request: Request, join_id: str) -> Response:
        """Show the picture; it never changes, so whoever has it may keep it."""
        wanted = join_id.lower()
        if JOIN_ID_FORM.fullmatch(wanted) is None:
            return pages.render(request, "message.html", 404, kind="unknown")
        address = join_page(base, wanted)
        tag = hashlib.sha256(f"{_DRAWN_AS} {address}".encode()).hexdigest()[:24]
        headers = {
            "ETag": f'"{tag}"',
            "Cache-Control": "public, max-age=31536000, immutable",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if _has(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return Response(await asyncio.to_thread(qr_png, address), media_type="image/png", headers=headers)

    return router


@lru_cache(maxsize=_KEPT)
def qr_png(address: str) -> bytes:
    """Draw a QR code (ISO/IEC 18004) as a black and white PNG with its quiet zone.

    Any mask can be read. One that is given costs a third of the time that choosing among the eight takes.
    """
    code = segno.make_qr(address, error="m", mask=_MASK)
    drawn = io.BytesIO()
    code.save(drawn, kind="png", scale=_PIXELS, border=_QUIET)
    return drawn.getvalue()


def _has(if_none_match: str, tag: str) -> bool:
    """Whether the visitor has the picture already (RFC 9110, 13.1.2; weak comparison)."""
    return any(match[0] == "*" or match[1] == tag for match in _TAG.finditer(if_none_match[:1000]))
