"""Users who signed in at the login host: codes that wait, and the refresh tokens of each session.

`Sessions` has a few switches for tests: how refresh tokens rotate, and what the directory has against an account from now on.
Refusals are Entra's ("Microsoft Entra authentication and authorization error codes").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from greenroom.simulator.graph.proofs import EntraError

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Account

Standing = Literal["waiting", "allowed", "denied", "spent"]
DEVICE_SECONDS: Final = 900
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_MOST: Final = 1000

WHY: Final = {
    50173: "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    700082: "The refresh token has expired due to inactivity.",
    50076: "Due to a configuration change made by your administrator you must use multi-factor authentication.",
    53003: "Access has been blocked by Conditional Access policies.",
    50057: "The user account is disabled.",
    70000: "Provided grant is invalid or malformed.",
}


@dataclass(slots=True)
class Asked:
    """A sign-in that an application asked for: by a code to be typed, or by a browser (then `redirect` is where it goes back)."""

    client_id: str
    scopes: tuple[str, ...]
    expires: datetime
    user_code: str = ""
    redirect: str = ""
    state: str = ""
    nonce: str = ""
    challenge: str = ""
    standing: Standing = "waiting"
    account: Account | None = None
    polled: datetime | None = None


@dataclass(slots=True)
class Session:
    """One user's sign-in through one application, and the refresh tokens given for it."""

    account: Account
    client_id: str
    scopes: tuple[str, ...]
    revoked: int = 0
    current: str = ""
    spent: set[str] = field(default_factory=set)


class Sessions:
    """All of one tenant. `once`: a refresh token works once, and its second use ends the session. `blocked`: codes by login."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._asked: dict[str, Asked] = {}
        self._sessions: dict[str, Session] = {}
        self.once = False
        self.blocked: dict[str, int] = {}
        self.interval = 1
        self.hurry: int = 0
        """So many polls more are told to slow down."""

    def ask(self, asked: Asked) -> str:
        """Let a sign-in wait for its user; returns its secret name."""
        now = self._exchange.clock()
        if len(self._asked) >= _MOST:
            self._asked = {name: one for name, one in self._asked.items() if one.expires > now}
        name = secrets.token_urlsafe(32)
        self._asked[name] = asked
        return name

    def code(self, lasts: int = DEVICE_SECONDS) -> tuple[str, datetime]:
        """Make a code to be typed, and say until when it holds."""
        typed = "".join(secrets.choice(_LETTERS) for _ in range(9))
        return typed, self._exchange.clock() + timedelta(seconds=lasts)

    def waiting(self, name: str) -> Asked | None:
        """The sign-in of a secret name, as long as it waits for its user."""
        found = self._asked.get(name)
        still = found is not None and found.standing == "waiting" and found.expires > self._exchange.clock()
        return found if still else None

    def typed(self, user_code: str) -> Asked | None:
        """The sign-in of a code that was typed."""
        wanted = user_code.strip().upper()
        names = [name for name, one in self._asked.items() if one.user_code and one.user_code == wanted]
        return self.waiting(names[0]) if names else None

    def answer(self, asked: Asked, account: Account, *, allow: bool) -> None:
        """Let a user allow or deny it."""
        asked.standing, asked.account = ("allowed" if allow else "denied"), account

    def poll(self, name: str, client_id: str) -> Session:
        """Redeem a device code. Raises EntraError while it waits, and for all that is wrong with it (RFC 8628 3.5)."""
        found, now = self._asked.get(name), self._exchange.clock()
        if found is None or not found.user_code or found.client_id.lower() != client_id.lower():
            raise EntraError(400, "bad_verification_code", 70018, "The verification code is not known.")
        if found.standing == "denied":
            raise EntraError(400, "authorization_declined", 0, "The user declined.")
        if found.standing == "spent":
            raise EntraError(400, "invalid_grant", 54005, "The device code was already redeemed.")
        if found.expires <= now:
            raise EntraError(400, "expired_token", 70020, "The provided device code has expired.")
        if found.standing == "waiting":
            if self.hurry > 0:
                self.hurry -= 1
                raise EntraError(400, "slow_down", 0, "The client polls too often.")
            raise EntraError(400, "authorization_pending", 70016, "Authorization is pending. Continue polling.")
        return self._open(found)

    def redeem(self, code: str, client_id: str, redirect: str, verifier_hash: str) -> tuple[Session, Asked]:
        """Redeem an authorization code. Raises EntraError."""
        found, now = self._asked.get(code), self._exchange.clock()
        if found is None or found.user_code or found.client_id.lower() != client_id.lower() or found.expires <= now:
            raise EntraError(400, "invalid_grant", 70000, WHY[70000])
        if found.standing == "spent":
            raise EntraError(400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.")
        if found.standing != "allowed":
            raise EntraError(400, "invalid_grant", 70000, WHY[70000])
        if redirect != found.redirect:
            raise EntraError(
                400, "invalid_client", 500112, "The reply address does not match the one that was asked for."
            )
        if found.challenge and verifier_hash != found.challenge:
            raise EntraError(400, "invalid_grant", 501481, "The Code_Verifier does not match the code_challenge.")
        return self._open(found), found

    def renew(self, refresh: str, client_id: str) -> Session:
        """Find the session that a refresh token renews. Raises EntraError (invalid_grant)."""
        for session in self._sessions.values():
            if refresh != session.current and refresh not in session.spent:
                continue
            if session.client_id.lower() != client_id.lower():
                break
            if refresh in session.spent and self.once:
                session.revoked = session.revoked or 70000
            number = session.revoked or self.blocked.get(session.account.login.lower(), 0)
            if number:
                raise EntraError(400, "invalid_grant", number, WHY.get(number, "The grant does not hold any more."))
            return session
        raise EntraError(400, "invalid_grant", 70000, WHY[70000])

    def rotate(self, session: Session) -> str:
        """Give a session its next refresh token."""
        if session.current:
            session.spent.add(session.current)
        session.current = f"0.sim-refresh.{secrets.token_urlsafe(64)}"
        return session.current

    def revoke(self, login: str, number: int = 50173) -> int:
        """End all sessions of a login, as a changed password does; returns how many there were."""
        mine = [
            one for one in self._sessions.values() if one.account.login.lower() == login.lower() and not one.revoked
        ]
        for one in mine:
            one.revoked = number
        return len(mine)

    def _open(self, asked: Asked) -> Session:
        assert asked.account is not None, "somebody allowed it"
        asked.standing = "spent"
        session = Session(asked.account, asked.client_id, asked.scopes)
        self._sessions[secrets.token_hex(8)] = session
        return session
