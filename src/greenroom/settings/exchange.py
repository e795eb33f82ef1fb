"""How an Exchange is reached: over EWS (Exchange Server) or over Graph (Microsoft 365), for the mailbox or for organizers.

```
EwsAccess ──┬── EwsExchange       [integration.exchange], protocol = "ews"
            └── EwsOrganizers     [integration.organizers], protocol = "ews"
GraphAccess ┬── GraphExchange     [integration.exchange], protocol = "graph"
            └── GraphOrganizers   [integration.organizers], protocol = "graph"
```

The order of bases is the order of the reference: pydantic lists the fields of the last base first.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from greenroom.settings.fields import (
    Guid,
    MailAddress,
    ManagedIdentityName,
    ProxyAddress,
    RootAddress,
    Section,
    Tenant,
    WebAddress,
    setting,
)
from greenroom.settings.signing_in import FILE, Kerberos, OAuth, Secret


class _Reach(Section):
    """What both protocols need on the way to Exchange."""

    ca_file: Path | None = setting(
        None,
        about="Certificates to trust besides the system's, for an Exchange or a proxy whose certificate is not public.",
        allowed="path of a PEM file, seen from this file's folder",
        example="company-ca.pem",
    )
    timeout_seconds: int = setting(
        30, about="How long to wait for an answer.", unit="seconds", allowed="1 to 600", ge=1, le=600
    )


class EwsAccess(Section):
    """Exchange Server over Exchange Web Services."""

    protocol: Literal["ews"] = setting(
        "ews", about="Exchange Web Services. May be left out: a section with `url` speaks it.", shown=True
    )
    url: WebAddress = setting(
        about="Address of the EWS endpoint.",
        allowed="an https address such as https://mail.example.org/EWS/Exchange.asmx (http only to this computer)",
        example="https://mail.example.org/EWS/Exchange.asmx",
    )
    auth: Literal["basic", "ntlm", "kerberos", "oauth", "bearer"] = setting(
        "basic",
        about="How to sign in: user name and password with every request (`basic`) or by challenge (`ntlm`), tickets (`kerberos`), "
        "tokens that Greenroom fetches (`oauth`) or that somebody else renews (`bearer`).",
    )
    username: str | None = setting(
        None,
        about="Service account that signs in (`basic`, `ntlm`, `kerberos`).",
        allowed="a user principal name or DOMAIN\\user",
        example="greenroom@example.org",
        shown=True,
        min_length=1,
        max_length=254,
    )
    password: Secret | None = setting(None, about="Its password.", allowed="text; or set password_file")
    password_file: Path | None = setting(
        None,
        about="File whose content is the password; keeps it out of this file.",
        allowed=FILE,
        example="secrets/exchange-password",
        shown=True,
    )
    token: Secret | None = setting(None, about="Bearer token (`bearer`).", allowed="text; or set token_file")
    token_file: Path | None = setting(
        None,
        about="File whose content is the bearer token, renewed there by somebody else.",
        allowed=FILE,
    )
    kerberos: Kerberos | None = setting(
        None, about='What `auth = "kerberos"` needs.', allowed="a table [integration.exchange.kerberos]"
    )
    oauth: OAuth | None = setting(
        None, about='What `auth = "oauth"` needs.', allowed="a table [integration.exchange.oauth]"
    )


class GraphAccess(Section):
    """Microsoft 365 over Microsoft Graph, as an application: docs/microsoft-365.md tells how to register it."""

    protocol: Literal["graph"] = setting(
        "graph", about="Microsoft Graph. May be left out: a section with `tenant` or `client_id` speaks it.", shown=True
    )
    tenant: Tenant = setting(
        about="The organisation's directory in Microsoft Entra.",
        allowed="the tenant id (a GUID) or a domain of the tenant such as example.onmicrosoft.com",
        example="example.onmicrosoft.com",
    )
    client_id: Guid | None = setting(
        None,
        about="Application (client) id of the registered application; only a managed identity needs none.",
        allowed="a GUID such as 11111111-2222-3333-4444-555555555555",
        example="11111111-2222-3333-4444-555555555555",
        shown=True,
    )
    certificate_file: Path | None = setting(
        None,
        about="Signs in with a certificate (recommended): PEM with the certificate and its key, or PFX.",
        allowed=FILE,
        example="secrets/greenroom.pem",
        shown=True,
    )
    certificate_key_file: Path | None = setting(
        None, about="The certificate's private key, where it stands in a PEM file of its own.", allowed=FILE
    )
    certificate_password: Secret | None = setting(
        None, about="Password of the private key or the PFX file.", allowed="text; or set certificate_password_file"
    )
    certificate_password_file: Path | None = setting(None, about="File whose content is that password.", allowed=FILE)
    client_secret: Secret | None = setting(
        None, about="Signs in with a client secret (its value, not its id).", allowed="text; or set client_secret_file"
    )
    client_secret_file: Path | None = setting(
        None, about="File whose content is the client secret.", allowed=FILE, example="secrets/client-secret"
    )
    client_secret_expires: date | None = setting(
        None,
        about="The day the client secret runs out, as Entra shows it: it is told ahead, which Entra does not do.",
        allowed="a date such as 2027-06-30",
        example=date(2027, 6, 30),
    )
    federated_token_file: Path | None = setting(
        None,
        about="Signs in with the token of another issuer that the application trusts (workload identity federation); read "
        "anew whenever it is needed.",
        allowed=FILE,
        example="/var/run/secrets/azure/tokens/azure-identity-token",
    )
    managed_identity: ManagedIdentityName | None = setting(
        None,
        about="Signs in with the identity that Azure gives this machine.",
        allowed='"system", or the client id of a user-assigned identity',
        example="system",
    )
    cloud: Literal["global", "us-gov-high", "us-gov-dod", "china", "custom"] = setting(
        "global", about="Which Microsoft cloud; GCC is in `global`. `custom` takes `login_url` and `graph_url`."
    )
    login_url: RootAddress | None = setting(
        None,
        about="Where tokens come from (`custom`).",
        allowed="an https address without a path (http only to this computer)",
        example="https://login.microsoftonline.com",
    )
    graph_url: RootAddress | None = setting(
        None,
        about="Where Graph is (`custom`), without /v1.0.",
        allowed="an https address without a path (http only to this computer)",
        example="https://graph.microsoft.com",
    )
    proxy: ProxyAddress | None = setting(
        None,
        about="Web proxy on the way to Microsoft 365.",
        allowed="http://host:port, without a user name",
        example="http://proxy.example.org:3128",
    )


class _Attended(Section):
    """What only the Exchange of the equipment mailbox needs."""

    poll_seconds: int = setting(
        15,
        about="How often to look for changes, besides what is pushed.",
        unit="seconds",
        allowed="1 to 3600",
        ge=1,
        le=3600,
    )


class EwsExchange(_Reach, _Attended, EwsAccess):
    """How to reach the Exchange that holds the equipment mailbox, if that is an Exchange Server."""

    impersonate: bool = setting(
        True,
        about="Act for the equipment mailbox and for organizers by impersonation. Without it the account must be the "
        "mailbox's own or have full access to it and Send As, and joining instructions travel in the reply.",
    )
    streaming: bool = setting(
        True, about="Hold a notification stream open, so that replies come within a second or two."
    )


class GraphExchange(_Reach, _Attended, GraphAccess):
    """How to reach the Exchange that holds the equipment mailbox, if that is Microsoft 365."""

    notifications: bool = setting(
        True,
        about="Have Microsoft 365 tell changes at `public_url`, so that replies come within seconds. Without it, or where "
        "`public_url` is on this computer only, polling finds them.",
    )
    update_organizers: bool = setting(
        True,
        about="Write joining instructions into organizers' own meetings, where the application may. Otherwise they travel in "
        "the reply.",
    )


class _Elsewhere(Section):
    """What only the Exchange of organizers needs."""

    mailbox: MailAddress = setting(
        about="A mailbox on that side, such as yours: signing in is tried with it, and nothing in it is changed.",
        allowed="a mail address",
        example="you@example.org",
    )


class EwsOrganizers(_Reach, _Elsewhere, EwsAccess):
    """Organizers on an Exchange Server, while the equipment mailbox is in Microsoft 365."""


class GraphOrganizers(_Reach, _Elsewhere, GraphAccess):
    """Organizers in Microsoft 365, while the equipment mailbox is on an Exchange Server."""


OverEws = EwsExchange | EwsOrganizers
OverGraph = GraphExchange | GraphOrganizers
Exchange = Annotated[GraphExchange | EwsExchange, Field(discriminator="protocol")]
Organizers = Annotated[GraphOrganizers | EwsOrganizers, Field(discriminator="protocol")]

SPEAKERS: Final = ("exchange", "organizers")
"""The tables of an integration that speak one of two protocols."""
_OWN: Final[Mapping[str, frozenset[str]]] = {
    "graph": frozenset(GraphExchange.model_fields) - frozenset(EwsExchange.model_fields),
    "ews": frozenset(EwsExchange.model_fields) - frozenset(GraphExchange.model_fields),
}


def spoken(table: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the protocols that keys of this table belong to alone, each with all its own keys."""
    return {protocol: keys for protocol, keys in _OWN.items() if not keys.isdisjoint(table)}


def choose_protocols(data: Mapping[str, Any]) -> None:
    """Write the protocol into every table that leaves it out and whose keys tell it; files of before Graph have none."""
    listed = data.get("integration")
    for entry in listed if isinstance(listed, list) else []:
        for name in SPEAKERS if isinstance(entry, dict) else ():
            table = entry.get(name)
            if isinstance(table, dict) and "protocol" not in table and len(found := spoken(table)) == 1:
                (table["protocol"],) = found
