"""`greenroom setup`: the administrator's scripts for Exchange, and a page that explains them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, get_args

import click
from rich.markup import escape

from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure
from greenroom.cli.options import (
    chosen_file,
    echo_json,
    end_with,
    read_settings,
    stderr,
    stdout,
    with_config,
    with_json,
)
from greenroom.cli.setup_answers import (
    ENVIRONMENTS,
    KINDS,
    WARNINGS,
    Answers,
    MissingError,
    SharedMailboxError,
    gather,
    option_of,
)
from greenroom.cli.setup_files import Planned, State, compare, contents, left_over, write
from greenroom.cli.setup_kinds import prepared
from greenroom.settings import Integration, Settings
from greenroom.setup.contract import Preparation
from greenroom.setup.ews_endpoint import Auth
from greenroom.setup.microsoft_365 import Credential
from greenroom.setup.microsoft_shells import Cloud
from greenroom.setup.pages import PAGE
from greenroom.setup.powershell import UnsafeValueError

_EXAMPLES = """\
\b
Examples:
  greenroom setup exchange-server                          asks for what it has to know
  greenroom setup exchange-server --environment production --organizers --delegate you@example.org
  greenroom setup microsoft-365 --environment test --mailbox vmr-test@example.org --to test
  greenroom setup exchange-server --environment production --dry-run    which files, and what changed in them

\b
Nothing is connected to and nothing outside the folder is changed: the scripts are run by you. Every installation of Greenroom
needs an equipment mailbox of its own, so test never gets the one of production.

\b
Exit code 1: files in the folder were changed by somebody, and nothing was written.
"""
_MARKS = {State.NEW: "[green]new[/green]", State.SAME: "same", State.CHANGED: "[yellow]changed[/yellow]"}
_OPTIONS = (
    click.option("--environment", type=click.Choice(ENVIRONMENTS), help="Which installation of Greenroom this is for."),
    click.option("--mailbox", metavar="ADDRESS", help="The equipment mailbox, which need not be there yet."),
    click.option(
        "--production-mailbox",
        metavar="ADDRESS",
        help="With --environment test: the equipment mailbox of production, or none. Without it, that of the configuration.",
    ),
    click.option(
        "--public-url", metavar="URL", help="How browsers reach Greenroom; for the configuration and the add-in."
    ),
    click.option(
        "--display-name", metavar="NAME", help="What people see of the mailbox.  [default: Greenroom ENVIRONMENT]"
    ),
    click.option("--delegate", metavar="ADDRESS", help="A person who may look into the mailbox."),
    click.option("--external", is_flag=True, help="People of other organisations may invite the mailbox."),
    click.option("--hidden", is_flag=True, help="Leave the mailbox out of address lists."),
    click.option(
        "--organizers", is_flag=True, help="Write joining instructions into the meetings of a group of organizers."
    ),
    click.option(
        "--organizers-group", metavar="NAME", help="exchange-server: an existing group of organizers for that."
    ),
    click.option(
        "--addin/--no-addin", default=None, help="Prepare the Outlook add-in.  [default: if it is configured]"
    ),
    click.option(
        "--account",
        metavar="ADDRESS",
        help="The account that signs in. exchange-server: it need not be there yet. microsoft-365-service-account: one that is "
        "there, or without it the mailbox's own.",
    ),
    click.option("--url", metavar="URL", help="exchange-server: address of EWS."),
    click.option(
        "--auth", type=click.Choice(get_args(Auth)), help="exchange-server: how Greenroom signs in.  [default: basic]"
    ),
    click.option("--tenant", metavar="TENANT", help="Directory in Microsoft Entra: its id, or a domain of it."),
    click.option("--client-id", metavar="ID", help="Application in Microsoft Entra, if it is there already."),
    click.option("--object-id", metavar="ID", help="microsoft-365: object id of its enterprise application."),
    click.option(
        "--credential",
        type=click.Choice(get_args(Credential)),
        help="microsoft-365: how the application signs in.  [default: certificate]",
    ),
    click.option("--certificate", metavar="FILE", help="microsoft-365: its public part, where the scripts are run."),
    click.option("--cloud", type=click.Choice(get_args(Cloud)), help="Which Microsoft cloud.  [default: global]"),
)


def _with_answers(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(epilog=_EXAMPLES)
@click.argument("kind", type=click.Choice(KINDS))
@with_config
@click.option("--no-config", is_flag=True, help="Look at no configuration, though there is one.")
@click.option("--integration", "name", metavar="NAME", help="Which integration it is for, where there are several.")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), help="Where to write.  [default: greenroom-ENVIRONMENT]"
)
@_with_answers
@click.option("--no-input", is_flag=True, help="Ask nothing: say all that is missing, and end.")
@click.option("--dry-run", is_flag=True, help="Only list the files.")
@click.option("--force", is_flag=True, help="Replace files that were changed.")
@with_json
def setup(
    kind: str,
    config_file: Path | None,
    name: str | None,
    folder: Path | None,
    *,
    no_config: bool,
    no_input: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write PowerShell files that prepare Exchange for Greenroom, in order, and a page that explains them.

    KIND is exchange-server, microsoft-365 (Microsoft Graph), or microsoft-365-service-account (EWS, which ends soon).

    What is not named comes from the configuration, where there is one, and is asked for otherwise. A configuration to begin with is
    printed where there is none. Passwords are never asked for.
    """
    if kind in WARNINGS and not as_json:  # before anything is asked
        stderr().print(f"[bold yellow]![/bold yellow] {escape(WARNINGS[kind])}", soft_wrap=True)
    settings, entry = (None, None) if no_config else _configuration(config_file, name, as_json=as_json)
    try:
        answers = gather(kind, options, settings, entry, may_ask=not (no_input or as_json))
        preparation = prepared(answers)
        files = contents(preparation, answers.environment)
    except MissingError as error:
        what = f"Missing: {', '.join(error.options)}."
        _refuse("missing", what, "Name them, or leave out --no-input and --json to be asked.", as_json=as_json)
    except click.Abort:  # Ctrl-C, or nobody there to answer
        step = f"Name everything as options; which, says: greenroom setup {kind} --no-input"
        _refuse("no-answer", "A question was left without an answer, and nothing was written.", step, as_json=as_json)
    except SharedMailboxError:
        what = "This is the equipment mailbox of production: two installations on one mailbox answer each other's meetings."
        step = "Name another with --mailbox. If the configuration is that of the test, name production's with --production-mailbox."
        _refuse("shared-mailbox", what, step, as_json=as_json)
    except UnsafeValueError as error:
        _refuse("bad-value", f"{option_of(error.parameter)} {error.reason}.", "Correct it.", as_json=as_json)
    place = folder or Path(f"greenroom-{answers.environment}")
    try:
        planned = compare(place, files)
        left = left_over(place, files)
        refused = not (dry_run or force) and any(one.state is State.CHANGED for one in planned)
        if not (dry_run or refused):
            write(place, planned)
    except OSError as error:
        what = f"{place} cannot be used: {error.strerror or type(error).__name__}."
        _refuse("no-folder", what, "Name another folder with --to.", as_json=as_json)
    if as_json:
        echo_json(_as_json(answers, preparation, place, planned, left, dry_run=dry_run, refused=refused))
    else:
        _show(answers, preparation, place, planned, left, dry_run=dry_run, refused=refused)
    sys.exit(Exit.PROBLEM if refused else Exit.OK)


