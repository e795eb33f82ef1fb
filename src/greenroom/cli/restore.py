"""`greenroom restore`: a backup into an empty database, or in the place of what is in one."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.backup_words import TABLES, rows_and_size
from greenroom.cli.desk import asked
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_storage, sentence_of
from greenroom.cli.kept_keys import KeysError, WrittenKeys, how_to_name, passphrase, write_keys
from greenroom.cli.keys_standing import standings_of
from greenroom.cli.options import echo_json, end_with, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.progress import shown_progress
from greenroom.cli.reading import local, plain
from greenroom.scheduler.numbers import mixed_up
from greenroom.scheduler.watch_book import forget_watches
from greenroom.scheduler.whereabouts import is_dead_here
from greenroom.settings import Settings
from greenroom.storage import Storage, StorageError
from greenroom.storage.backup import Progress
from greenroom.storage.backup_file import BackupFile, open_backup
from greenroom.storage.backup_format import BackupError, Manifest, NewerBackupError
from greenroom.storage.restore import InUseError, NotEmptyError, Target, look_at_target, restore

_EXAMPLES = """\
\b
Examples:
  greenroom restore /backup/greenroom.zip               into an empty database
  greenroom restore /backup/greenroom.zip --replace     in the place of what is there, after a question
  greenroom restore /backup/full.zip --keys-to secrets/ticket-keys
  greenroom restore /backup/full.zip --keys-to secrets/ticket-keys --only-keys

\b
SQLite and PostgreSQL take each other's backups: to move from one to the other, back up, change storage.url, restore.
What is restored is the same installation and keeps its id. Let the old one not be started again beside it: on a mailbox
that both attend, the one that comes second keeps quiet and says so.
Meetings, mails and changes that came after the backup are found in the calendar: `greenroom recover` shows what it means.

\b
Exit code 1: the backup is damaged or newer than this Greenroom, the database is in use or not empty, the passphrase is wrong.
"""
_NEXT = (
    "Next: `greenroom recover` shows what came after the backup, and does it when asked to;",
    "or start `greenroom serve`, which compares the whole calendar at its start and catches up by itself.",
)
_WITH_SEVERAL = "With several integrations there is one file for each, FILE.NAME."


@dataclass(slots=True)
class _Done:
    """What came of it."""

    manifest: Manifest
    keys: list[WrittenKeys] = field(default_factory=list)
    target: Target | None = None
    warnings: list[str] = field(default_factory=list)


@click.command("restore", epilog=_EXAMPLES)
@with_config
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keys-to",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Write the ticket keys of the backup into this file first; it is never overwritten. {_WITH_SEVERAL}",
)
@click.option("--only-keys", is_flag=True, help="Write the keys and end; needs no configuration and no database.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="File that holds the passphrase the keys are encrypted with; asked for without it.",
)
@click.option("--replace", is_flag=True, help="Replace what is in the database. All of it is lost.")
@click.option("--yes", is_flag=True, help="Do it, without a question.")
@with_json
def restore_command(
    config_file: Path | None,
    *,
    file: Path,
    keys_to: Path | None,
    only_keys: bool,
    passphrase_file: Path | None,
    replace: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Put the backup FILE into the database: all of it, or nothing.

    The whole file is checked before anything is changed. The service must not run. A backup of an older Greenroom is
    brought up to date.
    """
    if keys_to is None and (only_keys or passphrase_file is not None):
        raise click.UsageError("--only-keys and --passphrase-file go with --keys-to")
    with _explained(as_json=as_json), open_backup(file) as opened:
        if not as_json:
            _introduce(opened.manifest, file)
        with shown_progress(dict.fromkeys(TABLES, "Checking the backup")) as tell:
            opened.check(tell)
        done = _Done(opened.manifest)
        if keys_to is not None:
            # Before the configuration is read: without them it may not be right.
            done.keys = _write_keys(opened, keys_to, passphrase_file)
            if not as_json:
                _tell_keys(done.keys)
        if not only_keys:
            _restore(
                read_settings(config_file, as_json=as_json), opened, done, replace=replace, yes=yes, as_json=as_json
            )
    if as_json:
        echo_json(_as_json(file, done))
    elif done.target is not None:
        _tell(done)


