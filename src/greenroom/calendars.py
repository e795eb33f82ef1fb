"""Opens the calendars that the configuration names: with `assembly`, the only place that knows an adapter by name.

What several calendars share is kept here: the memory of refused passwords, tokens, and the limits of each application.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from greenroom.exchange.contract import Mailbox, OrganizerCalendars
from greenroom.exchange.errors import MisconfiguredError
from greenroom.exchange.ews import EwsMailbox, EwsSettings
from greenroom.exchange.ews.auth import Auth, BasicAuth, BearerAuth, SignInGuard
from greenroom.exchange.ews.oauth import TokenAuth
from greenroom.exchange.graph.intake import GraphIntake
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.exchange.graph.settings import CLOUDS, Cloud, GraphSettings, TokenSource
from greenroom.exchange.graph.sign_in import Credential, Federated, ManagedIdentity, open_tokens
from greenroom.settings import EwsExchange, GraphExchange, Integration, OverEws, OverGraph, Settings
from greenroom.settings.fields import is_loopback
from greenroom.settings.signing_in import Kerberos, OAuth
from greenroom.sign_ins import open_application, open_service_account, proof_in
from greenroom.storage import Storage

if TYPE_CHECKING:
    from greenroom.exchange.tokens import ServiceAccountTokens

Side = Literal["exchange", "organizers"]
"""Which Exchange of an integration, by the name of its table."""
SIDES: Final[tuple[Side, ...]] = ("exchange", "organizers")
_HOOKS = "/hooks/graph/"


class CalendarError(Exception):
    """A calendar cannot even be opened: a file or value of the configuration is wrong. `error` says which and what to do."""

    def __init__(self, integration: str, side: Side, error: MisconfiguredError) -> None:
        super().__init__(str(error))
        self.integration = integration
        self.side = side
        self.error = error


class Calendars:
    """All calendars of one process. `close` closes every one that was opened.

    `intakes` take the notifications of those integrations that Microsoft 365 can notify, by name.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime], storage: Storage | None = None) -> None:
        """Open nothing yet. `storage` is where service accounts' sign-ins are kept."""
        self._storage = storage
        self._public_url = settings.service.public_url
        self._clock = clock
        self._guard = (
            SignInGuard()
        )  # one for all: integrations that share an account must not each try a wrong password
        self._limits: dict[tuple[object, ...], Limits] = {}
        self._tokens: dict[tuple[object, ...], TokenSource] = {}
        self._sources: dict[tuple[str, Side], TokenSource] = {}
        self._accounts: dict[tuple[int, Side], ServiceAccountTokens] = {}
        self._opened: list[OrganizerCalendars] = []
        self.intakes: dict[str, GraphIntake] = {}

    def open(self, entry: Integration) -> Mailbox:
        """Open an integration's equipment mailbox; connects to nothing yet. Raises CalendarError."""
        with _naming(entry, "exchange"):
            mailbox = self._mailbox(entry)
        self._opened.append(mailbox)
        return mailbox

    def _mailbox(self, entry: Integration) -> Mailbox:
        exchange = entry.exchange
        if isinstance(exchange, EwsExchange):
            auth = self._authenticator(entry, "exchange", exchange)
            return EwsMailbox(self._ews(exchange, entry.mailbox, auth, impersonate=exchange.impersonate))
        address = notification_url(self._public_url, entry)
        settings = self._graph(entry, "exchange", exchange, entry.mailbox, address)
        if address:
            self.intakes[entry.name] = GraphIntake(exchange.tenant, clock=self._clock)
        return GraphMailbox(
            settings, limits=self._limit(exchange), clock=self._clock, intake=self.intakes.get(entry.name)
        )

    def open_elsewhere(self, entry: Integration) -> OrganizerCalendars | None:
        """Open the second Exchange of a hybrid organisation; None where there is none. Raises CalendarError."""
        there = entry.organizers
        if there is None:
            return None
        calendars: OrganizerCalendars
        with _naming(entry, "organizers"):
            if there.protocol == "ews":
                auth = self._authenticator(entry, "organizers", there)
                calendars = EwsMailbox(self._ews(there, there.mailbox, auth, impersonate=True))
            else:
                settings = self._graph(entry, "organizers", there, there.mailbox)
                calendars = GraphMailbox(settings, limits=self._limit(there), clock=self._clock)
        self._opened.append(calendars)
        return calendars

    def expires_at(self, integration: str, side: Side) -> datetime | None:
        """When the certificate or secret that signs in there runs out; None where that is not known."""
        source = self._sources.get((integration, side))
        return None if source is None else source.expires_at

    async def close(self) -> None:
        """Close all calendars, then what gave them tokens."""
        for calendars in self._opened:
            await calendars.close()
        for tokens in self._tokens.values():
            await tokens.close()

    def _ews(self, exchange: OverEws, address: str, auth: Auth, *, impersonate: bool) -> EwsSettings:
        return EwsSettings(
            url=exchange.url,
            address=address,
            auth=auth,
            ca_file=exchange.ca_file,
            impersonate=impersonate,
            timeout=timedelta(seconds=exchange.timeout_seconds),
        )

    def _authenticator(self, entry: Integration, side: Side, exchange: OverEws) -> Auth:
        if exchange.auth in ("basic", "ntlm", "kerberos"):
            return self._by_name(exchange)
        if exchange.oauth is not None:
            return self._by_oauth(entry, side, exchange, exchange.oauth)
        if exchange.token_file is not None:
            return BearerAuth(exchange.token_file, guard=self._guard)
        token = exchange.token
        return BearerAuth(lambda: "" if token is None else token.get_secret_value(), guard=self._guard)

    def _by_oauth(self, entry: Integration, side: Side, exchange: OverEws, oauth: OAuth) -> Auth:
        if oauth.account == "service-account":
            account = self._accounts.get((entry.number, side))
            if account is None:  # two that renew would each spend what the other has
                account = open_service_account(entry, side, self._storage, self._clock)
                self._accounts[entry.number, side] = self._tokens[entry.number, side] = account
            self._sources[entry.name, side] = account
            return TokenAuth(account, lambda: f"{entry.number} {side} {account.identity}", guard=self._guard)
        key = (oauth, urlsplit(exchange.url).netloc, exchange.ca_file)  # integrations that share it sign in once
        if key not in self._tokens:
            self._tokens[key] = open_application(exchange, oauth, self._clock)
        tokens = self._sources[entry.name, side] = self._tokens[key]
        return TokenAuth(tokens, lambda: f"{oauth.tenant} {oauth.client_id} {exchange.url}", guard=self._guard)

    def _by_name(self, exchange: OverEws) -> Auth:
        username = exchange.username or ""
        password = "" if exchange.password is None else exchange.password.get_secret_value()
        if exchange.auth == "basic":
            return BasicAuth(username, password, guard=self._guard)
        if exchange.kerberos is not None:
            return self._by_ticket(exchange, exchange.kerberos, username, password)
        from greenroom.exchange.ews.ntlm import ntlm  # noqa: PLC0415  pyspnego takes 0.1 s: only who needs it waits for it

        return ntlm(username, password, guard=self._guard)

    def _by_ticket(self, exchange: OverEws, kerberos: Kerberos, username: str, password: str) -> Auth:
        from greenroom.exchange.ews.kerberos import KerberosAuth  # noqa: PLC0415  as above

        return KerberosAuth(
            username,
            password,
            realm=kerberos.realm,
            host=urlsplit(exchange.url).hostname or "",
            kdc=kerberos.kdc,
            service=kerberos.service,
            keytab=kerberos.keytab_file,
            guard=self._guard,
        )

    def _graph(
        self, entry: Integration, side: Side, exchange: OverGraph, address: str, notifications: str = ""
    ) -> GraphSettings:
        tokens = self._sources[entry.name, side] = self._sign_in(exchange)
        return GraphSettings(
            address=address,
            tenant=exchange.tenant,
            tokens=tokens,
            cloud=cloud_of(exchange),
            update_organizers=exchange.update_organizers if isinstance(exchange, GraphExchange) else True,
            notification_url=notifications,
            lifecycle_url=f"{notifications}/lifecycle" if notifications else "",
            ca_file=exchange.ca_file,
            proxy=exchange.proxy,
            timeout=timedelta(seconds=exchange.timeout_seconds),
        )

    def _sign_in(self, exchange: OverGraph) -> TokenSource:
        """Return the tokens of an application: integrations that share it sign in once."""
        credential, cloud = credential_of(exchange), cloud_of(exchange)
        client_id = exchange.client_id or ""
        key = (credential, exchange.tenant, client_id, cloud, exchange.ca_file, exchange.proxy)
        if key not in self._tokens:
            self._tokens[key] = open_tokens(
                credential,
                tenant=exchange.tenant,
                client_id=client_id,
                cloud=cloud,
                ca_file=exchange.ca_file,
                proxy=exchange.proxy,
                clock=self._clock,
            )
        return self._tokens[key]

    def _limit(self, exchange: OverGraph) -> Limits:
        """Return the limits of an application, which Exchange Online counts for each of its mailboxes."""
        key = (cloud_of(exchange), exchange.tenant, exchange.client_id, exchange.managed_identity)
        return self._limits.setdefault(key, Limits(self._clock))


