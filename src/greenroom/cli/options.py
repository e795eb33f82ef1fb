"""What several commands share: the configuration file, JSON, and ending with a sentence instead of a traceback."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.markup import escape

from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_settings
from greenroom.settings import Settings, SettingsError, load_settings
from greenroom.settings.problems import Problem

F = TypeVar("F", bound=Callable[..., Any])

USUAL_FILE = Path("greenroom.toml")


def with_config(command: F) -> F:
    """Add `--config` to a command; the value is a path, or None for "not named"."""
    return click.option(
        "--config",
        "-c",
        "config_file",
        type=click.Path(path_type=Path),
        envvar="GREENROOM_CONFIG",
        help="Configuration file.  [default: greenroom.toml; also GREENROOM_CONFIG]",
    )(command)


def with_json(command: F) -> F:
    """Add `--json` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def chosen_file(config_file: Path | None) -> Path | None:
    """Return the file to read: the named one, else greenroom.toml, or None where the environment says everything."""
    if config_file is not None:
        return config_file
    alone = not USUAL_FILE.exists() and any(name.upper().startswith("GREENROOM_INTEGRATION__") for name in os.environ)
    return None if alone else USUAL_FILE


def read_settings(config_file: Path | None, *, as_json: bool = False) -> Settings:
    """Read the configuration, or print what is wrong with it and exit with 2."""
    try:
        return load_settings(chosen_file(config_file), os.environ)
    except SettingsError as error:
        if as_json:
            echo_json({"ok": False, "problems": of_settings(error.problems)})
        else:
            show_problems(error.problems)
        sys.exit(Exit.USAGE)


def show_problems(problems: list[Problem]) -> None:
    """Print configuration problems to standard error, one below the other."""
    console = stderr()
    for problem in problems:
        place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        key = f" [bold]{escape(problem.key)}[/bold]" if problem.key else ""
        console.print(f"[red]✗[/red] {escape(place)}:{key} {escape(problem.message)}", soft_wrap=True)
        if problem.allowed:
            console.print(f"  [dim]allowed:[/dim] {escape(problem.allowed)}", soft_wrap=True)
    console.print(f"[red]{len(problems)} problem{'s' if len(problems) > 1 else ''} in the configuration.[/red]")


def show_failure(failure: Failure, about: str = "") -> None:
    """Print what went wrong and the next step to standard error."""
    console = stderr()
    head = f"[bold]{escape(about)}:[/bold] " if about else ""
    console.print(f"[red]✗[/red] {head}{escape(failure.what)}", soft_wrap=True)
    console.print(f"  [dim]next:[/dim] {escape(failure.next_step)}", soft_wrap=True)


def end_with(failure: Failure, *, as_json: bool = False) -> NoReturn:
    """Tell the failure and exit with its code."""
    if as_json:
        echo_json({"ok": False, "failure": as_dict(failure)})
    else:
        show_failure(failure)
    sys.exit(failure.exit)


def as_dict(failure: Failure) -> dict[str, str]:
    """Write a failure for JSON."""
    return {"code": failure.code, "what": failure.what, "next": failure.next_step}


def echo_json(value: Any) -> None:
    """Print JSON to standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def stdout() -> Console:
    """Return a console for results."""
    return Console(highlight=False)


def stderr() -> Console:
    """Return a console for complaints."""
    return Console(stderr=True, highlight=False)
