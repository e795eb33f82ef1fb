"""Access tokens: opaque, good for 3599 seconds of the simulator's clock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from greenroom.simulator import rights
from greenroom.simulator.graph.call import App, GraphError

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange

SECONDS: Final = 3599
_MAX_TOKENS: Final = 10_000
_CHALLENGE: Final = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)


@dataclass(frozen=True, slots=True)
class Issued:
    """What a token stands for: an application, and the user who signed in through it (None: the application itself).

    `audience` is the resource it is for (None: any, for tests), `scp` what the user lets the application do there.
    """

    client_id: str
    begins: datetime
    expires: datetime
    audience: str | None = None
    login: str | None = None
    scp: str = ""


class TokenBook:
    """The tokens given out. `ahead`: so far the login host's clock is ahead, by which tokens begin and end."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tokens: dict[str, Issued] = {}
        self.ahead = timedelta()

    def issue(self, client_id: str, *, audience: str | None = None, login: str | None = None, scp: str = "") -> str:
        """Make a token for an application that proved itself, or a user who did (or for a test that wants one)."""
        now = self._exchange.clock()
        if len(self._tokens) >= _MAX_TOKENS:
            self._tokens = {token: kept for token, kept in self._tokens.items() if kept.expires > now}
        token = f"sim.{secrets.token_urlsafe(48)}"
        begins = now + self.ahead
        self._tokens[token] = Issued(client_id, begins, begins + timedelta(seconds=SECONDS), audience, login, scp)
        return token

    def find(self, token: str) -> Issued | None:
        """What a token stands for, whether it holds now or not."""
        return self._tokens.get(token)

    def revoke_all(self) -> None:
        """Make every token given out so far worthless."""
        self._tokens.clear()

    def check(self, authorization: str | None) -> App:
        """The application an Authorization header proves. Raises GraphError (401)."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refusal("Access token is empty.")
        issued = self._tokens.get(token.strip())
        application = None if issued is None or issued.login else self._exchange.application(issued.client_id)
        if issued is None or application is None:
            raise _refusal("Access token validation failure. Invalid audience.")
        if issued.expires <= self._exchange.clock():
            raise _refusal("Lifetime validation failed, the token is expired.")
        return App(application.client_id, rights.calendars_of(self._exchange.site, application.client_id))


def _refusal(text: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", text, {"WWW-Authenticate": _CHALLENGE})
