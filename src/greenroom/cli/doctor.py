"""`greenroom doctor`: looks at everything from the file to the mailbox; says what is wrong, why it matters, what mends it."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import click

from greenroom.assembly import wall_clock
from greenroom.cli.desk import chosen as chosen_entries
from greenroom.cli.doctor_live import check_live, checked_organizers, may_try, tried
from greenroom.cli.doctor_report import finding_json, show_findings, shown, shown_running
from greenroom.cli.exchange_failures import of_exchange
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_platform, of_storage
from greenroom.cli.options import echo_json, end_with, read_settings, stderr, with_config, with_json
from greenroom.doctor.blocking import Apart
from greenroom.doctor.contract import Finding, Side, State, Told, chosen, is_called
from greenroom.doctor.examine import WHOLE, Tell, examine
from greenroom.doctor.facts import FactsError, compare_facts, read_facts
from greenroom.doctor.live import USUAL_PATIENCE
from greenroom.doctoring import open_checks
from greenroom.exchange.errors import ExchangeError
from greenroom.platforms.errors import PlatformError
from greenroom.settings import Integration, Settings
from greenroom.storage import StorageError

_EXAMPLES = """\
\b
Examples:
  greenroom doctor                           look at everything; nothing is changed anywhere
  greenroom doctor --quiet                   only what needs somebody
  greenroom doctor --only tls --only clock   certificates and clocks alone
  greenroom doctor --facts greenroom-facts.json --integration main
                                             also what an administrator's check exported of the mailbox
  greenroom doctor --live --organizer you@example.org
                                             also book two meetings as you, follow them to the reply, and remove them
  greenroom doctor --json | jq '.findings[] | select(.state == "wrong")'

\b
Exit code 1: something is wrong. 3: nothing outside this computer can be reached. It ends within half a minute, whatever is down;
with --live it waits for a reply besides.

\b
--json writes {"ok": ..., "findings": [...]}; a finding has check, group, subject, state (well, note, wrong or unknown), what, why
and mend, all of them text. check and state are stable, for scripts; sentences are for people.
"""
_TIDY = 2.0
_SPARE = 3.0
_INTERRUPTED = 130
_STUCK = Finding(
    "config-files",
    "this computer",
    State.WRONG,
    "Something on this computer does not answer, and holds up all checks.",
    "The service would be held up by it as well.",
    "See whether all files that the configuration names are on a disk that answers: df -h",
)
_OUTSIDE = ("reach", "dns", "proxy", "tls", "tls-chain")


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Only this integration.")
@click.option(
    "--facts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the check of `greenroom setup` wrote about the mailbox: it is compared with what has to be.",
)
@click.option(
    "--environment",
    type=click.Choice(["production", "test"]),
    help="Which installation this is, for --facts: the mailbox must carry the same mark.",
)
@click.option(
    "--organizer",
    "organizers",
    multiple=True,
    metavar="ADDRESS",
    help="Look whether Greenroom may write into this person's calendar; with --live, whose calendar is used. May be repeated.",
)
@click.option(
    "--live", is_flag=True, help="Also book two meetings in that calendar and see what becomes of them; asks before."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--patience",
    type=click.IntRange(5, 3600),
    default=round(USUAL_PATIENCE.total_seconds()),
    show_default=True,
    metavar="SECONDS",
    help="How long --live waits for the reply.",
)
@click.option("--only", multiple=True, metavar="CHECK", help="Only checks of this name, such as tls; may be repeated.")
@click.option("--quiet", is_flag=True, help="Show only what needs somebody.")
@with_json
def doctor(
    config_file: Path | None,
    *,
    name: str | None,
    facts: Path | None,
    environment: str | None,
    organizers: tuple[str, ...],
    live: bool,
    yes: bool,
    patience: int,
    only: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Look at everything: what is wrong, why it matters, and what mends it. Nothing is changed, unless --live is asked for."""
    settings = read_settings(config_file, as_json=as_json)
    entries = chosen_entries(settings, name)
    if facts is None and environment is not None:
        raise click.UsageError("--environment goes with --facts only")
    organizers = checked_organizers(organizers)
    if live:
        check_live(entries, organizers)
        if not may_try(entries[0], organizers[0], yes=yes, as_json=as_json):
            sys.exit(Exit.OK)
    elif yes:
        raise click.UsageError("--yes goes with --live only")
    exported = [] if facts is None else _exported(facts, entries, environment, as_json=as_json)
    findings, known, leave = _examined(settings, name, only, organizers)
    told = {
        (one.check, one.subject) for one in exported
    }  # what was read where it is set counts, not how it looks from here
    findings = [one for one in findings if (one.check, one.subject) not in told]
    findings += [one for one in exported if not only or is_called(one.check, only)]
    if live:
        try:
            findings += tried(
                settings, entries[0], organizers[0], Sentences(), timedelta(seconds=patience), as_json=as_json
            )
        except KeyboardInterrupt:
            stderr().print("Interrupted. What the live test had made was removed as far as Exchange answered.")
            _stop(_INTERRUPTED)
    if not findings and not known:  # one that has nothing to tell, such as alarms, is well
        raise click.UsageError(
            "no check of this name has anything to look at here: --only takes the names that the findings have"
        )
    code = exit_code(findings)
    if as_json:
        echo_json({"ok": code is Exit.OK, "findings": [finding_json(one) for one in shown(findings, quiet=quiet)]})
    else:
        show_findings(findings, quiet=quiet)
    leave(code)


