"""Tickets of one service account, from its password or a keytab, kept in memory and had anew before they run out.

Whoever needs them while they are being asked for waits for the same answer: a wrong password is sent once, however many wait.
"""

import importlib
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.ews import kerberos_errors, krb5_conf
from greenroom.exchange.ews.kerberos_errors import Asked

PATIENCE: Final = 15.0
"""Seconds until a center that says nothing is taken for one that is down; libkrb5 itself would wait half a minute or more."""
_ECHO: Final = 30.0
"""Seconds in which a refusal is the answer to whoever asks: several requests may find out at once that a password is wrong."""
_AHEAD: Final = 0.2
"""Which part of a ticket's life is left when it is had anew."""
_REST: Final = 60.0
"""Seconds in which a center that had no new tickets is not asked again, while those in use are good."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in: `username` as a domain writes it, with a password or a keytab's path."""

    username: str
    realm: str
    password: str = field(default="", repr=False)
    keytab: Path | None = None

    @property
    def name(self) -> str:
        r"""The account's name within its realm: what comes after ``DOMAIN\`` or before the realm's own ``@domain``.

        Any other user principal name stays whole, for the realm to find (RFC 6806, 5).
        """
        user = self.username.rpartition("\\")[2]
        local, _, domain = user.rpartition("@")
        return local if domain.upper() == self.realm else user

    @property
    def principal(self) -> str:
        """The account as sentences name it."""
        return self.name if "@" in self.name else f"{self.name}@{self.realm}"


@dataclass(frozen=True, slots=True)
class Tickets:
    """A cache in memory, by its name, and until when (by this computer's clock) it is taken for fresh, and is good at all."""

    cache: str
    fresh_until: float
    ends: float
    handle: object = field(repr=False)


def modules() -> tuple[Any, Any]:
    """Return the modules krb5 and gssapi, which are built against the machine's Kerberos; raises MisconfiguredError."""
    try:
        return importlib.import_module("krb5"), importlib.import_module("gssapi")
    except (ImportError, OSError):
        raise kerberos_errors.not_installed() from None


