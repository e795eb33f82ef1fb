"""What the commands share that work on mailboxes in a process of their own: which ones, what can go wrong, whether to go on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.text import Text

from greenroom.assembly import CalendarError
from greenroom.cli.exchange_failures import of_calendar, of_exchange
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_platform, of_storage, sentence_of
from greenroom.cli.options import end_with, stderr, stdout
from greenroom.cli.reading import plain
from greenroom.exchange.errors import ExchangeError
from greenroom.platforms.errors import PlatformError
from greenroom.scheduler.lending import AttendedElsewhereError, NotLentError
from greenroom.settings import Integration, Settings
from greenroom.storage import StorageError

NOTHING_REMEMBERED = Failure(
    "nothing-remembered",
    "The database is not there yet, so nothing is remembered that could be compared.",
    "`greenroom recover` shows what becomes of the meetings in the calendar, and rebuilds the database from it.",
    Exit.PROBLEM,
)


def chosen(settings: Settings, name: str | None) -> tuple[Integration, ...]:
    """Return the integration of this name, or all of them."""
    if name is None:
        return settings.integration
    entry = settings.named(name)
    if entry is None:
        known = ", ".join(one.name for one in settings.integration)
        raise click.BadParameter(f"there is no integration {name!r}; known: {known}", param_hint="--integration")
    return (entry,)


@contextmanager
def failing(entry: Integration, *, as_json: bool) -> Iterator[None]:
    """End the command with a sentence and the next step where the block meets what can go wrong outside."""
    try:
        yield
    except CalendarError as error:
        end_with(of_calendar(error), as_json=as_json)
    except ExchangeError as error:
        end_with(of_exchange(error, entry), as_json=as_json)
    except PlatformError as error:
        end_with(of_platform(error), as_json=as_json)
    except NotLentError as error:
        end_with(of_lending(error), as_json=as_json)
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)


def of_lending(error: NotLentError) -> Failure:
    """Say who has the mailbox that is not lent."""
    if isinstance(error, AttendedElsewhereError):
        step = "Run this there, or stop that Greenroom first; `greenroom watcher` shows who attends the mailbox."
        return Failure("attended-elsewhere", sentence_of(str(error)), step)
    step = "Try again when it has ended what it does; what was done until now is stored, and nothing is done twice."
    return Failure("not-lent", sentence_of(str(error)), step)


def say_who_is_waited_for(holder: str) -> None:
    """Tell that the mailbox is borrowed from somebody who ends first what it does."""
    stderr().print(Text(f"Waiting for {plain(holder)} to lend the mailbox …", style="dim"))


def asked(question: str, *, yes: bool, as_json: bool) -> bool:
    """Whether to go on: said beforehand, or answered at a terminal. Nobody is asked where nobody sits."""
    if yes or as_json:
        return yes
    if not (sys.stdin.isatty() and stdout().is_terminal):
        stdout().print("Nothing was changed. With --yes it is done.")
        return False
    agreed = click.confirm(question, default=False)
    if not agreed:
        stdout().print("Nothing was changed.")
    return agreed
