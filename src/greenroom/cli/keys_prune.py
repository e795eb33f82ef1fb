"""`greenroom keys prune`: remove a key that nothing needs any more."""

import sys
from functools import partial
from pathlib import Path

import click
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.desk import asked
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure
from greenroom.cli.keys_list import when_removable
from greenroom.cli.keys_rotate import of_key_file, the_one
from greenroom.cli.keys_standing import standings_of
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.cli.reading import read
from greenroom.scheduler.key_standings import KeyStanding
from greenroom.settings.key_file import KeyFileError, change_key_file, without_key

_EXAMPLES = """\
\b
Examples:
  greenroom keys list            which may be removed?
  greenroom keys prune --id 0

\b
Exit code 1: the key is needed, and nothing was changed.
"""


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--id", "key_id", type=click.IntRange(0, 15), required=True, help="Which key.")
@click.option("--integration", "name", metavar="NAME", help="Which integration's; needed if there are several.")
@click.option("--yes", is_flag=True, help="Do it, without a question.")
@with_json
def prune(config_file: Path | None, *, key_id: int, name: str | None, yes: bool, as_json: bool) -> None:
    """Remove a key from ticket_keys_file, if nothing needs it. The old file is kept beside it."""
    settings, now = read_settings(config_file, as_json=as_json), wall_clock()
    entry = the_one(settings, name)
    standings = read(settings, lambda work: standings_of(work, entry, now), as_json=as_json)
    one = next((found for found in standings if found.id == key_id and found.is_held), None)
    if one is None:
        step = "`greenroom keys list` shows which there are."
        what = f'Integration "{entry.name}" has no key {key_id}.'
        end_with(Failure("no-such-key", what, step, Exit.PROBLEM), as_json=as_json)
    if not one.is_free(now):
        end_with(_needed(one, when_removable(one, now)), as_json=as_json)
    file = entry.ticket_keys_file
    if file is None:
        what = f"Key {key_id} is not needed; its keys are not in a file of their own, so nothing was changed."
        step = f'Take the entry with id {key_id} out of ticket_keys of integration "{entry.name}" yourself.'
        end_with(Failure("keys-not-in-a-file", what, step, Exit.PROBLEM), as_json=as_json)
    if not asked(f"Remove key {key_id} from {file}?", yes=yes, as_json=as_json):
        if as_json:
            failure = Failure("not-confirmed", "Nothing was changed.", "With --yes it is done.", Exit.PROBLEM)
            end_with(failure, as_json=True)
        sys.exit(Exit.PROBLEM)
    try:
        kept = change_key_file(file, now, partial(without_key, key_id=key_id))
    except (KeyFileError, OSError) as error:
        end_with(of_key_file(file, error), as_json=as_json)
    if as_json:
        echo_json({"ok": True, "integration": entry.name, "id": key_id, "file": str(file), "old_file": str(kept)})
        return
    said = (
        f"Key {key_id} is not in {file} any more; the old file is {kept}: remove it when all is well, keys are in it."
    )
    stdout().print(Text(said), soft_wrap=True)


def _needed(one: KeyStanding, when: str) -> Failure:
    if one.is_current:
        what = f"Key {one.id} is the current one."
        return Failure(
            "key-is-current", what, "Make another one the current one with `greenroom keys rotate`.", Exit.PROBLEM
        )
    use = one.use
    if use.sign_ins and not use.meetings and not use.reservations:
        what = f"Key {one.id} is needed: what renews the tokens of a service account is sealed with it."
        step = (
            "Restart `greenroom serve`, which seals it with the current key; or sign in again with `greenroom signin`."
        )
        return Failure("key-is-needed", what, step, Exit.PROBLEM)
    what = f"Key {one.id} is needed: {use.meetings:,} meetings live and {use.reservations:,} reservations wait that it made."
    return Failure("key-is-needed", what, f"It may be removed: {when}.", Exit.PROBLEM)
