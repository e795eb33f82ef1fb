"""`greenroom demo`: see the main job on this machine, without an Exchange."""

import asyncio
import contextlib
import errno
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from click.core import ParameterSource
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from greenroom.assembly import PortInUseError
from greenroom.cli.demonstration.errors import FolderError, UnlikelyError
from greenroom.cli.demonstration.invitations import Invitation, Result, deliver_all, files_of, read_all
from greenroom.cli.demonstration.platforms import PlatformKind
from greenroom.cli.demonstration.script import Day, Line
from greenroom.cli.demonstration.script_pexip import PexipDay
from greenroom.cli.demonstration.world import Protocol, World, open_world
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_storage
from greenroom.cli.logs import configure_logs
from greenroom.cli.options import echo_json, end_with, show_problems, stderr, stdout
from greenroom.cli.reading import plain
from greenroom.settings import SettingsError
from greenroom.storage import StorageError

OWN_TIME = "invitation"
_FIRST_YEAR, _LAST_YEAR = 1971, 2105  # those that tickets can name
_EXAMPLES = """\
\b
Examples:
  greenroom demo                                    open a page, compose a meeting, watch
  greenroom demo --once                             play a scripted day, print it, exit 0 or 1
  greenroom demo --once --exchange ews              the same as with an Exchange Server
  greenroom demo --platform pexip                   with rooms on a simulated Pexip Infinity, and people who dial
  greenroom demo --invitation meeting.ics           deliver real invitations
  greenroom demo --once --invitation *.ics --now invitation
                                                    each at the time it was sent
"""


