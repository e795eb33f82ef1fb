"""Signing in at a face of the simulator: Basic and Bearer, failures counted, accounts that lock."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from typing import TYPE_CHECKING, Final

from greenroom.simulator.model import Account

if TYPE_CHECKING:
    from starlette.types import Scope

    from greenroom.simulator.counters import Counters
    from greenroom.simulator.exchange import Exchange

PROVEN: Final = "greenroom.account"
"""Where a door in front of a face that signs in connections (NTLM, Kerberos) leaves the login it has proven, in the scope."""

WHOSE: Final = "greenroom.whose_token"
"""Where the door for access tokens leaves whose token it was: a login, or an application's id."""


class SignIn:
    """Checks credentials. With ``lock_after`` an account is locked after that many wrong passwords in a row."""

    def __init__(self, exchange: Exchange, counters: Counters, lock_after: int | None = None) -> None:
        self._exchange = exchange
        self._counters = counters
        self._lock_after = lock_after
        self._failures: Counter[str] = Counter()

    def proven(self, scope: Scope) -> Account | None:
        """The account that a door in front of the face has let in, if there is one: no header can name it."""
        if isinstance(whose := scope.get(WHOSE), str):
            return self._exchange.account(whose) or Account(whose)  # an application has no login
        login = scope.get(PROVEN)
        if self._exchange.site.organisation.directory.windows is False:
            return None
        return self._exchange.account(login) if isinstance(login, str) else None

    def offered(self) -> list[str]:
        """The ways to sign in, as WWW-Authenticate offers them: what the virtual directory has on."""
        organisation = self._exchange.site.organisation
        realm = 'realm="greenroom-simulator"'
        windows = ["Negotiate", "NTLM"] if organisation.directory.windows else []
        basic = [f"Basic {realm}"] if organisation.directory.basic else []
        bearer = [f"Bearer {realm}"] if organisation.directory.oauth and organisation.modern_authentication else []
        return [*windows, *basic, *bearer]

    def check(self, authorization: str | None) -> Account | None:
        """The account an Authorization header proves; None (and counted) when it proves none."""
        scheme, _, value = (authorization or "").partition(" ")
        directory = self._exchange.site.organisation.directory
        if {"basic": not directory.basic, "bearer": not directory.oauth}.get(scheme.lower()):
            self._counters.auth_failure("-")  # whoever signs in by a way that is switched off proves nothing
            return None
        if scheme.lower() == "bearer" and value:
            account = self._exchange.authenticate_token(value.strip())
            if account is None:
                self._counters.auth_failure("bearer")
            return account
        login, password = _basic(value) if scheme.lower() == "basic" else ("", "")
        if not login:
            self._counters.auth_failure("-")
            return None
        key = login.rpartition("\\")[2].casefold()
        if self.locked(key):
            self._counters.auth_failure(key)
            return None
        account = self._exchange.authenticate(login, password)
        if account is None and "\\" in login:
            account = self._exchange.authenticate(login.rpartition("\\")[2], password)
        if account is None:
            self._failures[key] += 1
            self._counters.auth_failure(key)
        else:
            del self._failures[key]
        return account

    def locked(self, login: str) -> bool:
        """Whether an account is locked because of wrong passwords."""
        return self._lock_after is not None and self._failures[login.casefold()] >= self._lock_after

    def unlock(self, login: str) -> None:
        """What an administrator does after reading the log."""
        del self._failures[login.casefold()]


def _basic(value: str) -> tuple[str, str]:
    try:
        login, colon, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (login, password) if colon else ("", "")
