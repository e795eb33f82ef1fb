"""`greenroom keys rotate`: a new key, from which all that is made from now on comes."""

import base64
import os
import secrets
import sys
from functools import partial
from pathlib import Path

import click
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.desk import asked, chosen
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, sentence_of
from greenroom.cli.keys_list import when_removable
from greenroom.cli.keys_standing import standings_of
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.cli.reading import read
from greenroom.scheduler.key_standings import KeyStanding, free_id
from greenroom.settings import Integration, Settings
from greenroom.settings.key_file import KeyFileError, change_key_file, with_key_first

_EXAMPLES = """\
\b
Examples:
  greenroom keys rotate
  greenroom keys rotate --integration main --yes

\b
The new key is written as the first line of ticket_keys_file, and the old file kept beside it (remove it when all is well:
keys are in it). Where keys stand in greenroom.toml or in the environment, what belongs there is printed instead: it is the
only command besides `greenroom config new-key` that prints a key, and only then.
Restart the service afterwards, every process of it: keys are read at the start. A process that does not know the new key
yet takes its tickets for forged, so restart all of them soon, or tell all of them the new key behind the current one first.
Old keys must stay until `greenroom keys list` says that they may be removed.
"""
_BYTES = 32
_RESTART = "Restart `greenroom serve`, every process of it: keys are read at the start."
_KEEP = "Old keys must stay: tickets, PINs and links of their meetings come from them. See `greenroom keys list`."


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Which integration's; needed if there are several.")
@click.option("--yes", is_flag=True, help="Do it, without a question.")
@with_json
def rotate(config_file: Path | None, *, name: str | None, yes: bool, as_json: bool) -> None:
    """Make a new ticket key, which signs from the next start on. Meetings keep their tickets, PINs and links."""
    settings, now = read_settings(config_file, as_json=as_json), wall_clock()
    entry = the_one(settings, name)
    standings = read(settings, lambda work: standings_of(work, entry, now), as_json=as_json)
    key_id = free_id(standings)
    if key_id is None:
        end_with(_all_taken(standings), as_json=as_json)
    key = base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    if entry.ticket_keys_file is None:
        _print(entry, key_id, key, as_json=as_json)
        return
    file = entry.ticket_keys_file
    if not asked(f"Write key {key_id} into {file} as the current one?", yes=yes, as_json=as_json):
        _end_unasked(as_json=as_json)
    try:
        kept = change_key_file(file, now, partial(with_key_first, key_id=key_id, key=key))
    except (KeyFileError, OSError) as error:
        end_with(of_key_file(file, error), as_json=as_json)
    steps = [_RESTART, _KEEP]
    if as_json:
        echo_json(
            {
                "ok": True,
                "integration": entry.name,
                "id": key_id,
                "file": str(file),
                "old_file": str(kept),
                "next": steps,
            }
        )
        return
    stdout().print(Text(f"Key {key_id} is the current one in {file}; the old file is {kept}."), soft_wrap=True)
    for step in steps:
        stdout().print(Text(step), soft_wrap=True)


def the_one(settings: Settings, name: str | None) -> Integration:
    """Return the integration of this name, or the only one. Raises click's errors."""
    found = chosen(settings, name)
    if len(found) > 1:
        raise click.UsageError(f"name an integration with --integration: {', '.join(one.name for one in found)}")
    return found[0]


def of_key_file(file: Path, error: KeyFileError | OSError) -> Failure:
    """Say why the file of keys was not changed."""
    if isinstance(error, KeyFileError):
        return Failure("key-file", sentence_of(f"{file}: {error}"), "Look at the file, and try again.", Exit.PROBLEM)
    what = f"{file} cannot be replaced: {error.strerror or error}."
    step = (
        "Run this as the owner of the file; or put a line of `greenroom config new-key --format file` into it by hand."
    )
    return Failure("key-file", what, step)


def _end_unasked(*, as_json: bool) -> None:
    if as_json:
        failure = Failure("not-confirmed", "Nothing was changed.", "With --yes it is done.", Exit.PROBLEM)
        end_with(failure, as_json=True)
    sys.exit(Exit.PROBLEM)


def _print(entry: Integration, key_id: int, key: str, *, as_json: bool) -> None:
    """Print what belongs where: we write into no greenroom.toml and no environment."""
    variable = f"GREENROOM_INTEGRATION__{entry.name.upper().replace('-', '_')}__TICKET_KEYS"
    from_environment = any(name.upper() == variable and value.strip() for name, value in os.environ.items())
    if from_environment:
        where = f"Put this in front of the others in the list of {variable}:"
        what = f'{{"id": {key_id}, "key": "{key}"}}'
    else:
        where = f'Put this in front of the others in ticket_keys of integration "{entry.name}":'
        what = f'{{ id = {key_id}, key = "{key}" }}'
    steps = [_RESTART, _KEEP]
    if as_json:
        told = {"integration": entry.name, "id": key_id, "file": None, "put": what, "where": where, "next": steps}
        echo_json({"ok": True, **told})
        return
    click.echo(f"Nothing was changed. {where}")
    click.echo(f"  {what}")
    for step in steps:
        click.echo(step)


def _all_taken(standings: list[KeyStanding]) -> Failure:
    now = wall_clock()
    free = [one for one in standings if one.is_free(now)]
    if free:
        ids = ", ".join(str(one.id) for one in free)
        step = f"Remove one that is not needed first: `greenroom keys prune --id N`, with N one of {ids}."
    else:
        first = min((one for one in standings if one.free_after), key=lambda one: str(one.free_after), default=None)
        step = "None of them may be removed yet."
        if first is not None:
            step += f" The first one is key {first.id}, {when_removable(first, now)}."
    return Failure("no-free-id", "All sixteen ids of keys are in use.", step, Exit.PROBLEM)
