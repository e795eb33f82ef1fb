"""How a simulator is served: the listening socket, uvicorn with what a face needs, orderly stopping."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind a listening socket; port 0 lets the system choose. Raises OSError when the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle's delay (40 ms a reply) only on sockets that name it.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(128)
    return sock


def simulator_config(
    app: ASGIApp, *, certificate: str | None = None, key: str | None = None, log_level: str = "warning"
) -> uvicorn.Config:
    """How uvicorn has to run a face: its own Date header only, no access log (addresses and subjects of calls stay out)."""
    return uvicorn.Config(
        app,
        log_level=log_level,
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=120,  # as IIS does it
    )


class SimulatorServer(uvicorn.Server):
    """uvicorn, that ends open streams before it waits for connections, and says when it listens."""

    def __init__(
        self, config: uvicorn.Config, *, close: Callable[[], None], started: Callable[[], None] | None = None
    ) -> None:
        super().__init__(config)
        self._close = close
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        if self.started and self._tell is not None:
            self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the open streams, then stop."""
        self._close()
        await super().shutdown(sockets)


def address_of(sock: socket.socket, *, tls: bool) -> str:
    """The URL under which a listening socket is reached."""
    host, port = sock.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