@contextmanager
def _naming(entry: Integration, side: Side) -> Iterator[None]:
    """Say of which integration a file or value cannot be used."""
    try:
        yield
    except MisconfiguredError as error:
        raise CalendarError(entry.name, side, error) from error


def notification_url(public_url: str, entry: Integration) -> str:
    """Return where Microsoft 365 shall post notifications of an integration; empty where it does not or cannot.

    It cannot reach an address that is on this computer only, unless it is on this computer itself (a simulator).
    """
    exchange = entry.exchange
    if not isinstance(exchange, GraphExchange) or not exchange.notifications:
        return ""
    if _is_here(public_url) and not _is_here(cloud_of(exchange).graph):
        return ""
    return f"{public_url}{_HOOKS}{entry.name}"


def cloud_of(exchange: OverGraph) -> Cloud:
    """Return the roots of the cloud that the settings name."""
    if exchange.cloud == "custom":
        return Cloud(exchange.login_url or "", exchange.graph_url or "")
    return CLOUDS[exchange.cloud]


def credential_of(exchange: OverGraph) -> Credential:
    """Return the one credential that the settings name."""
    if (proof := proof_in(exchange)) is not None:
        return proof
    if exchange.federated_token_file is not None:
        return Federated(exchange.federated_token_file)
    return ManagedIdentity(None if exchange.managed_identity == "system" else exchange.managed_identity)


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
