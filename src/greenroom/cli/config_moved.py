"""`greenroom config moved`: say that the mailbox of an integration is meant to be another one, or to have another number."""

import asyncio
import sys
from pathlib import Path

import click
from rich.text import Text

from greenroom.cli.desk import asked
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_storage, sentence_of
from greenroom.cli.options import echo_json, end_with, read_settings, stdout, with_config, with_json
from greenroom.scheduler.numbers import Mixed, give_numbers, mixed_up
from greenroom.settings import Settings
from greenroom.storage import Storage, StorageError

_EXAMPLES = """\
\b
Examples:
  greenroom config moved            what is otherwise than it was?
  greenroom config moved --yes      it is meant so

\b
Everything that is stored hangs on the number of an integration, and so do tickets. `greenroom serve` refuses to start where
the configuration gives a number to another mailbox than before, or a mailbox to another number.
Right:  the mailbox has another address now, and its calendar is the same.
Wrong:  another mailbox takes the place of the old one. Give it a number of its own; the old one's meetings would be taken
        for meetings that left the calendar.
Wrong:  the mailbox gets another number. Its meetings are forgotten, and their tickets count as somebody else's.
"""
_ANOTHER_NUMBER = (
    "That forgets the meetings stored for number {0}, and their tickets, which name it, count as somebody else's: "
    "put the number {0} back, unless nothing was scheduled with it."
)


@click.command("moved", epilog=_EXAMPLES)
@with_config
@click.option("--yes", is_flag=True, help="It is meant so; no question.")
@with_json
def moved(config_file: Path | None, *, yes: bool, as_json: bool) -> None:
    """Say that a mailbox has another address, or another number, than before, and is meant to."""
    settings = read_settings(config_file, as_json=as_json)
    try:
        found = asyncio.run(_compared(settings, change=False))
        if not as_json:
            for one in found:
                stdout().print(Text(sentence_of(str(one))), soft_wrap=True)
                if one.was_number:
                    stdout().print(Text(_ANOTHER_NUMBER.format(one.was_number)), soft_wrap=True)
        if found and not asked("Is it meant so?", yes=yes, as_json=as_json):
            if as_json:
                what = sentence_of(str(found[0]))
                end_with(Failure("not-confirmed", what, "With --yes it is meant so.", Exit.PROBLEM), as_json=True)
            sys.exit(Exit.PROBLEM)
        if found:
            found = asyncio.run(_compared(settings, change=True))
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    if as_json:
        echo_json({"ok": True, "moved": [_as_json(one) for one in found]})
    else:
        stdout().print(
            "It is so from now on." if found else "Every number belongs to its mailbox; nothing was changed."
        )


async def _compared(settings: Settings, *, change: bool) -> tuple[Mixed, ...]:
    mailboxes = {entry.number: entry.mailbox for entry in settings.integration}
    storage = Storage.open(settings.storage.url.get_secret_value())
    try:
        await storage.check()
        if change:
            async with storage.work() as work:
                return await give_numbers(work, mailboxes)
        async with storage.reading() as work:
            return await mixed_up(work, mailboxes)
    finally:
        await storage.close()


def _as_json(one: Mixed) -> dict[str, object]:
    return {
        "number": one.number,
        "mailbox": one.mailbox,
        "was": one.was or None,
        "was_number": one.was_number or None,
    }
