"""`greenroom backup`: everything that is stored, in one file, while the service runs."""

import asyncio
from pathlib import Path

import click

from greenroom.assembly import wall_clock
from greenroom.cli.backup_words import TABLES, rows_and_size
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_storage, sentence_of
from greenroom.cli.kept_keys import passphrase, sealed_keys
from greenroom.cli.options import echo_json, end_with, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.progress import shown_progress
from greenroom.settings import Settings
from greenroom.storage import Storage, StorageError
from greenroom.storage.backup import write_backup
from greenroom.storage.backup_format import Manifest

_EXAMPLES = """\
\b
Examples:
  greenroom backup /backup/greenroom.zip
  greenroom backup /backup/greenroom-$(date +%F).zip --with-keys --passphrase-file /etc/greenroom/passphrase
  greenroom restore /backup/greenroom.zip

The file is a zip with a manifest and one file of JSON lines per table, the same for SQLite and PostgreSQL: a backup of one can be
restored into the other. It holds what the database holds: mail addresses, titles, PINs, links to rooms. Its owner alone can
read it; keep it so.
"""
_SECRETS = "It holds mail addresses, titles and PINs: keep it as you keep the database."
_NO_KEYS = (
    "The ticket keys are not in it: without them no ticket can be read, and PINs and join links of new rooms differ. "
    "Keep a copy of them elsewhere, or use --with-keys."
)
_WITH_KEYS = (
    "The ticket keys are in it, encrypted: keep the passphrase elsewhere. No other secrets of the configuration are."
)


@click.command(epilog=_EXAMPLES)
@with_config
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-keys", is_flag=True, help="Put the ticket keys in too, encrypted with a passphrase.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="File that holds the passphrase, of 12 characters or more; asked for without it.",
)
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
@with_json
def backup(
    config_file: Path | None,
    *,
    file: Path,
    with_keys: bool,
    passphrase_file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write all that is stored into FILE: one consistent state, while the service runs.

    FILE is there whole or not at all, and never overwritten without --force. It holds mail addresses, titles and PINs.
    """
    if passphrase_file is not None and not with_keys:
        raise click.UsageError("--passphrase-file goes with --with-keys")
    settings = read_settings(config_file, as_json=as_json)
    if file.exists() and not force:
        end_with(_exists(file), as_json=as_json)
    sealed = sealed_keys(settings, passphrase(passphrase_file, new=True)) if with_keys else None
    try:
        manifest = asyncio.run(_write(settings, file, sealed, force=force))
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    except FileExistsError:
        end_with(_exists(file), as_json=as_json)
    except OSError as error:
        what = f"{file} cannot be written: {error.strerror or type(error).__name__}."
        end_with(Failure("backup-not-written", what, "See to space and rights in its folder."), as_json=as_json)
    notes = [_SECRETS, _WITH_KEYS if with_keys else _NO_KEYS]
    if as_json:
        echo_json(_as_json(file, manifest, notes))
        return
    stdout().print(f"{file}: {rows_and_size(manifest, file.stat().st_size)}.", soft_wrap=True, markup=False)
    for note in notes:
        stderr().print(f"[yellow]![/yellow] {note}", soft_wrap=True)


async def _write(settings: Settings, file: Path, sealed: bytes | None, *, force: bool) -> Manifest:
    storage = Storage.open(settings.storage.url.get_secret_value())
    try:
        with shown_progress(TABLES) as tell:
            return await write_backup(storage, file, wall_clock(), sealed_keys=sealed, overwrite=force, progress=tell)
    finally:
        await storage.close()


def _exists(file: Path) -> Failure:
    what = sentence_of(f"{file} is there already")
    return Failure("file-exists", what, "Name another file, or use --force to overwrite it.", Exit.PROBLEM)


def _as_json(file: Path, manifest: Manifest, notes: list[str]) -> dict[str, object]:
    return {
        "ok": True,
        "file": str(file),
        "bytes": file.stat().st_size,
        "made_at": manifest.made_at.isoformat(),
        "greenroom": manifest.greenroom,
        "tables_version": manifest.tables_version,
        "database": manifest.database,
        "installation": manifest.installation,
        "keys": manifest.keys,
        "rows": manifest.rows,
        "tables": {entry.name: entry.rows for entry in manifest.tables},
        "notes": notes,
    }
