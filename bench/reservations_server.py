"""What `reservations.py` measures, each side a process of its own: our API, or one as it would be written in an hour.

    python bench/reservations_server.py greenroom FOLDER PEOPLE    all of ours: tokens of Entra checked, limits, texts rendered
    python bench/reservations_server.py plain FOLDER PEOPLE        FastAPI and an insert into SQLite; believes everybody

Writes the people's tokens to FOLDER/tokens.json, prints a line of JSON when it answers, and serves until its standard input is
closed. The issuer of the tokens is in the same process: its keys are fetched once.
"""

import asyncio
import json
import logging
import secrets
import socket
import sqlite3
import sys
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Header
from pydantic import BaseModel
from starlette.types import ASGIApp

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.policy import PinPolicy, Policy
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.scheduler.integration import Integration, JoinLinks
from greenroom.scheduler.reserving import Allowance, Reservations
from greenroom.storage import RoomStore, Storage
from greenroom.web.addin_api import AddinDesk, addin_api_router
from greenroom.web.app import create_app
from greenroom.web.identity import token_check
from greenroom.web.policy_listener import serving_policy
from greenroom.web.rooms import StoredRooms
from support.fake_mailbox import FakeMailbox
from support.tokens import Issuers, addin_settings

MAILBOX = "vmr@greenroom.bench"
PUBLIC = "https://greenroom.bench"


def clock() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


@asynccontextmanager
async def greenroom(folder: Path, people: int) -> AsyncIterator[ASGIApp]:
    """Put together what a process of ours has behind this API."""
    storage = Storage.open(f"sqlite:///{folder}/greenroom.db")
    await storage.migrate()
    issuers = Issuers()
    settings = addin_settings(issuers, kinds="entra", per_minute=600, unclaimed=1000)
    check = token_check(settings, public_url=PUBLIC, integration_number=1, clock=clock, http=issuers.transport())
    tokens = [f"Bearer {issuers.entra.token(oid=str(uuid.uuid4()))}" for _ in range(people)]
    (folder / "tokens.json").write_text(json.dumps(tokens))
    integration = Integration(
        number=1,
        name="bench",
        mailbox=FakeMailbox(MAILBOX, clock),
        platform=EmbeddedPlatform(RoomStore(storage, 1, clock)),
        policy=Policy(MAILBOX, pin=PinPolicy.HOST_AND_GUEST),
        aliases=AliasPlan("meet.", 9, "video.bench.test"),
        ring=KeyRing("GRM", 1, {0: secrets.token_bytes(32)}),
        texts=Texts(),
        links=JoinLinks(PUBLIC),
    )
    reserving = Reservations(integration, storage, clock, Allowance(settings.unclaimed, timedelta(settings.keep_days)))
    desk = AddinDesk(check, reserving, MAILBOX, "Video room", per_minute=settings.per_minute)
    router = addin_api_router({1: desk}, storage, clock, origin=PUBLIC)
    yield create_app(StoredRooms(storage), clock, {}, more=[router])
    await check.close()
    await storage.close()


class Asked(BaseModel):
    """What the page sends."""

    integration: int
    request_id: str
    client: dict[str, str]


@asynccontextmanager
async def plain(folder: Path, people: int) -> AsyncIterator[ASGIApp]:
    """Do as little as can be done: draw a number, insert it, answer. No token is checked, nothing rendered or limited."""
    (folder / "tokens.json").write_text(json.dumps([f"Bearer {'x' * 1000}{n}" for n in range(people)]))
    app, local, database = FastAPI(), threading.local(), folder / "plain.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE reservations (number INTEGER PRIMARY KEY, person TEXT, request TEXT, at TEXT)")

    @app.post("/addin/api/v1/reservations", status_code=201)
    def reserve(asked: Asked, authorization: Annotated[str, Header()]) -> dict[str, Any]:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(database, timeout=30)
            local.connection.execute("PRAGMA synchronous=NORMAL")
        number = secrets.randbelow(10**9)
        with local.connection:
            row = (number, authorization[-12:], asked.request_id, clock().isoformat())
            local.connection.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, ?, ?)", row)
        alias = f"meet.{number}@video.bench.test"
        return {"kind": "vmr", "ticket": f"T-{number}", "html": f"<p>{alias}</p>" * 40, "alias": alias}

    yield app


async def main() -> None:
    """Serve one side."""
    side, folder, people = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    async with {"greenroom": greenroom, "plain": plain}[side](folder, people) as app:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            async with serving_policy(app, listener, None):
                print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
                await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(main())
