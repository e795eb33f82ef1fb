"""Filling a store from plain data: the mailboxes and logins of a seed file, or of one request to the control surface.

A seed is a JSON object::

    {"mailboxes": [{"address": "vmr@greenroom.example", "name": "VMR", "password": "...", "kind": "equipment",
                    "processing": "auto_update", "aliases": [], "shows_x500": false, "process_external": true,
                    "home": "both"}],
     "accounts":  [{"login": "svc", "password": "...", "mailbox": null, "token": null, "impersonate": "everybody"}],
     "applications": [{"client_id": "...", "secret": "...", "secret_expires": null, "certificate": null,
                       "federated": {"issuer": "...", "subject": "...", "key": "PEM"}, "scope": "everybody",
                       "ews": false, "public": false}],
     "silent_updates": false, "untouched": false}

``impersonate`` is ``"everybody"``, a list of addresses, or absent for no right; ``scope`` is one of the first two (absent:
everybody). ``home`` is ``"both"``, ``"cloud"`` or ``"on-premises"``. ``secret_expires`` is a time with an offset. ``untouched``
puts what administrators set to Exchange's own defaults: EWS takes Windows authentication alone, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greenroom.simulator.applications import Application, Federation
from greenroom.simulator.errors import NoSuchMailbox

if TYPE_CHECKING:
    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.model import Mailbox


class SeedError(ValueError):
    """A seed, or one entry of it, cannot be used; the message says which field and what is allowed."""


_MAILBOX_FIELDS: dict[str, type | tuple[type, ...]] = {
    "address": str,
    "name": str,
    "password": (str, type(None)),
    "kind": str,
    "processing": str,
    "aliases": list,
    "x500": (str, type(None)),
    "shows_x500": bool,
    "process_external": bool,
    "home": str,
}
_ACCOUNT_FIELDS: dict[str, type | tuple[type, ...]] = {
    "login": str,
    "password": str,
    "mailbox": (str, type(None)),
    "token": (str, type(None)),
    "impersonate": (str, list, type(None)),
}
_APPLICATION_FIELDS: dict[str, type | tuple[type, ...]] = {
    "client_id": str,
    "secret": (str, type(None)),
    "secret_expires": (str, type(None)),
    "certificate": (str, type(None)),
    "federated": (dict, type(None)),
    "scope": (str, list),
    "ews": bool,
    "public": bool,
}
_SEED = {"mailboxes", "accounts", "applications", "silent_updates", "untouched"}
_FEDERATION_FIELDS: dict[str, type | tuple[type, ...]] = {"issuer": str, "subject": str, "key": str}


def _checked(data: Any, allowed: Mapping[str, type | tuple[type, ...]], required: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise SeedError("an entry must be a JSON object")
    for name, value in data.items():
        if name not in allowed:
            raise SeedError(f"unknown field {name}; allowed are {', '.join(sorted(allowed))}")
        if not isinstance(value, allowed[name]):
            raise SeedError(f"{name} has the wrong type")
    for name in required:
        if not data.get(name):
            raise SeedError(f"{name} is missing")
    return dict(data)


def add_mailbox(exchange: Exchange, data: Any) -> Mailbox:
    """Create the mailbox an entry describes. Raises `SeedError`."""
    fields = _checked(data, _MAILBOX_FIELDS, ("address",))
    address = fields.pop("address")
    name = fields.pop("name", None) or address.partition("@")[0].title()
    if fields.get("kind", "user") not in ("user", "equipment"):
        raise SeedError("kind must be user or equipment")
    if fields.get("processing", "none") not in ("none", "auto_update", "auto_accept"):
        raise SeedError("processing must be none, auto_update or auto_accept")
    if fields.get("home", "both") not in ("both", "cloud", "on-premises"):
        raise SeedError("home must be both, cloud or on-premises")
    try:
        return exchange.add_mailbox(address, name, fields.pop("password", None), **fields)
    except ValueError as error:
        raise SeedError(str(error)) from None


def add_account(exchange: Exchange, data: Any) -> None:
    """Create the login an entry describes, with its token and its right to impersonate. Raises `SeedError`."""
    fields = _checked(data, _ACCOUNT_FIELDS, ("login", "password"))
    login, impersonate = fields["login"], fields.get("impersonate")
    try:
        exchange.add_account(login, fields["password"], mailbox=fields.get("mailbox"))
    except ValueError as error:
        raise SeedError(str(error)) from None
    if fields.get("token"):
        exchange.add_token(fields["token"], login)
    if impersonate is None:
        return
    if isinstance(impersonate, str) and impersonate != "everybody":
        raise SeedError('impersonate must be "everybody" or a list of addresses')
    exchange.grant_impersonation(login, None if impersonate == "everybody" else [str(one) for one in impersonate])


def add_application(exchange: Exchange, data: Any) -> None:
    """Register the application an entry describes. Raises `SeedError`."""
    fields = _checked(data, _APPLICATION_FIELDS, ("client_id",))
    scope, federated, expires = fields.get("scope", "everybody"), fields.get("federated"), fields.get("secret_expires")
    if isinstance(scope, str) and scope != "everybody":
        raise SeedError('scope must be "everybody" or a list of addresses')
    federation = None
    if federated is not None:
        federation = Federation(**_checked(federated, _FEDERATION_FIELDS, ("issuer", "subject", "key")))
    try:
        application = Application(
            client_id=fields["client_id"],
            secret=fields.get("secret"),
            secret_expires=None if expires is None else datetime.fromisoformat(expires).astimezone(UTC),
            certificate=fields.get("certificate"),
            federation=federation,
            scope=None if scope == "everybody" else tuple(str(one) for one in scope),
            ews=fields.get("ews", False),
            public=fields.get("public", False),
        )
        exchange.add_application(application)
        if application.ews:
            exchange.site.directory.grant(application.client_id, application.scope)
    except ValueError as error:
        raise SeedError(f"secret_expires: {error}") from None
    except NoSuchMailbox as error:
        raise SeedError(f"scope: {error}") from None


def seed(exchange: Exchange, data: Any) -> None:
    """Fill a store from a whole seed. Raises `SeedError`."""
    if not isinstance(data, Mapping) or set(data) - _SEED:
        raise SeedError(f"a seed is a JSON object with {', '.join(sorted(_SEED))}")
    if data.get("untouched"):
        exchange.site.organisation.as_installed()
    for entry in data.get("mailboxes", []):
        add_mailbox(exchange, entry)
    for entry in data.get("accounts", []):
        add_account(exchange, entry)
    for entry in data.get("applications", []):
        add_application(exchange, entry)
    exchange.site.silent_updates = bool(data.get("silent_updates", exchange.site.silent_updates))
