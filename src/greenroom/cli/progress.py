"""How far a command got, on standard error and at a terminal only."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from greenroom.cli.options import stderr
from greenroom.scheduler.recovery.contract import Progress as Tell


@contextmanager
def shown_progress(names: Mapping[str, str]) -> Iterator[Tell]:
    """Show a bar while the block runs; `names` says in words what is being done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = stderr()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=names.get(what, what), completed=done, total=total or None)

        yield tell
