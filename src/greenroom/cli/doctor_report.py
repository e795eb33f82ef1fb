"""How findings of the doctor are shown: all of them in groups, then what needs somebody once more with why and what mends it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.table import Table
from rich.text import Text

from greenroom.cli.options import stderr, stdout
from greenroom.cli.reading import plain
from greenroom.doctor.contract import Check, Finding, State
from greenroom.doctor.examine import MEND_FIRST, Tell
from greenroom.doctor.groups import group_of, grouped

_SIGNS = {
    State.WELL: ("✓", "green"),
    State.NOTE: ("!", "yellow"),
    State.WRONG: ("✗", "red"),
    State.UNKNOWN: ("?", "magenta"),
}
_WORST_LAST = (State.UNKNOWN, State.NOTE, State.WRONG)
_MOST_SHOWN = 4


def show_findings(findings: Sequence[Finding], *, quiet: bool) -> None:
    """Print findings to standard output."""
    out = stdout()
    if not quiet:
        for heading, those in grouped(findings).items():
            out.print(Text(heading, style="bold"))
            table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
            table.add_column(no_wrap=True)
            table.add_column(overflow="fold", style="dim", max_width=40)
            table.add_column(overflow="fold")
            for one in _told_once(those):
                sign, style = _SIGNS[one.state]
                table.add_row(Text(f"  {sign}", style=style), Text(plain(one.subject)), Text(plain(one.what)))
            out.print(table)
            out.print()
    for state in _WORST_LAST:
        for one in findings:
            if one.state is state and one.mend != MEND_FIRST:
                _show(one)
    out.print(Text(_summary(findings), style="bold"))


def shown(findings: Sequence[Finding], *, quiet: bool) -> list[Finding]:
    """Return all of them, or only what needs somebody."""
    return [one for one in findings if not quiet or (one.state is not State.WELL and one.mend != MEND_FIRST)]


def _told_once(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out what would be the same line again: several checks that the same thing stands before."""
    lines: dict[tuple[State, str, str], Finding] = {}
    for one in findings:
        lines.setdefault((one.state, one.subject, one.what), one)
    return list(lines.values())


def _show(one: Finding) -> None:
    out = stdout()
    sign, style = _SIGNS[one.state]
    head = Text(f"{sign} ", style=style)
    head.append(plain(f"{one.subject}: "), style="bold")
    head.append(plain(one.what), style="")
    head.append(f"  ({one.check})", style="dim")
    out.print(head, soft_wrap=True)
    for name, words in (("why", one.why), ("mend", one.mend)):
        if words:
            line = Text(f"  {name}: ", style="dim")
            line.append(plain(words), style="")
            out.print(line, soft_wrap=True)


def _summary(findings: Sequence[Finding]) -> str:
    count = {state: sum(one.state is state for one in findings) for state in State}
    parts = [f"{count[State.WELL]} well"]
    for state, words in ((State.NOTE, "to note"), (State.UNKNOWN, "not looked at"), (State.WRONG, "wrong")):
        if count[state]:
            parts.append(f"{count[state]} {words}")
    return ", ".join(parts) + "." if findings else "There is nothing to tell."


def finding_json(one: Finding) -> dict[str, Any]:
    """Write a finding for `--json`."""
    return {
        "check": one.check,
        "group": group_of(one.check),
        "subject": one.subject,
        "state": one.state.value,
        "what": one.what,
        "why": one.why,
        "mend": one.mend,
    }


@contextmanager
def shown_running() -> Iterator[Tell]:
    """Show at a terminal, on standard error, which checks are still under way."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _running: None
        return
    with console.status("Looking…") as status:

        def tell(running: Sequence[Check]) -> None:
            names = [f"{one.name} of {plain(one.subject)}" for one in running]
            more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
            status.update(Text(f"Looking: {', '.join(names[:_MOST_SHOWN])}{more}"))

        yield tell
