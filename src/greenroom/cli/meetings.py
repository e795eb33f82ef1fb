"""`greenroom meetings`: what is known of every meeting."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from greenroom.cli.exits import Exit
from greenroom.cli.options import echo_json, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.reading import alias_of, local, name_of, plain, read, record_json
from greenroom.meetings.record import Record, State
from greenroom.settings import Settings
from greenroom.storage import Work

_EXAMPLES = """\
\b
Examples:
  greenroom meetings                                     what is coming, and what is on now
  greenroom meetings --state declined --since 2026-12-01
  greenroom meetings --organizer ada@example.org --json
  greenroom meetings --search 482915306                  by title, alias or a part of its number
"""
_STATE = max(len(state.value) for state in State)
_ID = len("ABCD-EFGH")
_GAP = 2
_LEAST = 4
_COLOURS = {
    State.SCHEDULED: "green",
    State.PENDING: "cyan",
    State.DEFECTIVE: "yellow",
    State.DECLINED: "red",
    State.IGNORED: "dim",
    State.ENDED: "dim",
}


class Moment(click.ParamType[datetime]):
    """A date, a date and time, "now", "today" or "tomorrow"; without a zone it is meant in this computer's."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware time; a date alone is its beginning."""
        if isinstance(value, datetime):
            return value
        now = datetime.now().astimezone()
        midnight = datetime(now.year, now.month, now.day).astimezone()
        words = {"now": now, "today": midnight, "tomorrow": (midnight + timedelta(days=1))}
        text = str(value).strip().lower()
        try:
            return words[text] if text in words else datetime.fromisoformat(str(value)).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is not a time; write 2026-12-01, 2026-12-01T09:00, today or tomorrow", param, ctx)


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only those that stand so.")
@click.option("--organizer", metavar="ADDRESS", help="Only this organizer's.")
@click.option("--since", type=Moment(), help="Only those that end after this time.  [default: now, unless filtered]")
@click.option("--until", type=Moment(), help="Only those that start before this time.")
@click.option("--search", "text", metavar="TEXT", help="Part of the title, an alias, or part of its number.")
@click.option("--integration", "name", metavar="NAME", help="Only this integration's.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@with_json
def meetings(
    config_file: Path | None,
    *,
    state: str | None,
    organizer: str | None,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    name: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List meetings by their start. Without a filter: those that are not over yet."""
    settings = read_settings(config_file, as_json=as_json)
    number = _number(settings, name)
    if not any((state, organizer, since, until, text)):
        since = datetime.now().astimezone()

    async def ask(work: Work) -> list[Record]:
        return await work.meetings.search(
            integration=number,
            state=None if state is None else State(state),
            organizer=organizer,
            since=since,
            until=until,
            text=text,
            limit=limit + 1,
        )

    found = read(settings, ask, as_json=as_json)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        echo_json({"meetings": [record_json(settings, record) for record in found], "more": more})
    else:
        _show(settings, found, more=more)
    sys.exit(Exit.OK)


def _number(settings: Settings, name: str | None) -> int | None:
    if name is None:
        return None
    entry = settings.named(name)
    if entry is None:
        known = ", ".join(one.name for one in settings.integration)
        raise click.BadParameter(f"there is no integration {name!r}; known: {known}", param_hint="--integration")
    return entry.number


def _show(settings: Settings, found: list[Record], *, more: bool) -> None:
    if not found:
        stderr().print("No meetings fit. Try `greenroom meetings --since 2000-01-01` for all of them.")
        return
    several = len(settings.integration) > 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    aliases = {record.correlation_id: alias_of(settings, record) for record in found}
    starts = [local(None if record.span is None else record.span.start) for record in found]
    # What people copy is never cut, however narrow the terminal; titles and organizers give way.
    fixed = max(map(len, starts)) + _STATE + max(map(len, aliases.values())) + _ID + 5 * _GAP
    free = max(
        4 * _LEAST, stdout().width - fixed - (max(map(len, (e.name for e in settings.integration))) + _GAP) * several
    )
    organizer = min(32, 2 * free // 5)
    table.add_column(f"start ({datetime.now().astimezone():%Z})", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("title", overflow="ellipsis", no_wrap=True, max_width=free - organizer)
    table.add_column("organizer", overflow="ellipsis", no_wrap=True, max_width=organizer)
    table.add_column("alias", no_wrap=True)
    table.add_column("id", no_wrap=True)
    if several:
        table.add_column("integration", no_wrap=True)
    for record, start in zip(found, starts, strict=True):
        cells = [
            Text(start),
            Text(record.state.value, style=_COLOURS[record.state]),
            Text(plain(record.title)),
            Text(plain(record.organizer)),
            Text(aliases[record.correlation_id]),
            Text(record.correlation_id),
        ]
        table.add_row(*cells, *([Text(name_of(settings, record.integration))] if several else []))
    stdout().print(table)
    if more:
        stderr().print("[dim]There are more: raise --limit.[/dim]")
    stderr().print("[dim]`greenroom explain <id>` tells a meeting's story.[/dim]")
