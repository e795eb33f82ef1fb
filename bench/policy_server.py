"""What `policy.py` measures, each side a process of its own: our policy server, or one as it would be written in an hour.

    python bench/policy_server.py greenroom DATABASE    everything of ours: door, guard, desk, memory that follows the database
    python bench/policy_server.py plain DATABASE        FastAPI; every question looks the alias up in SQLite

Prints a line of JSON when it answers, and serves until its standard input is closed.
"""

import asyncio
import importlib.util
import json
import logging
import secrets
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import SecretStr
from starlette.types import ASGIApp

from greenroom.meetings.admission import Admission
from greenroom.meetings.alias import AliasPlan
from greenroom.platforms.pexip.policy import Desk, Directory, Follower, PolicySettings
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.storage import RoomFeed, Storage
from greenroom.web.app import create_app
from greenroom.web.policy import policy_app
from greenroom.web.policy_callers import PolicyCaller
from greenroom.web.policy_guard import Guard
from greenroom.web.policy_listener import serving_policy
from greenroom.web.rooms import StoredRooms
from policy_load import NAME, PASSWORD

PLAN = AliasPlan("meet.", 9, "video.bench.test")


def clock() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


@asynccontextmanager
async def greenroom(database: Path) -> AsyncIterator[ASGIApp]:
    """Put together what a process of ours has, from the pages to the follower."""
    storage = Storage.open(f"sqlite:///{database}")
    directory = Directory([PolicySettings(PexipSettings(1, policy=True), PLAN)])
    follower = Follower(RoomFeed(storage), directory, clock)
    task = asyncio.create_task(follower.run())
    await follower.loaded()
    callers = [PolicyCaller(NAME, SecretStr(PASSWORD), frozenset({1}))]
    door = policy_app(Desk(directory, follower), callers, Guard(), clock)
    yield create_app(StoredRooms(storage), clock, {}, policy=door)
    task.cancel()
    await asyncio.wait([task])
    await storage.close()


@asynccontextmanager
async def plain(database: Path) -> AsyncIterator[ASGIApp]:
    """Do the same job as simply as it can be done: check the password, look up, read the times, answer."""
    app, basic, local = FastAPI(), HTTPBasic(), threading.local()

    def signed_in(given: Annotated[HTTPBasicCredentials, Depends(basic)]) -> None:
        right = secrets.compare_digest(given.username, NAME)
        if not (secrets.compare_digest(given.password.encode(), PASSWORD.encode()) and right):
            raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})

    @app.get("/policy/v1/service/configuration", dependencies=[Depends(signed_in)])
    def configuration(local_alias: str) -> dict[str, Any]:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(database)
        alias = local_alias.removeprefix("sip:")
        question = (
            "SELECT name, owner, mark, guest_pin, host_pin, admission FROM rooms WHERE alias = ? AND retired_at IS NULL"
        )
        row = local.connection.execute(question, (alias,)).fetchone()
        if row is None:
            return {"status": "success", "action": "continue", "result": {}}
        name, owner, mark, guest_pin, host_pin, admission = row
        if not Admission.parse(admission).state(clock())[0]:
            return {"status": "success", "action": "reject", "result": {}}
        result = {"service_type": "conference", "name": name, "service_tag": f"greenroom-1-{mark}"}
        pins = {"pin": host_pin, "guest_pin": guest_pin, "allow_guests": True}
        return {"status": "success", "action": "continue", "result": result | pins | {"primary_owner": owner}}

    @app.get("/policy/v1/participant/properties", dependencies=[Depends(signed_in)])
    def participant() -> dict[str, Any]:
        return {"status": "success", "action": "continue", "result": {}}

    yield app


def rss() -> int:
    """Megabytes of memory this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1_000_000


async def main() -> None:
    """Serve one side."""
    side, database = sys.argv[1], Path(sys.argv[2])
    empty, began = rss(), time.perf_counter()
    async with {"greenroom": greenroom, "plain": plain}[side](database) as app:
        took = time.perf_counter() - began
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            async with serving_policy(app, listener, None):
                port = listener.getsockname()[1]
                print(json.dumps({"port": port, "load": took, "empty": empty, "rss": rss()}), flush=True)
                await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    # Where uvloop is installed it is used, to see what it would bring; Greenroom itself waits with asyncio's own loop.
    with_uvloop = importlib.util.find_spec("uvloop") and importlib.import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=with_uvloop or None) as runner:
        runner.run(main())