@click.command(epilog=_EXAMPLES)
@click.option("--once", is_flag=True, help="Play a scripted day (or deliver the invitations), print it, and end.")
@click.option(
    "--exchange",
    "protocol",
    type=click.Choice(["graph", "ews"]),
    default="graph",
    show_default=True,
    help="Speak with the Exchange in a box as with Microsoft 365 (graph) or as with Exchange Server (ews).",
)
@click.option(
    "--platform",
    type=click.Choice(["embedded", "pexip"]),
    default="embedded",
    show_default=True,
    help="Where rooms are: Greenroom's own, or at a Pexip Infinity in a box, by management API and external policy.",
)
@click.option(
    "--invitation",
    "invitations",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Deliver an .ics file (or a mail with one), or all of a folder, to the equipment mailbox. May be given several times.",
)
@click.argument("more", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--now",
    metavar="TIME",
    help="Set the demo's clock: 2026-12-01T09:00+01:00, or “invitation” for each file's own time.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the data in this folder; otherwise they go with the demo.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8025,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes any free one.",
)
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print JSON.")
@click.option("--verbose", is_flag=True, help="Show the log.")
def demo(
    *,
    once: bool,
    protocol: Protocol,
    platform: PlatformKind,
    invitations: tuple[Path, ...],
    more: tuple[Path, ...],
    now: str | None,
    data: Path | None,
    port: int,
    no_browser: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Show the main job: an Exchange in a box, Greenroom, and a mail client to book meetings from, on this computer only."""
    if more and not invitations:
        raise click.UsageError("Files go behind --invitation.")
    files = files_of([*invitations, *more])
    if invitations and not files:
        raise click.UsageError("There is no .ics file in that folder.")
    if now == OWN_TIME and not files:
        raise click.UsageError("--now invitation goes with --invitation.")
    if as_json and not once:
        raise click.UsageError("--json goes with --once.")
    moment = _moment(now)
    source = click.get_current_context().get_parameter_source("port")
    configure_logs("info" if verbose else "error", "console")
    run = _Run(
        once=once,
        protocol=protocol,
        platform=platform,
        invitations=read_all(files),
        own=now == OWN_TIME,
        as_json=as_json,
        quiet_browser=no_browser or once,
    )
    with _failures(data, as_json=as_json), _folder(data) as folder:
        code = asyncio.run(run.go(folder, 0 if once and source is ParameterSource.DEFAULT else port, moment))
    sys.exit(code)


@contextlib.contextmanager
def _failures(data: Path | None, *, as_json: bool) -> Iterator[None]:
    """Turn what can stand in the demo's way into a sentence and an exit code."""
    try:
        yield
    except PortInUseError as error:
        end_with(_of_port(error), as_json=as_json)
    except FolderError as error:
        end_with(Failure("demo-data", str(error), error.step, Exit.PROBLEM), as_json=as_json)
    except SettingsError as error:
        show_problems(error.problems)
        sys.exit(Exit.USAGE)
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    except OSError as error:
        where = "the folder for temporary files" if data is None else f"the folder {data}"
        what = f"The demo cannot keep its data in {where}: {error.strerror or type(error).__name__}."
        end_with(Failure("demo-folder", what, "Name another folder with --data.", Exit.PROBLEM), as_json=as_json)


def _of_port(error: PortInUseError) -> Failure:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno == errno.EACCES:
        what = f"This user may not listen on port {error.port}: ports below 1024 belong to the system."
    else:
        what = f"Port {error.port} is in use by another program, perhaps by another demo."
    return Failure("port-in-use", what, "Choose another one with --port, or any free one with --port 0.", Exit.PORT)


class _Run:
    """One run of the demo."""

    def __init__(
        self,
        *,
        once: bool,
        protocol: Protocol,
        platform: PlatformKind,
        invitations: Sequence[Invitation],
        own: bool,
        as_json: bool,
        quiet_browser: bool,
    ) -> None:
        self._once = once
        self._protocol: Protocol = protocol
        self._platform: PlatformKind = platform
        self._invitations = invitations
        self._own = own
        self._json = as_json
        self._quiet = quiet_browser
        self._console = stdout()

    async def go(self, folder: Path, port: int, now: datetime | None) -> int:
        async with open_world(folder, port=port, now=now, protocol=self._protocol, platform=self._platform) as world:
            if self._once:
                return await (self._deliver(world) if self._invitations else self._play(world))
            self._console.print(f"Greenroom's demo is at [bold]{world.address}[/bold]  (Ctrl-C ends it)")
            if self._invitations:
                await self._deliver(world)
            if not self._quiet:
                webbrowser.open(world.address)
            await _until_told_to_stop()
            return 0

    async def _play(self, world: World) -> int:
        day = Day(world, self._tell) if world.pexip is None else PexipDay(world, self._tell, pexip=world.pexip)
        failure = None
        try:
            await day.play()
        except UnlikelyError as error:
            failure = str(error)
        if self._json:
            lines = [{"at": line.at.isoformat(), "what": line.what, "seconds": line.seconds} for line in day.lines]
            echo_json({"ok": failure is None, "failure": failure, "timeline": lines})
        elif failure is not None:
            self._console.print(f"[red]✗ {escape(failure)}[/red]", soft_wrap=True)
        else:
            self._console.print("[green]✓ The day went as it should.[/green]")
        return 0 if failure is None else 1

    async def _deliver(self, world: World) -> int:
        with self._progress() as step:

            def tell(result: Result) -> None:
                self._tell_result(result)
                step()

            results = await deliver_all(world, self._invitations, own=self._own, tell=tell)
        if self._json:
            echo_json([result.as_json() for result in results])
        return Exit.OK if all(result.ok for result in results) else Exit.PROBLEM

    @contextlib.contextmanager
    def _progress(self) -> Iterator[Callable[[], None]]:
        """Show on standard error how far it got, where the results themselves do not show it at the same terminal."""
        columns = (TextColumn("Delivering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = stderr()
        shown = console.is_terminal and (self._json or not self._console.is_terminal)
        with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
            task = progress.add_task("", total=len(self._invitations))
            yield lambda: progress.advance(task)

    def _tell(self, line: Line) -> None:
        if not self._json:
            took = "" if line.seconds is None else f"  [dim]({line.seconds:.1f} s)[/dim]"
            self._console.print(f"[dim]{line.at:%a %H:%M:%S}[/dim]  {escape(line.what)}{took}", soft_wrap=True)

    def _tell_result(self, result: Result) -> None:
        if not self._json:
            sign = "[green]✓[/green]" if result.room else ("[yellow]-[/yellow]" if result.ok else "[red]✗[/red]")
            what = f"room {result.room}" if result.room else "no room"
            name, reason = escape(plain(result.file)), escape(result.reason)
            self._console.print(f"{sign} {name}  [dim]at {result.at}[/dim]  {what}: {reason}", soft_wrap=True)


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is None:
        with tempfile.TemporaryDirectory(prefix="greenroom-demo-") as folder:
            yield Path(folder)
    else:
        data.mkdir(parents=True, exist_ok=True)
        yield data


def _moment(text: str | None) -> datetime | None:
    if text is None or text == OWN_TIME:
        return None
    wrong = f"{text!r} is no time; write it as 2026-12-01T09:00+01:00, or “invitation” for each file's own time"
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(wrong, param_hint="--now") from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise click.BadParameter(f"the demo's clock shows the years {_FIRST_YEAR} to {_LAST_YEAR}", param_hint="--now")
    return moment


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
