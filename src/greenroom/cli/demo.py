"""`greenroom demo`: see the main job on this machine, without an Exchange."""

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from greenroom.assembly import PortInUseError
from greenroom.cli.demonstration.invitations import Result, deliver_all, files_of
from greenroom.cli.demonstration.script import Day, Line
from greenroom.cli.demonstration.world import UnlikelyError, World, open_world
from greenroom.cli.logs import configure_logs

OWN_TIME = "invitation"
_EXAMPLES = """\
\b
Examples:
  greenroom demo                                    open a page, compose a meeting, watch
  greenroom demo --once                             play a scripted day, print it, exit 0 or 1
  greenroom demo --invitation meeting.ics           deliver real invitations
  greenroom demo --once --invitation *.ics --now invitation
                                                    each at the time it was sent
"""


@click.command(epilog=_EXAMPLES)
@click.option("--once", is_flag=True, help="Play a scripted day (or deliver the invitations), print it, and end.")
@click.option(
    "--invitation",
    "invitations",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Deliver an .ics file, or all of a folder, to the equipment mailbox. May be given several times.",
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
    if as_json and not once:
        raise click.UsageError("--json goes with --once.")
    configure_logs("info" if verbose else "error", "console")
    run = _Run(once=once, files=files, own=now == OWN_TIME, as_json=as_json, quiet_browser=no_browser or once)
    try:
        with _folder(data) as folder:
            sys.exit(asyncio.run(run.go(folder, 0 if once and port == _default_port() else port, _moment(now))))
    except PortInUseError as error:
        raise click.ClickException(
            f"Port {error.port} is in use. Choose another one with --port, or --port 0."
        ) from error


def _default_port() -> int:
    return next(int(str(option.default)) for option in demo.params if option.name == "port")


class _Run:
    """One run of the demo."""

    def __init__(self, *, once: bool, files: Sequence[Path], own: bool, as_json: bool, quiet_browser: bool) -> None:
        self._once = once
        self._files = files
        self._own = own
        self._json = as_json
        self._quiet = quiet_browser
        self._console = Console(highlight=False)

    async def go(self, folder: Path, port: int, now: datetime | None) -> int:
        async with open_world(folder, port=port, now=now) as world:
            if self._once:
                return await (self._deliver(world) if self._files else self._play(world))
            self._console.print(f"Greenroom's demo is at [bold]{world.address}[/bold]  (Ctrl-C ends it)")
            if self._files:
                await self._deliver(world)
            if not self._quiet:
                webbrowser.open(world.address)
            await _until_told_to_stop()
            return 0

    async def _play(self, world: World) -> int:
        day = Day(world, self._tell)
        failure = None
        try:
            await day.play()
        except UnlikelyError as error:
            failure = str(error)
        if self._json:
            lines = [{"at": line.at.isoformat(), "what": line.what, "seconds": line.seconds} for line in day.lines]
            click.echo(json.dumps({"ok": failure is None, "failure": failure, "timeline": lines}, indent=2))
        elif failure is not None:
            self._console.print(f"[red]✗ {failure}[/red]")
        else:
            self._console.print("[green]✓ The day went as it should.[/green]")
        return 0 if failure is None else 1

    async def _deliver(self, world: World) -> int:
        results = await deliver_all(world, self._files, own=self._own, tell=self._tell_result)
        if self._json:
            click.echo(json.dumps([result.as_json() for result in results], indent=2))
        return 0 if all(result.ok for result in results) else 1

    def _tell(self, line: Line) -> None:
        if not self._json:
            took = "" if line.seconds is None else f"  [dim]({line.seconds:.1f} s)[/dim]"
            self._console.print(f"[dim]{line.at:%a %H:%M:%S}[/dim]  {line.what}{took}")

    def _tell_result(self, result: Result) -> None:
        if not self._json:
            sign = "[green]✓[/green]" if result.room else ("[yellow]-[/yellow]" if result.ok else "[red]✗[/red]")
            what = f"room {result.room}" if result.room else "no room"
            self._console.print(f"{sign} {result.file}  [dim]at {result.at}[/dim]  {what}: {result.reason}")


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
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text} is no time; write it as 2026-12-01T09:00+01:00", param_hint="--now") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
