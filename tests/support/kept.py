"""Databases with something in every table, for tests of backups."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from greenroom.storage import Alarm, Refused, Reservation, RoomStore, Side, Storage, StoredDrift
from greenroom.storage.backup import write_backup
from greenroom.storage.backup_file import open_backup
from greenroom.storage.facts import INSTALLATION
from greenroom.storage.manifests import StoredManifest
from greenroom.storage.restore import Target, restore
from greenroom.storage.schema import metadata
from greenroom.storage.sign_ins import StoredSignIn
from support.records import DAY, HOUR, NOON, bare_record, full_record, line, room

BOX = "rooms@example.com"
CLEARED = {"claimed_by", "claimed_until", "wanted_by", "wanted_until", "waiting_replies", "replies_end_at"} | {
    *("backlog_total", "backlog_done", "backlog_since", "reconciled_at", "drift_at")
}


async def something_everywhere(storage: Storage, number: int = 1) -> None:
    """Put a row or more into every table; no claim is alive at NOON."""
    rooms = RoomStore(storage, 1, lambda: NOON)
    await rooms.ensure(room(number))
    await rooms.ensure(room(number + 1, name='Plänung "🐘"\n\u2028', host_pin=None))
    await rooms.retire(room(number + 1).mark)
    asked = Reservation(7 + number, 1, None, NOON, asked_by="a" * 32, request_id="r1", key_id=3, expires_at=NOON + DAY)
    async with storage.work() as work:
        await work.meetings.save([full_record(number), bare_record(number + 1)])
        await work.journal.append([line(number, "seen"), line(number, "decided", "new")])
        await work.asked.add([asked])
        await work.routes.learn(1, "ann@example.com", Side.SECOND, NOON)
        await work.refusals.note([Refused(1, "C1", NOON, "bearer", "expired")])
        await work.manifests.put(StoredManifest(1, "outlook", "d" * 64, "1.0.0.0", NOON), None)
        await work.alarms.note([Alarm(1, "guessing", "someone", 3, NOON, NOON)])
        await work.drifts.replace(1, [StoredDrift(1, "orphan-room", "x", "", NOON, NOON)], NOON)
        await work.facts.put(INSTALLATION, f"installation-{number}")
        await work.sign_ins.put(StoredSignIn(1, "exchange", f"service-{number}@example.org", "sealed", NOON, NOON))
        await work.mailboxes.save_cursor(BOX, "cursor-1")
        await work.mailboxes.claim(BOX, "old-service", NOON - 2 * HOUR, NOON - HOUR)
        await work.mailboxes.note_reconciled(BOX, NOON)
        await work.mailboxes.note_backlog(BOX, 5, 2, NOON)
        await work.mailboxes.want(BOX, "recover", NOON, NOON + HOUR)


async def contents(storage: Storage) -> dict[str, list[dict[str, Any]]]:
    """Everything in a database, by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with storage.whole(reading=True) as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(sa.select(table))
            found[table.name] = sorted((dict(row) for row in rows.mappings()), key=repr)
    return found


def lasting(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The same without what a restore clears or counts anew."""
    left = {name: [dict(row) for row in rows] for name, rows in found.items() if name not in ("drifts", "counters")}
    for row in left["mailboxes"]:
        for name in CLEARED:
            del row[name]
    for row in left["rooms"]:
        del row["version"]
    return left


async def backed_up(storage: Storage, folder: Path, name: str = "backup.zip", keys: bytes | None = None) -> Path:
    """Write a backup."""
    file = folder / name
    await write_backup(storage, file, NOON, sealed_keys=keys)
    return file


async def restored(storage: Storage, file: Path, *, replace: bool = False) -> Target:
    """Check a backup and put it into a database, as the command does."""
    with open_backup(file) as backup:
        backup.check(lambda _table, _done, _all: None)
        return await restore(storage, backup, NOON, replace=replace)
