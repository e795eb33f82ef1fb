"""`greenroom meetings`: what is known of every meeting."""

import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from greenroom.cli.coming import shown_start
from greenroom.cli.endless import show_endless
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
  greenroom meetings --endless                           series without end, the one to be reviewed next first
"""
_Row = tuple[Record, datetime | None]
_SERIES = 10_000
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
    ways = "2026-12-01, 2026-12-01T09:00, today or tomorrow"

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
            self.fail(f"{value!r} is not a time; write {self.ways}", param, ctx)


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only those that stand so.")
@click.option("--organizer", metavar="ADDRESS", help="Only this organizer's.")
@click.option("--since", type=Moment(), help="Only those that end after this time.  [default: now, unless filtered]")
@click.option("--until", type=Moment(), help="Only those that start before this time.")
@click.option("--search", "text", metavar="TEXT", help="Part of the title, an alias, or part of its number.")
@click.option(
    "--endless", is_flag=True, help="Series without end, by their next review; no other filter but --integration."
)
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
    endless: bool,
    name: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List meetings by their start. Without a filter: those that are not over yet.

    Of a series it shows the occurrence that is on or comes next; with --since or --until one that is in this time.
    """
    settings = read_settings(config_file, as_json=as_json)
    number = _number(settings, name)
    now = datetime.now().astimezone()
    filtered = any((state, organizer, since, until, text))
    if endless:
        if filtered:
            raise click.UsageError("--endless goes with --integration, --limit and --json only")
        show_endless(settings, number, limit, now, as_json=as_json)
        sys.exit(Exit.OK)
    if not filtered:
        since = now

    async def ask(work: Work) -> list[Record]:
        search = partial(
            work.meetings.search,
            integration=number,
            state=None if state is None else State(state),
            organizer=organizer,
            since=since,
            until=until,
            text=text,
        )
        # A series is stored by its first start and listed by another: which ones come first is known only of all of them.
        return [*await search(recurring=True, limit=_SERIES), *await search(recurring=False, limit=limit + 1)]

    rows = _in_time(read(settings, ask, as_json=as_json), now, since, until)
    more, rows = len(rows) > limit, rows[:limit]
    if as_json:
        echo_json({"meetings": [record_json(settings, record, now) for record, _ in rows], "more": more})
    else:
        _show(settings, rows, more=more)
    sys.exit(Exit.OK)


def _in_time(found: list[Record], now: datetime, since: datetime | None, until: datetime | None) -> list[_Row]:
    """Leave out series of which no occurrence is in this time, and order all by the start that is shown."""
    rows = [(record, shown_start(record, now, since, until)) for record in found]
    anytime = since is None and until is None
    shown = [(record, start) for record, start in rows if anytime or start is not None or record.series is None]
    return sorted(shown, key=lambda row: (row[1] is None, row[1] or now))


def _number(settings: Settings, name: str | None) -> int | None:
    if name is None:
        return None
    entry = settings.named(name)
    if entry is None:
        known = ", ".join(one.name for one in settings.integration)
        raise click.BadParameter(f"there is no integration {name!r}; known: {known}", param_hint="--integration")
    return entry.number


def _show(settings: Settings, rows: list[_Row], *, more: bool) -> None:
    if not rows:
        stderr().print("No meetings fit. Try `greenroom meetings --since 2000-01-01` for all of them.")
        return
    several = len(settings.integration) > 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    aliases = {record.correlation_id: alias_of(settings, record) for record, _ in rows}
    starts = [local(start) for _, start in rows]
    # What people copy is never cut, however narrow the terminal; titles and organizers give way.
    fixed = max(map(len, starts)) + _STATE + max(map(len, aliases.values())) + _ID + 5 * _GAP
    fixed += (max(len("integration"), *(len(entry.name) for entry in settings.integration)) + _GAP) * several
    out = stdout()
    out.width = max(out.width, fixed + 4 * _LEAST)
    free = out.width - fixed
    organizer = min(32, 2 * free // 5)
    table.add_column(f"start ({datetime.now().astimezone():%Z})", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("title", overflow="ellipsis", no_wrap=True, max_width=free - organizer)
    table.add_column("organizer", overflow="ellipsis", no_wrap=True, max_width=organizer)
    table.add_column("alias", no_wrap=True)
    table.add_column("id", no_wrap=True)
    if several:
        table.add_column("integration", no_wrap=True)
    for (record, _), start in zip(rows, starts, strict=True):
        cells = [
            Text(start),
            Text(record.state.value, style=_COLOURS[record.state]),
            Text(plain(record.title)),
            Text(plain(record.organizer)),
            Text(aliases[record.correlation_id]),
            Text(record.correlation_id),
        ]
        table.add_row(*cells, *([Text(name_of(settings, record.integration))] if several else []))
    out.print(table)
    if more:
        stderr().print("[dim]There are more: raise --limit.[/dim]")
    stderr().print("[dim]`greenroom explain <id>` tells a meeting's story.[/dim]")
