"""Where Exchange posts its notifications: `/hooks/graph/<integration>`, and `/lifecycle` below it.

Everything that comes here comes from strangers until the intake says otherwise. Nothing waits for work or storage: Exchange
slows down, then drops an endpoint that takes longer than three seconds. No page, no session, no cookie; of what was sent only
a validation token is ever sent back, as plain text.

Source: Graph "Receive change notifications through webhooks".
"""

import asyncio
from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from greenroom.exchange.notifications import NotificationIntake, Taken

log = structlog.get_logger(__name__)

LARGEST = 256 * 1024
"""The largest body that is read, in bytes; Graph's are a few kilobytes."""

_PATIENCE = 5.0
_STEADY = 1.0
_READERS = 128
_LENGTH_DIGITS = 12
_LONGEST_TOKEN = 4_096
_BUSY = 429
_STATUS = {Taken.TAKEN: 202, Taken.MALFORMED: 400, Taken.REFUSED: 403, Taken.TOO_MANY: _BUSY}
_RETRY = {"Retry-After": "30"}


class UnwantedError(Exception):
    """A body that is not read to its end; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Desk:
    """Reads bodies: bounded in size, in time and in number.

    Where all places are taken, whoever has been dawdling longest goes first: slow senders cannot keep the others out.
    """

    def __init__(self, *, readers: int = _READERS, patience: float = _PATIENCE, largest: int = LARGEST) -> None:
        self._most = readers
        self._patience = patience
        self._largest = largest
        self._reading: dict[asyncio.Timeout, float] = {}

    async def read(self, request: Request) -> bytes:
        """Return the body. Raises UnwantedError (408, 413, 429)."""
        length = request.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) <= _LENGTH_DIGITS) or int(length) > self._largest:
            raise UnwantedError(413)
        now = asyncio.get_running_loop().time()
        if len(self._reading) >= self._most and not self._dismissed(now):
            raise UnwantedError(_BUSY)
        try:
            async with asyncio.timeout(self._patience) as place:
                self._reading[place] = now
                try:
                    return await self._gather(request)
                finally:
                    self._reading.pop(place, None)
        except TimeoutError:
            raise UnwantedError(408) from None
        except ClientDisconnect:
            raise UnwantedError(400) from None

    async def _gather(self, request: Request) -> bytes:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > self._largest:
                raise UnwantedError(413)
        return bytes(body)

    def _dismissed(self, now: float) -> bool:
        slowest, began = next(iter(self._reading.items()))
        if now - began < min(_STEADY, self._patience):
            return False
        del self._reading[slowest]
        if not slowest.expired():
            slowest.reschedule(now)
        return True


def hooks_router(intakes: Mapping[str, NotificationIntake], desk: Desk | None = None) -> APIRouter:
    """Make the routes. `intakes` are found by the name of their integration."""
    router = APIRouter()
    desk = desk or Desk()

    @router.post("/hooks/graph/{integration}")
    @router.post("/hooks/graph/{integration}/lifecycle")
    async def graph(request: Request, integration: str) -> Response:
        """Echo a validation token, or hand over what was posted."""
        intake = intakes.get(integration)
        if intake is None:
            return Response(status_code=404)
        if tokens := request.query_params.getlist("validationToken"):
            return _echo(tokens)
        if not _is_json(request):
            return Response(status_code=415)
        try:
            body = await desk.read(request)
        except UnwantedError as error:
            close = {"Connection": "close"}  # the rest of the body is not waited for
            return Response(status_code=error.status, headers=close | (_RETRY if error.status == _BUSY else {}))
        taken = intake.take(body)
        return Response(status_code=_STATUS[taken], headers=_RETRY if taken is Taken.TOO_MANY else None)

    return router


def _echo(tokens: list[str]) -> Response:
    """Prove that this address is ours: the token as it was meant, as text that no browser takes for a page."""
    token = tokens[0]
    if len(tokens) > 1 or not 0 < len(token) <= _LONGEST_TOKEN or not token.isprintable() or "\ufffd" in token:
        return Response(status_code=400)
    log.debug("graph.notifications.handshake")  # anybody may ask for it, so it is no news
    return Response(token, media_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" and "content-encoding" not in request.headers