class TicketOffice:
    """Has tickets for one account. Its methods may be called from any thread; `tickets` waits for the network."""

    def __init__(self, account: Account, kdcs: tuple[str, ...], asked: Asked) -> None:
        self._krb5, _ = modules()
        self._account = account
        self._kdcs = kdcs
        self._asked = asked
        self._lock = threading.Lock()
        self._held: Tickets | None = None
        self._last: Tickets | None = None
        self._before: Tickets | None = None
        self._resting_until = 0.0
        self._coming: Future[Tickets] | None = None
        self._refused: tuple[SignInError, float] | None = None

    @property
    def held(self) -> Tickets | None:
        """What was had so far."""
        return self._held

    def tickets(self) -> Tickets:
        """Return tickets, asking for them if there are no fresh ones; raises ExchangeError.

        Those that are good, though no longer fresh, do while no center answers.
        """
        with self._lock:
            if self._held is not None and time.time() < self._until(self._held):
                return self._held
            if self._refused is not None and time.monotonic() < self._refused[1]:
                raise self._refused[0]
            if self._coming is None:
                self._coming = Future()
                # A daemon: nobody who stops Greenroom waits for a center that says nothing.
                threading.Thread(target=self._ask, args=(self._coming,), name="kerberos", daemon=True).start()
            coming = self._coming
        try:
            return coming.result(PATIENCE)
        except TimeoutError:
            return self._still_good(kerberos_errors.unreachable(self._account.realm))
        except TryLaterError as error:
            return self._still_good(error)

    def forget(self, tickets: Tickets | None) -> None:
        """Have new ones the next time, unless these are not in use any more."""
        with self._lock:
            if tickets is self._held:
                self._held = None

    def start_anew(self) -> None:
        """Forget all that was had, refused or is being asked for: the keytab is another one."""
        with self._lock:
            self._refused = self._coming = self._held = None

    def _until(self, tickets: Tickets) -> float:
        return tickets.ends if time.monotonic() < self._resting_until else tickets.fresh_until

    def _still_good(self, error: TryLaterError) -> Tickets:
        with self._lock:
            if self._held is None or time.time() >= self._held.ends:
                raise error
            self._resting_until = time.monotonic() + _REST
            return self._held

    def _ask(self, coming: Future[Tickets]) -> None:
        found: Tickets | ExchangeError
        try:
            found = self._sign_in()
        except ExchangeError as error:
            found = error
        except Exception as error:  # noqa: BLE001  a thread's exception would be nobody's; its kind is told
            found = kerberos_errors.broken_off(type(error).__name__)
        with self._lock:
            if self._coming is coming:
                self._coming = None
                self._refused = (found, time.monotonic() + _ECHO) if isinstance(found, SignInError) else None
                if isinstance(found, Tickets):
                    self._keep(found)
        if isinstance(found, Tickets):
            coming.set_result(found)
        else:
            coming.set_exception(found)

    def _keep(self, had: Tickets) -> None:
        """Put tickets in use. Those before stay one round longer: a sign-in may be under way with them."""
        if self._before is not None:
            self._krb5.cc_destroy(self._krb5.init_context(), self._before.handle)
        self._before, self._last, self._held = self._last, had, had

    def _sign_in(self) -> Tickets:
        krb5, account = self._krb5, self._account
        krb5_conf.REALMS.use(account.realm, self._kdcs)
        asked = self._asked
        context = krb5.init_context()
        options = krb5.get_init_creds_opt_alloc(context)
        krb5.get_init_creds_opt_set_canonicalize(options, True)
        began = time.time()
        try:
            if account.keytab is None:
                principal = krb5.build_principal(context, account.realm.encode(), [account.name.encode()])
                if "@" in account.name:
                    principal.type = krb5.NameType.enterprise_principal
                secret = account.password.encode("utf-8", "replace")
                had = krb5.get_init_creds_password(context, principal, options, password=secret)
            else:
                name, keytab, asked = self._key(context, account.keytab)
                principal = krb5.build_principal(context, account.realm.encode(), [name.encode()])
                had = krb5.get_init_creds_keytab(context, principal, options, keytab)
        except krb5.Krb5Error as error:
            raise kerberos_errors.of_center(error.err_code, asked) from None
        # What libkrb5 has learned of the center's clock from its answer.
        behind = krb5.timeofday(context) - time.time()
        if (wrong := kerberos_errors.own_skew(account.realm, timedelta(seconds=behind))) is not None:
            raise wrong
        cache = krb5.cc_new_unique(context, b"MEMORY")
        krb5.cc_initialize(context, cache, had.client)
        krb5.cc_store_cred(context, cache, had)
        life = had.times.endtime - max(had.times.starttime, had.times.authtime)
        return Tickets(f"MEMORY:{cache.name.decode()}", began + life * (1 - _AHEAD), began + life, cache)

    def _key(self, context: Any, path: Path) -> tuple[str, Any, Asked]:
        """Find the account in a keytab, whatever case it is written in; raises MisconfiguredError."""
        local = self._account.name.partition("@")[0].casefold()
        held: dict[str, int] = {}
        found: list[tuple[int, str]] = []
        try:
            with path.open("rb") as file:
                file.read(1)
            keytab = self._krb5.kt_resolve(context, f"FILE:{path}".encode())
            for entry in keytab:  # an entry's parts live as long as the entry
                parts = [part.decode("utf-8", "replace") for part in entry.principal.components]
                held["/".join(parts)] = entry.kvno
                if entry.principal.realm.decode("utf-8", "replace") == self._account.realm and len(parts) == 1:
                    found.append((entry.kvno, parts[0]))
        except (OSError, self._krb5.Krb5Error) as error:
            raise self._unreadable(error) from None
        mine = [(version, name) for version, name in found if name.casefold() == local]
        if not mine:
            raise kerberos_errors.no_key(self._asked, sorted(held)[:5])
        version, name = max(mine)
        return name, keytab, replace(self._asked, version=version)

    def _unreadable(self, error: Exception) -> MisconfiguredError:
        why = type(error).__name__ if isinstance(error, OSError) else "it is no keytab"
        return kerberos_errors.keytab_unreadable(self._asked.keytab, why)
