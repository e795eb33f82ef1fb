"""The live test of `greenroom doctor`: asks before anything is sent, shows how far it is, and tidies up on Ctrl-C."""

import asyncio
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import click
from rich.text import Text

from greenroom.assembly import wall_clock
from greenroom.cli.desk import asked, failing
from greenroom.cli.options import stderr
from greenroom.doctor.blocking import DaemonExecutor
from greenroom.doctor.contract import Explain, Finding
from greenroom.doctor.live import SUBJECT, try_live
from greenroom.settings import Integration, Settings
from greenroom.trying import open_live

_QUESTION = (
    "Two meetings ({subject!r}, three days ahead, at night) are made in the calendar of {organizer}. Nobody but "
    "{mailbox} is invited to them. Both are cancelled and deleted again within minutes. What was mailed about them stays "
    "in the inbox and the sent items of {organizer}, and {mailbox} keeps them as cancelled. Go on?"
)

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_ADDRESS = re.compile(r"[^\s@<>/]{1,64}@[^\s@<>/]{1,255}")


def checked_organizers(organizers: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses in lower case, each once. Raises BadParameter for what is none."""
    for one in organizers:
        if not _ADDRESS.fullmatch(one):
            raise click.BadParameter("this is not a mail address", param_hint="--organizer")
    return tuple(dict.fromkeys(one.lower() for one in organizers))


def check_live(entries: Sequence[Integration], organizers: Sequence[str]) -> None:
    """Raise UsageError unless it is clear for which mailbox and in whose calendar to try."""
    if len(organizers) != 1:
        raise click.UsageError("--live needs one --organizer: in whose calendar shall meetings be booked?")
    if len(entries) != 1:
        raise click.UsageError("--live needs --integration: one mailbox is tried at a time")
    if organizers[0] == entries[0].mailbox:
        raise click.UsageError("--organizer is a person who invites, not the equipment mailbox")


def may_try(entry: Integration, organizer: str, *, yes: bool, as_json: bool) -> bool:
    """Ask whether to send invitations; whoever asks for JSON has to say so beforehand."""
    if as_json and not yes:
        raise click.UsageError("--live with --json needs --yes: nobody can be asked")
    question = _QUESTION.format(subject=SUBJECT, organizer=organizer, mailbox=entry.mailbox)
    return asked(question, yes=yes, as_json=as_json)


def tried(
    settings: Settings, entry: Integration, organizer: str, explain: Explain, patience: timedelta, *, as_json: bool
) -> list[Finding]:
    """Do the live test. After Ctrl-C, or a signal that ends it, what was made is removed; then it raises KeyboardInterrupt."""

    async def work() -> list[Finding]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None, "asyncio.run made one"
        loop.set_default_executor(DaemonExecutor(1))
        for number in _ENDING:  # a time that is up, a terminal that was closed
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup means what it says
                loop.add_signal_handler(number, task.cancel)
        with _shown(quiet=as_json) as tell:
            async with open_live(settings, entry, wall_clock, explain, tell, patience=patience) as scene:
                return await try_live(scene, organizer)

    with failing(entry, as_json=as_json):
        try:
            return asyncio.run(work())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show how far it is: at a terminal in one line, in a log each step once."""
    console = stderr()
    if quiet:
        yield lambda _what: None
    elif console.is_terminal:
        with console.status("Live test…") as status:
            yield lambda what: status.update(Text(f"Live test: {what}"))
    else:
        told: set[str] = set()

        def tell(what: str) -> None:
            step = what.partition(" (")[0]
            if step not in told:
                told.add(step)
                console.print(f"Live test: {step}")

        yield tell
