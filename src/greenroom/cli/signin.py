"""`greenroom signin`: sign a service account in once, by hand."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final, Literal

import click
from rich.table import Table
from rich.text import Text

from greenroom.assembly import Side, wall_clock
from greenroom.calendars import SIDES
from greenroom.cli.desk import asked, chosen
from greenroom.cli.exchange_failures import of_exchange
from greenroom.cli.exits import Exit
from greenroom.cli.failures import Failure, of_storage
from greenroom.cli.options import echo_json, end_with, read_settings, stderr, stdout, with_config, with_json
from greenroom.cli.reading import plain, read
from greenroom.cli.sign_in_words import SignInStanding, sides_of, sign_ins_of
from greenroom.cli.signing_in import OtherAccountError, by_browser, by_code, checked_account
from greenroom.exchange.errors import ExchangeError
from greenroom.settings import Integration, Settings
from greenroom.sign_ins import keep_grant, oauth_of, open_user
from greenroom.storage import Storage, StorageError, Work

Way = Literal["browser", "device-code"]
_EXAMPLES = """\
\b
Examples:
  greenroom signin                      type a code at any device, such as your own computer
  greenroom signin --browser            in a browser on this computer
  greenroom signin --status             who is signed in, and does it hold?
  greenroom signin --forget             forget what was kept; end the sessions in Entra as well

\b
For [integration.exchange] (or organizers) with auth = "oauth" and account = "service-account". Sign in as the service
account, not as yourself. What renews its tokens is kept in the database, encrypted with the ticket keys, which are not
in it. A running service takes it up by itself.
Exit code 1: nobody was signed in, or with --status: somebody has to sign in.
"""
_NONE: Final = Failure(
    "no-service-account",
    "No integration signs in as a service account.",
    'It is for auth = "oauth" with account = "service-account"; applications sign in by themselves.',
    Exit.USAGE,
)


@click.command(epilog=_EXAMPLES)
@with_config
@click.option("--integration", "name", metavar="NAME", help="Which integration's; needed if there are several.")
@click.option("--side", type=click.Choice(SIDES), help="Which Exchange's, if both sides need one.")
@click.option("--browser", "way", flag_value="browser", help="Use a browser on this computer.")
@click.option("--device-code", "way", flag_value="device-code", help="Type a code at another device (usual).")
@click.option("--status", "shows", is_flag=True, help="Tell who is signed in; nothing is changed.")
@click.option("--forget", is_flag=True, help="Forget what was kept.")
@click.option("--yes", is_flag=True, help="Forget without a question.")
@with_json
def signin(
    config_file: Path | None,
    *,
    name: str | None,
    side: Side | None,
    way: Way | None,
    shows: bool,
    forget: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Sign in once as the service account that reads the calendars, by a code or in a browser."""
    settings = read_settings(config_file, as_json=as_json)
    places = [(entry, one) for entry in chosen(settings, name) for one in sides_of(entry) if side in (None, one)]
    if not places:
        end_with(_NONE, as_json=as_json)
    if shows:
        _show(settings, places, as_json=as_json)
        return
    if len(places) > 1:
        named = ", ".join(f"--integration {entry.name} --side {one}" for entry, one in places)
        end_with(
            Failure("which-one", "Several service accounts sign in.", f"Say which: {named}.", Exit.USAGE),
            as_json=as_json,
        )
    [(entry, one)] = places
    if forget:
        _forget(settings, entry, one, yes=yes, as_json=as_json)
        return
    try:
        account = asyncio.run(_sign_in(settings, entry, one, way, quiet=as_json))
    except KeyboardInterrupt:
        stderr().print("\nNobody was signed in; nothing was changed.")
        sys.exit(Exit.PROBLEM)
    except OtherAccountError as error:
        step = f"Sign in as that one; a private window of the browser knows of no other. Or correct {error.where}.username."
        end_with(Failure("another-account", str(error), step, Exit.PROBLEM), as_json=as_json)
    except ExchangeError as error:
        end_with(of_exchange(error, entry, one), as_json=as_json)
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    if as_json:
        echo_json({"ok": True, "integration": entry.name, "side": one, "account": account})
        return
    stdout().print(Text(f"{plain(account)} is signed in for {entry.name}, {one}."), soft_wrap=True)
    stdout().print(
        Text("`greenroom config check --connect` tries Exchange with it; a running service takes it up by itself.")
    )


async def _sign_in(settings: Settings, entry: Integration, side: Side, way: Way | None, *, quiet: bool) -> str:
    found = oauth_of(entry, side)
    assert found is not None, "it is one of the sides that sign in so"
    there, oauth = found
    storage = Storage.open(settings.storage.url.get_secret_value())
    user = open_user(there, oauth, wall_clock)
    try:
        await storage.migrate()  # before anybody signs in for nothing
        confidential = oauth.client_secret is not None or oauth.certificate_file is not None
        if way == "browser" or (way is None and confidential):
            grant = await by_browser(user, there.username, opens=not quiet and _has_display())
        else:
            grant = await by_code(user, quiet=quiet)
        grant = checked_account(grant, there.username, f"integration[{entry.name}].{side}")
        await keep_grant(storage, entry, side, grant, wall_clock())
        return grant.account
    finally:
        await user.close()
        await storage.close()


def _has_display() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _show(settings: Settings, places: list[tuple[Integration, Side]], *, as_json: bool) -> None:
    async def ask(work: Work) -> list[SignInStanding]:
        entries = {entry.number: entry for entry, _ in places}
        found = [one for entry in entries.values() for one in await sign_ins_of(work, entry)]
        return [one for one in found if (one.integration, one.side) in places]

    found = read(settings, ask, as_json=as_json)
    well = not any(one.problem for one in found)
    if as_json:
        echo_json({"ok": well, "sign_ins": [one.as_json() for one in found]})
    else:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for one in found:
            words = Text(plain(one.words), style="red" if one.problem else "")
            table.add_row(Text(f"{one.integration.name}, {one.side}"), words)
        stdout().print(table)
    sys.exit(Exit.OK if well else Exit.PROBLEM)


def _forget(settings: Settings, entry: Integration, side: Side, *, yes: bool, as_json: bool) -> None:
    if not asked(f"Forget the sign-in of {entry.name}, {side}?", yes=yes, as_json=as_json):
        if as_json:
            failure = Failure("not-confirmed", "Nothing was changed.", "With --yes it is done.", Exit.PROBLEM)
            end_with(failure, as_json=True)
        sys.exit(Exit.PROBLEM)

    async def go() -> bool:
        storage = Storage.open(settings.storage.url.get_secret_value())
        try:
            await storage.check()
            async with storage.work() as work:
                return await work.sign_ins.forget(entry.number, side)
        finally:
            await storage.close()

    try:
        gone = asyncio.run(go())
    except StorageError as error:
        end_with(of_storage(error), as_json=as_json)
    if not gone:
        what = f"Nobody is signed in for {entry.name}, {side}."
        end_with(Failure("not-signed-in", what, "There is nothing to forget.", Exit.PROBLEM), as_json=as_json)
    step = (
        "Revoke the account's sessions in Entra as well; a running service may use its last access token for an hour."
    )
    if as_json:
        echo_json({"ok": True, "integration": entry.name, "side": side, "next": step})
        return
    stdout().print(Text(f"The sign-in of {entry.name}, {side} is forgotten. {step}"), soft_wrap=True)
