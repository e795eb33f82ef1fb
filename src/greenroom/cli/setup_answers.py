"""What `greenroom setup` has to know: from options, from the configuration, and for the rest by asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

import click

from greenroom.addin.manifest import addin_id
from greenroom.settings import EwsExchange, GraphExchange, Integration, Settings
from greenroom.setup import exchange_server, microsoft_365, service_account
from greenroom.setup.installation import address
from greenroom.setup.microsoft_shells import Cloud
from greenroom.setup.powershell import UnsafeValueError

NO_PRODUCTION: Final = "none"
_QUESTIONS: Final[Mapping[str, str]] = {
    "mailbox": "Address of the equipment mailbox, which need not be there yet",
    "production_mailbox": f"Address of production's equipment mailbox ({NO_PRODUCTION} if there is none)",
    "public_url": "Address under which browsers will reach Greenroom (https://...)",
    "account": "Service account that signs in, as a mail address; it need not be there yet",
    "url": "Address of EWS (https://.../EWS/Exchange.asmx)",
    "tenant": "Tenant in Microsoft Entra: its id, or a domain of it",
    "client_id": "Application (client) id in Microsoft Entra",
}
_ADDRESSES: Final = frozenset({"mailbox", "account"})
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    exchange_server.KIND: ("mailbox", "public_url", "account", "url"),
    microsoft_365.KIND: ("mailbox", "public_url", "tenant"),
    service_account.KIND: ("mailbox", "public_url", "tenant"),
}
KINDS: Final = tuple(_NEEDED)
WARNINGS: Final[Mapping[str, str]] = {service_account.KIND: service_account.WARNING}
ENVIRONMENTS: Final = ("production", "test")
Answer = str | bool | None


class MissingError(Exception):
    """Something was neither said nor configured, and may not be asked for. `options` are what to name."""

    def __init__(self, options: tuple[str, ...]) -> None:
        """Keep the options."""
        super().__init__(", ".join(options))
        self.options = options


class SharedMailboxError(Exception):
    """The test installation was given production's mailbox."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All that is known. `entry` is the integration of the configuration that this is for, where there is one."""

    kind: str
    environment: str
    values: dict[str, Answer] = field(repr=False)
    entry: Integration | None = None

    def text(self, key: str, otherwise: str = "") -> str:
        """Return what was said, as text."""
        value = self.values.get(key)
        return value if isinstance(value, str) and value else otherwise

    def is_so(self, key: str) -> bool:
        """Return whether an option was given."""
        return self.values.get(key) is True

    @property
    def with_addin(self) -> bool:
        """Whether the add-in is prepared: if it was asked for, is configured, or nothing speaks against it."""
        said = self.values.get("addin")
        if isinstance(said, bool):
            return said
        if self.entry is not None:
            return self.entry.addin is not None
        return self.text("public_url").startswith("https://")

    @property
    def addin_id(self) -> str:
        """The id in the add-in's manifest; empty for no add-in."""
        if not self.with_addin:
            return ""
        configured = self.entry.addin if self.entry is not None else None
        if configured is not None and configured.id:
            return configured.id
        return addin_id(self.text("public_url"), self.text("mailbox"))


def option_of(key: str) -> str:
    """Return the option for a value, as somebody types it."""
    names = {"title": "display-name", "group": "organizers-group", "certificate_file": "certificate"}
    return f"--{names.get(key, key.replace('_', '-'))}"


def gather(
    kind: str,
    options: Mapping[str, Answer],
    settings: Settings | None,
    entry: Integration | None,
    *,
    may_ask: bool,
) -> Answers:
    """Put together what is said and what is configured, and ask for what is missing.

    Raises `MissingError` where it may not ask, and `SharedMailboxError`.
    """
    said = {key: value for key, value in options.items() if value not in {None, ""}}
    needed = _needed(kind, said)
    missing: tuple[str, ...] = () if "environment" in said else ("environment",)
    environment = str(said.get("environment", ""))
    if missing and may_ask:
        environment = click.prompt("Which installation is this for?", type=click.Choice(ENVIRONMENTS), err=True)
        missing = ()
    configured = _configured(kind, settings, entry) if settings is not None and entry is not None else {}
    others = {one.mailbox.casefold() for one in settings.integration} if settings is not None else set()
    if environment == "test":
        if "production_mailbox" in said:
            others = {str(said["production_mailbox"]).casefold()}
        elif others:  # the configuration is production's, so that its mailbox cannot be the one for the test
            configured.pop("mailbox", None)
        else:
            needed = (*needed, "production_mailbox")
    values = {**configured, **said}
    missing += tuple(key for key in needed if key not in values)
    if missing and not may_ask:
        raise MissingError(tuple(option_of(key) for key in missing))
    for key in missing:
        values[key] = click.prompt(_QUESTIONS[key], err=True, value_proc=_address if key in _ADDRESSES else None)
    others.add(str(values.get("production_mailbox", NO_PRODUCTION)).casefold())
    if environment == "test" and str(values["mailbox"]).casefold() in others:
        raise SharedMailboxError
    return Answers(kind, environment, values, entry)


def _address(answer: str) -> str:
    """Have an answer given again that is no mail address."""
    try:
        return address(answer.strip(), "it")
    except UnsafeValueError as error:
        raise click.UsageError(f"this {error.reason}") from error


def _needed(kind: str, said: Mapping[str, Answer]) -> tuple[str, ...]:
    more = ("tenant", "client_id") if kind == exchange_server.KIND and said.get("auth") == "oauth" else ()
    return (*_NEEDED[kind], *more)


def _configured(kind: str, settings: Settings, entry: Integration) -> dict[str, Answer]:
    """Return what the configuration says of what a kind needs."""
    known: dict[str, Answer] = {"mailbox": entry.mailbox, "public_url": settings.service.public_url}
    exchange = entry.exchange
    if isinstance(exchange, EwsExchange) and kind != microsoft_365.KIND:
        username = exchange.username or ""
        known |= {"url": exchange.url, "auth": exchange.auth, "account": username if "@" in username else None}
        if exchange.oauth is not None:
            known |= {
                "tenant": exchange.oauth.tenant,
                "client_id": exchange.oauth.client_id,
                "cloud": exchange.oauth.cloud,
            }
    elif isinstance(exchange, GraphExchange) and kind == microsoft_365.KIND:
        known |= {"tenant": exchange.tenant, "client_id": exchange.client_id, "cloud": exchange.cloud}
        known["credential"] = _credential(exchange)
    if known.get("cloud") not in get_args(Cloud):
        known.pop("cloud", None)
    return {key: value for key, value in known.items() if value}


def _credential(exchange: GraphExchange) -> str:
    if exchange.managed_identity is not None:
        return "managed-identity"
    if exchange.federated_token_file is not None:
        return "federated"
    return "certificate" if exchange.certificate_file is not None else "client-secret"
