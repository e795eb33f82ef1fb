"""What all faces share of HTTP: bounded bodies, and connections that are cut without an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

_CUT: Final = "greenroom.simulator.cut"
SPOILED: Final = "greenroom.simulator.spoiled"
"""Key in the ASGI scope of a request whose reply a fault has spoilt: a referee of replies must let it pass."""


async def bounded_body(request: Request, limit: int) -> bytes | None:
    """The body of a request; None when it is larger than allowed. Raises ClientDisconnect."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
    return b"".join(parts) if size <= limit else None


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def cut(scope: Scope) -> None:
    """Close the connection without an answer, or in the middle of one."""
    abort = scope.get(_CUT)
    if abort is None:
        raise ConnectionResetError("the simulator cut the connection")
    abort()
    # The server notices a lost connection on the loop's next round; only then may the application return.
    await asyncio.sleep(0.01)


class Cuttable:
    """Lets the application inside cut its connection without an answer; has to be the outermost ASGI application.

    Under uvicorn the transport is aborted; elsewhere (an in-process client) a ConnectionResetError reaches the caller.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the means to cut it."""
        if scope["type"] == "http":
            transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
            if transport is not None:
                scope[_CUT] = transport.abort
        await self.app(scope, receive, send)
