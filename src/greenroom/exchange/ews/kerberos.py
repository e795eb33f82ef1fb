"""Signing in by Kerberos (RFC 4120, RFC 4559), bound to the TLS channel, with a realm and domain controllers of our own.

Tickets are had once and used for every connection. A refusal by Exchange with tickets from before is tried once more with new
ones, since it may have changed its key; the password is not sent for that.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx2
import spnego
from spnego import ContextProxy, KerberosCCache, NegotiateOptions
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from greenroom.exchange.errors import ExchangeError, SignInError
from greenroom.exchange.ews import kerberos_errors
from greenroom.exchange.ews.auth import Credentials, SignInGuard, mark_of
from greenroom.exchange.ews.kerberos_errors import Asked
from greenroom.exchange.ews.kerberos_tickets import Account, TicketOffice, Tickets
from greenroom.exchange.ews.negotiate import NegotiateAuth

_REFUSED: Final = "http-401"
_STALE: Final = frozenset({_REFUSED, "kerberos-service-key", "kerberos-ticket"})
"""Codes after which new tickets may help."""
_MOST_SKEW = timedelta(minutes=5)


class KerberosAuth:
    """Signs in as a service account of a realm.

    `kdc` are hosts or host:port of its domain controllers, in order; without any the DNS is asked. `service` is the name under
    which Exchange has its key, if it is not HTTP/ and the host asked. `keytab` takes the password's place. Raises
    MisconfiguredError where the modules for Kerberos are missing.
    """

    connection_bound = True

    def __init__(
        self,
        username: str,
        password: str = "",
        *,
        realm: str,
        host: str,
        kdc: tuple[str, ...] = (),
        service: str | None = None,
        keytab: Path | None = None,
        guard: SignInGuard | None = None,
    ) -> None:
        self.guard = guard or SignInGuard()
        self._service = service or f"HTTP/{host}"
        self._parts = ("kerberos", realm, username, password)
        self._keytab = keytab
        account = Account(username, realm, password, keytab)
        self._asked = Asked(account.principal, realm, self._service, str(keytab or ""))
        self._office = TicketOffice(account, kdc, self._asked)
        self._mark = ""

    async def credentials(self) -> Credentials:
        """Return the flow; raises MisconfiguredError for a keytab that cannot be read. A keytab that has changed is a new one."""
        mark = mark_of(*self._parts, *(() if self._keytab is None else await asyncio.to_thread(_state, self._keytab)))
        if mark != self._mark:
            self._office.start_anew()
            self._mark = mark
        return Credentials(Renewing(self._legs, self._office), mark)

    async def _legs(self, use: "Use") -> httpx2.Auth:
        def context(_: str, binding: GssChannelBindings | None) -> ContextProxy:
            use.tickets = self._office.tickets()
            return self._context(use.tickets, binding)

        legs = NegotiateAuth(context, scheme="Negotiate", mark="", guard=self.guard, explain=self._explained)
        return (await legs.credentials()).flow

    def _context(self, tickets: Tickets, binding: GssChannelBindings | None) -> ContextProxy:
        kind, _, name = self._service.partition("/")
        return spnego.client(
            KerberosCCache(tickets.cache),
            hostname=name,
            service=kind,
            channel_bindings=binding,
            protocol="kerberos",
            options=NegotiateOptions.use_gssapi,
        )

    def _explained(self, error: SpnegoError, host: str) -> ExchangeError:
        code = getattr(error.base_error, "min_code", None)
        if not isinstance(code, int):
            return SignInError(f"the sign-in to {host} broke off ({type(error).__name__})", code="bad-challenge")
        return kerberos_errors.of_context(code, self._asked, host)


@dataclass(slots=True)
class Use:
    """With which tickets one sign-in went; None until it has some."""

    tickets: Tickets | None = None


class Renewing(httpx2.Auth):
    """The legs of a sign-in, once more if tickets from before were refused: with new ones, whoever had them first."""

    def __init__(self, legs: Callable[[Use], Awaitable[httpx2.Auth]], office: TicketOffice) -> None:
        self._legs = legs
        self._office = office

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        before, again = self._office.held, False
        while True:
            use = Use()
            legs = (await self._legs(use)).async_auth_flow(request)
            response: httpx2.Response | None = None
            try:
                outgoing = await anext(legs)
                while True:
                    response = yield outgoing
                    outgoing = await legs.asend(response)
            except StopAsyncIteration:
                return
            except ExchangeError as error:
                if error.code not in _STALE:
                    raise
                self._office.forget(use.tickets)
                if again or use.tickets is None or use.tickets is not before:
                    raise _seen(error, request, response, datetime.now(UTC)) from None
                again = True
            finally:
                await legs.aclose()


def _seen(
    error: ExchangeError, request: httpx2.Request, response: httpx2.Response | None, now: datetime
) -> ExchangeError:
    """Say that the clocks differ where a refusal itself shows it: Exchange does not tell that it refused for that."""
    if error.code != _REFUSED:
        return error
    try:
        told = parsedate_to_datetime(response.headers["date"]) if response is not None else now
    except (KeyError, ValueError):
        return error
    ahead = told.replace(tzinfo=told.tzinfo or UTC) - now
    return kerberos_errors.skew(request.url.host, ahead) if abs(ahead) > _MOST_SKEW else error


def _state(keytab: Path) -> tuple[str, ...]:
    try:
        found = keytab.stat()
    except OSError as error:
        raise kerberos_errors.keytab_unreadable(str(keytab), type(error).__name__) from None
    return str(found.st_ino), str(found.st_size), str(found.st_mtime_ns)
