"""A configuration on disk with its database, for tests of the commands."""

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path

from greenroom.meetings.record import JournalEntry, Record
from greenroom.meetings.room import RoomSpec
from greenroom.storage import Storage

KEY = base64.b64encode(bytes(range(32))).decode()


def write_config(folder: Path, *, ews: str = "https://mail.example.org/EWS/Exchange.asmx", more: str = "") -> Path:
    """Write greenroom.toml; `more` is appended to the section of Exchange."""
    file = folder / "greenroom.toml"
    file.write_text(f"""\
[service]
listen = "127.0.0.1:0"
public_url = "https://meet.example.org"

[storage]
url = "sqlite:///{folder}/greenroom.db"

[[integration]]
number = 1
name = "main"
mailbox = "rooms@example.org"
ticket_keys = [{{ id = 0, key = "{KEY}" }}]

[integration.alias]
prefix = "meet"

[integration.exchange]
url = "{ews}"
username = "svc"
password = "planted-password"
timeout_seconds = 5
{more}
""")
    return file


def fill(
    folder: Path, records: Sequence[Record] = (), journal: Sequence[JournalEntry] = (), rooms: Sequence[RoomSpec] = ()
) -> None:
    """Prepare the database and store what is given."""

    async def store() -> None:
        storage = Storage.open(f"sqlite:///{folder}/greenroom.db")
        try:
            await storage.migrate()
            async with storage.work() as work:
                await work.meetings.save(list(records))
                await work.journal.append(list(journal))
                for spec in rooms:
                    await work.rooms.upsert(1, spec)
        finally:
            await storage.close()

    asyncio.run(store())