@contextmanager
def _explained(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except NewerBackupError as error:
        step = "Install that version, or a newer one, and restore the backup with it."
        end_with(Failure(error.code, sentence_of(str(error)), step, Exit.PROBLEM), as_json=as_json)
    except BackupError as error:
        step = "Nothing was changed. Take another backup."
        end_with(Failure(error.code, sentence_of(str(error)), step, Exit.PROBLEM), as_json=as_json)
    except KeysError as error:
        end_with(error.failure, as_json=as_json)
    except InUseError as error:
        step = f"Stop it first. If it is dead, its claim ends at {local(error.until)}: try again then."
        end_with(Failure("database-in-use", sentence_of(plain(str(error))), step, Exit.PROBLEM), as_json=as_json)
    except NotEmptyError as error:
        end_with(_not_empty(error), as_json=as_json)
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    except OSError as error:
        said = f"the backup cannot be read: {error.strerror or error}"
        end_with(Failure("backup-unreadable", sentence_of(said), "Name a readable file.", Exit.USAGE), as_json=as_json)


def _not_empty(error: NotEmptyError) -> Failure:
    step = "With --replace all of it is lost and the backup takes its place; back it up before."
    return Failure("database-not-empty", sentence_of(str(error)), step, Exit.PROBLEM)


def _write_keys(opened: BackupFile, to: Path, passphrase_file: Path | None) -> list[WrittenKeys]:
    sealed = opened.sealed_keys()
    if sealed is None:
        step = "Leave --keys-to away, and put the ticket keys back from where you keep them."
        raise KeysError(Failure("no-keys", "There are no keys in this backup.", step, Exit.PROBLEM))
    return write_keys(sealed, passphrase(passphrase_file, new=False), to)


def _restore(settings: Settings, opened: BackupFile, done: _Done, *, replace: bool, yes: bool, as_json: bool) -> None:
    before = asyncio.run(_look(settings))
    if before.is_filled:
        if not replace:
            raise NotEmptyError("there is something in the database already")
        meetings, rooms = (before.rows.get(name, 0) for name in ("meetings", "rooms"))
        question = f"Everything in the database is lost: {meetings:,} meetings, {rooms:,} rooms. Replace it?"
        if not asked(question, yes=yes, as_json=as_json):
            if not as_json:
                sys.exit(Exit.PROBLEM)
            what = "Nothing was changed: the database is not empty."
            end_with(Failure("not-confirmed", what, "With --yes it is replaced.", Exit.PROBLEM), as_json=as_json)
    with shown_progress(TABLES) as tell:
        done.target, done.warnings = asyncio.run(_carry_out(settings, opened, tell, replace=replace))


async def _look(settings: Settings) -> Target:
    storage = Storage.open(settings.storage.url.get_secret_value())
    try:
        return await look_at_target(storage, wall_clock(), is_gone=is_dead_here)
    finally:
        await storage.close()


async def _carry_out(
    settings: Settings, opened: BackupFile, tell: Progress, *, replace: bool
) -> tuple[Target, list[str]]:
    storage = Storage.open(settings.storage.url.get_secret_value())
    try:
        target = await restore(
            storage, opened, wall_clock(), replace=replace, is_gone=is_dead_here, then=forget_watches, progress=tell
        )
        return target, await _warnings(settings, storage)
    finally:
        await storage.close()


async def _warnings(settings: Settings, storage: Storage) -> list[str]:
    """Say where what was restored does not fit the configuration."""
    async with storage.reading() as work:
        found = [
            f"{sentence_of(str(one))} `greenroom serve` will not start like this: see `greenroom config moved --help`."
            for one in await mixed_up(work, {entry.number: entry.mailbox for entry in settings.integration})
        ]
        for entry in settings.integration:
            lost = [one for one in await standings_of(work, entry, wall_clock()) if not one.is_held]
            found += [
                f'Integration "{entry.name}": what lives was made with key {one.id} ({one.use.meetings:,} meetings), which the '
                "configuration does not have. Put it back, or their tickets, PINs and links are not known any more."
                for one in lost
            ]
    return found


def _introduce(manifest: Manifest, file: Path) -> None:
    said = f"Backup of {local(manifest.made_at)}, Greenroom {plain(manifest.greenroom)}, {manifest.database}: "
    stderr().print(Text(said + rows_and_size(manifest, file.stat().st_size) + ".", style="dim"))


def _tell_keys(written: list[WrittenKeys]) -> None:
    for one in written:
        said = "Ticket keys written to" if one.new else "The same ticket keys are in"
        stdout().print(Text(f"{said} {one.file}"))
    stdout().print(Text("Name the file in the configuration:"))
    for line in how_to_name(written):
        stdout().print(Text(f"  {line}"), soft_wrap=True)


def _tell(done: _Done) -> None:
    stdout().print(f"{done.manifest.rows:,} rows restored, as they were on {local(done.manifest.made_at)}.")
    for warning in done.warnings:
        stderr().print(Text.assemble(("! ", "yellow"), warning), soft_wrap=True)
    for step in _NEXT:
        stdout().print(step, soft_wrap=True)


def _as_json(file: Path, done: _Done) -> dict[str, object]:
    manifest = done.manifest
    return {
        "ok": True,
        "file": str(file),
        "made_at": manifest.made_at.isoformat(),
        "greenroom": manifest.greenroom,
        "tables_version": manifest.tables_version,
        "installation": manifest.installation,
        "restored": done.target is not None,
        "replaced": done.target is not None and done.target.is_filled,
        "rows": manifest.rows,
        "tables": {entry.name: entry.rows for entry in manifest.tables},
        "keys": [{"integration": one.integration, "file": str(one.file), "new": one.new} for one in done.keys],
        "warnings": done.warnings,
        "next": [] if done.target is None else list(_NEXT),
    }