def exit_code(findings: Sequence[Finding]) -> Exit:
    """Return 1 if something is wrong, and 3 if that is because nothing outside can be reached at all."""
    if not any(one.state is State.WRONG for one in findings):
        return Exit.OK
    ways = [one.state for one in findings if one.check in _OUTSIDE]
    return Exit.OUTSIDE if State.WRONG in ways and State.WELL not in ways else Exit.PROBLEM


class Sentences:
    """The sentences of all commands, for the doctor."""

    def exchange(self, error: ExchangeError, entry: Integration, side: Side) -> Told:
        """Say what is wrong towards an Exchange."""
        return _told(of_exchange(error, entry, side))

    def platform(self, error: PlatformError) -> Told:
        """Say what is wrong with the video platform."""
        return _told(of_platform(error))

    def storage(self, error: StorageError) -> Told:
        """Say what is wrong with the database."""
        return _told(of_storage(error))


def _told(failure: Failure) -> Told:
    return Told(failure.what, failure.next_step)


def _examined(
    settings: Settings, name: str | None, only: Sequence[str], organizers: Sequence[str]
) -> tuple[list[Finding], bool, Callable[[Exit], NoReturn]]:
    """Do the checks in a loop apart, so that this process ends whatever hangs.

    Returns what was found, whether there are such checks at all, and how to end.
    """
    with shown_running() as tell:
        apart = Apart(lambda hand_over: _look(settings, name, only, tell, hand_over, organizers=organizers))
        try:
            findings, known = apart.result(WHOLE.total_seconds() + _SPARE)
        except KeyboardInterrupt:
            _stop(_INTERRUPTED)
        except TimeoutError:
            findings, known = [_STUCK], True

    def leave(code: Exit) -> NoReturn:
        if not apart.is_tidy(_TIDY):
            _stop(code)
        sys.exit(code)

    return findings, known, leave


async def _look(
    settings: Settings,
    name: str | None,
    only: Sequence[str],
    tell: Tell,
    hand_over: Callable[[Any], None],
    *,
    organizers: Sequence[str],
) -> None:
    # A question that is cut off is told as such; what the pool of connections adds to it is a stack of our own lines.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    async with open_checks(settings, wall_clock, Sentences(), only=name, organizers=organizers) as checks:
        some = chosen(checks, only)
        findings = await examine(some, tell=tell)
        hand_over(([one for one in findings if not only or is_called(one.check, only)], bool(some)))


def _stop(code: int) -> NoReturn:
    """End at once: what hangs in a thread would be waited for otherwise."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exported(file: Path, entries: Sequence[Integration], environment: str | None, *, as_json: bool) -> list[Finding]:
    try:
        facts = read_facts(file)
    except FactsError as error:
        step = "Run the check that `greenroom setup` wrote once more, and copy its file as it is."
        end_with(Failure("bad-facts", f"{file}: {error}.", step, Exit.USAGE), as_json=as_json)
    entry = next((one for one in entries if one.mailbox == facts.address.lower()), None)
    if entry is None:
        step = "Name the file of this mailbox, or correct mailbox in the configuration."
        what = f"{file} is of another mailbox than {' and '.join(one.mailbox for one in entries)}."
        end_with(Failure("other-mailbox", what, step, Exit.USAGE), as_json=as_json)
    return compare_facts(facts, entry, environment)
