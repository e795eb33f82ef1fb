"""`greenroom config check`: is everything right, from the file to the other ends of the wires?"""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.markup import escape

from greenroom.assembly import CalendarError, Calendars, build_integrations, try_calendars, wall_clock
from greenroom.calendars import SIDES, notification_url
from greenroom.cli.exchange_failures import expiry_note, of_calendar, of_tried
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_platform, of_policy_certificate, of_storage
from greenroom.cli.options import (
    as_dict,
    echo_json,
    read_settings,
    show_failure,
    stderr,
    stdout,
    with_config,
    with_json,
)
from greenroom.integrations import text_problems
from greenroom.meetings.templates import TextProblem
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformError
from greenroom.rooms import Platforms
from greenroom.scheduler.numbers import check_numbers
from greenroom.settings import EwsExchange, Integration, Settings
from greenroom.storage import Storage, StorageError
from greenroom.storage.errors import StorageNotPreparedError
from greenroom.web.policy_listener import PolicyCertificateError, policy_tls

_EXAMPLES = """\
\b
Examples:
  greenroom config check                      the file, the texts, certificates and when they run out
  greenroom config check --connect            sign in to Exchange too, reach database and platform
  greenroom config check --json | jq .problems
"""


_LATER = "will be prepared when `greenroom serve` starts"


@dataclass(frozen=True, slots=True)
class Reached:
    """One thing that was looked at: `note` says what is good to know, `soon` what will be wrong, `failure` what is."""

    what: str
    note: str = ""
    failure: Failure | None = None
    soon: str = ""


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--connect", is_flag=True, help="Try the database, Exchange and the platform; nothing is changed there.")
@with_json
def check(config_file: Path | None, *, connect: bool, as_json: bool) -> None:
    """Check the configuration file, the texts and, with --connect, everything they lead to."""
    settings = read_settings(config_file, as_json=as_json)
    texts = {integration.name: text_problems(integration) for integration in settings.integration}
    calendars, listeners = asyncio.run(_open_calendars(settings)), _policy_listener(settings)
    openable = all(one.failure is None for one in calendars)
    reached = asyncio.run(_connect(settings)) if connect and openable else []
    failures = [one.failure for one in (*calendars, *listeners, *reached) if one.failure is not None]
    wrong_texts = any(texts.values())
    if as_json:
        echo_json(_as_json(texts, [*calendars, *listeners], reached, ok=not failures and not wrong_texts))
    else:
        _show(settings, texts, [*calendars, *listeners, *reached])
    sys.exit(Exit.USAGE if wrong_texts else max((failure.exit for failure in failures), default=Exit.OK))


async def _open_calendars(settings: Settings) -> list[Reached]:
    """Look at all that can be known of the calendars without connecting: files, certificates, how changes will be seen."""
    found: list[Reached] = []
    for entry in settings.integration:
        calendars = Calendars(settings, wall_clock)
        what = f"calendar of {entry.name}"
        try:
            calendars.open(entry)
            calendars.open_elsewhere(entry)
        except CalendarError as error:
            found.append(Reached(what, failure=of_calendar(error)))
        else:
            ends = [calendars.expires_at(entry.name, side) for side in SIDES]
            soonest = min((end for end in ends if end is not None), default=None)
            until = "" if soonest is None else f"; what signs in runs out on {soonest:%Y-%m-%d}"
            found.append(Reached(what, _seen(settings, entry) + until, soon=expiry_note(soonest, wall_clock())))
        finally:
            await calendars.close()
    return found


def _policy_listener(settings: Settings) -> list[Reached]:
    """Look at the certificates of the policy server's own port, if it has one."""
    apart = settings.service.policy_listener
    if apart is None:
        return []
    what = "policy listener"
    try:
        policy_tls(apart.certificate_file, apart.certificate_key_file, apart.client_ca_file)
    except PolicyCertificateError as error:
        return [Reached(what, failure=of_policy_certificate(error))]
    return [Reached(what, f"TLS on {apart.listen}{', with client certificates' if apart.client_ca_file else ''}")]


def _seen(settings: Settings, entry: Integration) -> str:
    """Say over which protocol changes are seen, and how soon."""
    exchange = entry.exchange
    polling = f"polling every {exchange.poll_seconds} s"
    if isinstance(exchange, EwsExchange):
        return f"Exchange Server over EWS, {'a stream and ' if exchange.streaming else ''}{polling}"
    address = notification_url(settings.service.public_url, entry)
    if address:
        return f"Microsoft 365 over Graph, notified at {address}, and {polling}"
    why = "notifications are off" if not exchange.notifications else "public_url is on this computer only, so"
    return f"Microsoft 365 over Graph; {why}{' and' if not exchange.notifications else ''} {polling} must do"


async def _connect(settings: Settings) -> list[Reached]:
    return [one async for one in _tries(settings)]