def _configuration(
    config_file: Path | None, name: str | None, *, as_json: bool
) -> tuple[Settings | None, Integration | None]:
    """Read the configuration, if there is one, and choose the integration."""
    chosen = chosen_file(config_file)
    if config_file is None and chosen is not None and not chosen.exists():
        return None, None
    settings = read_settings(config_file, as_json=as_json)
    known = ", ".join(entry.name for entry in settings.integration)
    if name is None and len(settings.integration) > 1:
        _refuse("which-integration", "There is more than one integration.", f"--integration: {known}", as_json=as_json)
    entry = settings.integration[0] if name is None else settings.named(name)
    if entry is None:
        _refuse("no-such-integration", "There is no such integration.", f"One of: {known}", as_json=as_json)
    return settings, entry


def _refuse(code: str, what: str, step: str, *, as_json: bool) -> NoReturn:
    end_with(Failure(code, what, step, Exit.USAGE), as_json=as_json)


def _show(
    answers: Answers,
    preparation: Preparation,
    folder: Path,
    planned: list[Planned],
    left: list[str],
    *,
    dry_run: bool,
    refused: bool,
) -> None:
    out = stdout()
    titles = {script.name: script.title for script in preparation.scripts}
    for one in planned:
        title = titles.get(one.name, "What to do with them")
        out.print(
            f"  {_MARKS[one.state]:<7}  {escape(str(folder / one.name))}  [dim]{escape(title)}[/dim]", soft_wrap=True
        )
    for name in left:
        out.print(f"  [dim]no longer needed: {escape(str(folder / name))}[/dim]", soft_wrap=True)
    if refused:
        stderr().print("[red]✗[/red] Files there were changed or are of other answers: nothing was written.")
        stderr().print("  [dim]next:[/dim] another folder with --to, or --force.")
        return
    if answers.entry is None:
        out.print("\ngreenroom.toml, to begin with:\n")
        click.echo(preparation.settings)
    out.print(
        "Nothing was written."
        if dry_run
        else f"next: read {escape(str(folder / PAGE))}, and run the files in their order.",
        soft_wrap=True,
    )


def _as_json(
    answers: Answers,
    preparation: Preparation,
    folder: Path,
    planned: list[Planned],
    left: list[str],
    *,
    dry_run: bool,
    refused: bool,
) -> dict[str, object]:
    scripts = {script.name: script for script in preparation.scripts}
    files: list[dict[str, object]] = []
    for one in planned:
        about: dict[str, object] = {"name": one.name, "state": one.state.value}
        if one.name in scripts:
            script = scripts[one.name]
            about |= {"title": script.title, "where": script.where, "changes": script.changes}
        files.append(about)
    return {
        "ok": not refused,
        "kind": preparation.kind,
        "environment": answers.environment,
        "mailbox": answers.text("mailbox"),
        "folder": str(folder),
        "written": not (dry_run or refused),
        "warning": preparation.warning,
        "files": files,
        "left_over": left,
        "settings": preparation.settings,
    }
