"""`greenroom serve`: attend the mailboxes and show the join pages until told to stop."""

import asyncio
import gc
import signal
import sys
from pathlib import Path

import click
from rich.markup import escape

from greenroom.assembly import CalendarError, Greenroom, PortInUseError, open_greenroom, wall_clock
from greenroom.cli.exchange_failures import expiry_note, of_calendar, of_tried
from greenroom.cli.exits import Exit
from greenroom.cli.failures import of_policy_certificate, of_port, of_storage
from greenroom.cli.logs import configure_logs
from greenroom.cli.options import end_with, read_settings, show_failure, stderr, with_config
from greenroom.settings import Settings
from greenroom.storage import StorageError
from greenroom.web.policy_listener import PolicyCertificateError

_EXAMPLES = """\
\b
Examples:
  greenroom serve
  greenroom serve --config /etc/greenroom/greenroom.toml
  GREENROOM_SERVICE__LISTEN=0.0.0.0:8080 greenroom serve

Ctrl-C or SIGTERM ends it after the work at hand. While Exchange cannot be reached or refuses us, the join pages stay up;
a refused password is tried again after a quarter of an hour, then ever more seldom.
"""


@click.command(epilog=_EXAMPLES)
@with_config
def serve(config_file: Path | None) -> None:
    """Attend the mailboxes and show the join pages."""
    settings = read_settings(config_file)
    configure_logs(settings.service.log_level, settings.service.log_format)
    try:
        asyncio.run(_serve(settings))
    except PortInUseError as error:
        end_with(of_port(error.host, error.port, error.__cause__))
    except PolicyCertificateError as error:
        end_with(of_policy_certificate(error))
    except StorageError as error:
        end_with(of_storage(error))
    except CalendarError as error:
        end_with(of_calendar(error))
    sys.exit(Exit.OK)


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_greenroom(settings) as greenroom:
        tasks: set[asyncio.Task[None]] = set()

        def ready(address: str) -> None:
            mailboxes = ", ".join(entry.mailbox for entry in settings.integration)
            stderr().print(f"Greenroom listens on [bold]{escape(address)}[/bold] and attends {escape(mailboxes)}.")
            tasks.add(asyncio.create_task(_sign_in(greenroom)))
            tasks.add(asyncio.create_task(_spare_rooms(greenroom)))

        await greenroom.run(stop, on_ready=ready)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _spare_rooms(greenroom: Greenroom) -> None:
    """Keep the garbage collector from going through all rooms in memory: of 100,000 that holds up every answer for 200 ms."""
    if greenroom.platforms.policy is not None:
        await greenroom.platforms.policy.follower.loaded()
        gc.freeze()


async def _sign_in(greenroom: Greenroom) -> None:
    """Look at every mailbox once and tell at the terminal what is wrong; the service itself goes on trying or waiting."""
    entries = {entry.name: entry for entry in greenroom.settings.integration}
    for tried in await greenroom.check():
        failure = of_tried(tried, entries[tried.integration])
        if failure is not None:
            show_failure(failure, tried.mailbox)
        elif note := expiry_note(tried.expires_at, wall_clock()):
            stderr().print(f"[yellow]![/yellow] [bold]{escape(tried.mailbox)}:[/bold] {escape(note)}", soft_wrap=True)