async def _tries(settings: Settings) -> AsyncIterator[Reached]:
    try:
        storage = Storage.open(settings.storage.url.get_secret_value())
    except StorageError as error:
        yield Reached("database", failure=of_storage(error))
        return
    calendars = Calendars(settings, wall_clock, storage)
    platforms = Platforms(settings, storage, wall_clock)
    try:
        database = _try_file(settings) or await _try_storage(storage)
        yield database
        if numbers := await _try_numbers(settings, storage, database):
            yield numbers
        for entry, built in zip(settings.integration, build_integrations(settings, calendars, platforms), strict=True):
            for tried in await try_calendars(entry, built, calendars):
                whose = "mailbox" if tried.side == "exchange" else "organizers' Exchange, with mailbox"
                yield Reached(f"{whose} {tried.mailbox}", failure=of_tried(tried, entry))
            if platform := await _try_platform(entry, built.platform, database):
                yield platform
            await built.platform.close()
    finally:
        await calendars.close()
        await platforms.close()
        await storage.close()


def _try_file(settings: Settings) -> Reached | None:
    """Look whether an SQLite file is there, or can be made; None if the database itself must be asked."""
    file = settings.storage.url.get_secret_value().partition("sqlite:///")[2]
    if file and not Path(file).exists():
        folder = Path(file).absolute().parent
        if folder.is_dir():
            return Reached("database", note=_LATER)
        step = "Make the folder, or correct storage.url; the path is seen from the working folder."
        return Reached("database", failure=Failure("no-folder", f"There is no folder {folder}.", step))
    return None


async def _try_storage(storage: Storage) -> Reached:
    try:
        await storage.check()
    except StorageNotPreparedError:
        return Reached("database", note=_LATER)
    except StorageError as error:
        return Reached("database", failure=of_storage(error))
    return Reached("database")


async def _try_numbers(settings: Settings, storage: Storage, database: Reached) -> Reached | None:
    """Look whether numbers still belong to their mailboxes, without which nothing starts; None if they do."""
    if database.failure is not None or database.note:
        return None
    try:
        await check_numbers(storage, {entry.number: entry.mailbox for entry in settings.integration})
    except StorageError as error:
        return Reached("numbers", failure=of_storage(error))
    return None


async def _try_platform(entry: Integration, platform: Platform, database: Reached) -> Reached | None:
    """Try what is another system even before our database is there; None where nothing is left to try then."""
    ready = database.failure is None and not database.note
    other = entry.pexip is not None and entry.pexip.management is not None
    if not ready and not other:
        return None
    what = f"platform of {entry.name}"
    try:
        await platform.check()
    except PlatformError as error:
        return Reached(what, failure=of_platform(error))
    except StorageError as error:  # platforms look at the database last
        return Reached(what, failure=of_storage(error)) if ready else Reached(what)
    return Reached(what)


def _show(settings: Settings, texts: dict[str, list[TextProblem]], reached: list[Reached]) -> None:
    out, complaints = stdout(), stderr()
    count = len(settings.integration)
    out.print(f"[green]✓[/green] configuration: {count} integration{'s' if count > 1 else ''}")
    for name, problems in texts.items():
        if not problems:
            out.print(f"[green]✓[/green] texts of {escape(name)}")
        for problem in problems:
            place = f"{problem.file}:{problem.line}"
            complaints.print(f"[red]✗[/red] {escape(place)}: {escape(problem.problem)}", soft_wrap=True)
            if problem.allowed:
                complaints.print(f"  [dim]allowed:[/dim] {escape(problem.allowed)}", soft_wrap=True)
    for one in reached:
        if one.failure is not None:
            show_failure(one.failure, one.what)
        else:
            note = f"  [dim]{escape(one.note)}[/dim]" if one.note else ""
            out.print(f"[green]✓[/green] {escape(one.what)}{note}", soft_wrap=True)
        if one.soon:
            complaints.print(f"[yellow]![/yellow] {escape(one.what)}: {escape(one.soon)}", soft_wrap=True)


def _as_json(
    texts: dict[str, list[TextProblem]], calendars: list[Reached], reached: list[Reached], *, ok: bool
) -> dict[str, object]:
    return {
        "ok": ok,
        "problems": [],
        "texts": [
            {"integration": name, "file": p.file, "line": p.line, "message": p.problem, "allowed": p.allowed}
            for name, problems in texts.items()
            for p in problems
        ],
        "calendars": [_reached(one) for one in calendars],
        "connect": [_reached(one) for one in reached],
    }


def _reached(one: Reached) -> dict[str, object]:
    return (
        {"what": one.what, "ok": one.failure is None, "note": one.note}
        | ({"soon": one.soon} if one.soon else {})
        | ({"failure": as_dict(one.failure)} if one.failure is not None else {})
    )
