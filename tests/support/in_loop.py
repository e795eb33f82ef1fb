"""A web application served on a port of loopback in the test's own event loop, as Greenroom serves its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve until the block ends; yields the address."""
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        config.load()
        task = asyncio.create_task(server._serve([listener]))  # without taking the signals of the test process
        while not server.started:  # noqa: ASYNC110  it has no event
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 10)
