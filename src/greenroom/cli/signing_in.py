"""The two ways to sign a service account in, as a person at a terminal sees them."""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

import click
from rich.text import Text

from greenroom.cli.options import stderr
from greenroom.cli.reading import plain
from greenroom.exchange.errors import SignInError, TryLaterError
from greenroom.exchange.tokens import Grant, UserSignIn
from greenroom.exchange.tokens.listener import listening

_MINUTES: Final = 10
_ODD: Final = {
    "state": "Somebody came to the address where the browser is awaited, without what only that browser knows",
    "host": "Somebody came to the address where the browser is awaited, by another name",
    "path": "Somebody asked for a page that is not here",
    "method": "Somebody sent something to the address where the browser is awaited",
    "empty": "The browser came back with nothing",
    "again": "The browser came back a second time",
}


class OtherAccountError(Exception):
    """Somebody else signed in than the configuration expects. `where` is the place of its `username`."""

    def __init__(self, found: str, expected: str, where: str) -> None:
        super().__init__(f"{found} signed in, and the configuration expects {expected}; nothing was kept.")
        self.where = where


async def by_code(user: UserSignIn, *, quiet: bool) -> Grant:
    """Show a code and wait until somebody has typed it. Raises ExchangeError."""
    code = await user.device_code()
    tell = stderr()
    tell.print(Text(f"Open {plain(code.page)} in any browser, and type this code there:"), soft_wrap=True)
    tell.print(Text(f"\n    {plain(code.user_code)}\n", style="bold"))
    tell.print(Text("Sign in there as the service account, not as yourself."))
    ends, pause = time.monotonic() + code.lasts, code.pause
    minutes = max(1, round(code.lasts / 60))
    waiting = f"Waiting; the code holds for {minutes} min. Ctrl-C ends it."
    shown = tell.is_terminal and not quiet
    if not shown:
        tell.print(Text(waiting, style="dim"))
    with tell.status(waiting) if shown else nullcontext():
        while time.monotonic() < ends:
            await asyncio.sleep(pause)
            try:
                grant, pause = await user.typed(code)
            except TryLaterError:  # the way there fails for a moment, and the code holds on
                pause = code.pause
                continue
            if grant is not None:
                return grant
    raise SignInError("the code ran out before anybody entered it: begin again", code="expired_token")


async def by_browser(user: UserSignIn, account: str | None, *, opens: bool) -> Grant:
    """Let a browser on this computer sign in and come back here; with `opens` it is started. Raises ExchangeError."""
    tell, told = stderr(), set[str]()

    def odd(word: str) -> None:
        if word in _ODD and word not in told:
            told.add(word)
            tell.print(Text(f"{_ODD[word]}; it was turned away.", style="yellow"))

    async with listening(odd) as listener:
        hint = account if account and "\\" not in account else None
        flow = await user.browser(listener.address, hint)
        listener.expect(flow.state)
        tell.print(Text("Open this address in a browser on this computer, and sign in as the service account:"))
        tell.print(Text(f"\n{plain(flow.page)}\n"), soft_wrap=True)
        tell.print(Text(f"Waiting for {_MINUTES} min. On a computer without a browser use --device-code.", style="dim"))
        if opens:
            click.launch(flow.page)
        try:
            async with asyncio.timeout(_MINUTES * 60):
                answer = await listener.came_back()
        except TimeoutError:
            raise SignInError("no browser came back in time: begin again", code="timeout") from None
        return await user.came_back(flow, answer)


def checked_account(grant: Grant, expected: str | None, where: str) -> Grant:
    """Return the grant under the name it is kept by; raises OtherAccountError where `expected` is somebody else."""
    if not grant.account:
        return replace(grant, account="an account that was not named")
    if expected and not _is_same(grant.account, expected):
        raise OtherAccountError(plain(grant.account), expected, where)
    return grant


def _is_same(found: str, expected: str) -> bool:
    if ("\\" in found) != ("\\" in expected):  # DOMAIN\\name and name@domain: only the name can be compared
        return _name(found) == _name(expected)
    return found.casefold() == expected.casefold()


def _name(account: str) -> str:
    return account.rpartition("\\")[2].partition("@")[0].casefold()
