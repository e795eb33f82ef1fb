"""The two shells in which Microsoft 365 is prepared, and how a script comes to be connected in each.

They are kept to scripts of their own: both modules in one session often fail on each other's libraries.
"""

from collections.abc import Sequence
from typing import Final, Literal

from greenroom.setup.powershell import Switch, Value, Writer

Cloud = Literal["global", "us-gov-high", "us-gov-dod", "china"]
ONLINE: Final = "Exchange Online PowerShell (module ExchangeOnlineManagement), as an Exchange administrator"
GRAPH: Final = "Microsoft Graph PowerShell (module Microsoft.Graph.Applications), as a Cloud Application Administrator"
LOGIN_HOSTS: Final[dict[Cloud, str]] = {
    "global": "login.microsoftonline.com",
    "us-gov-high": "login.microsoftonline.us",
    "us-gov-dod": "login.microsoftonline.us",
    "china": "login.chinacloudapi.cn",
}
_EXCHANGE: Final[dict[Cloud, str]] = {
    "global": "O365Default",
    "us-gov-high": "O365USGovGCCHigh",
    "us-gov-dod": "O365USGovDoD",
    "china": "O365China",
}
_GRAPH: Final[dict[Cloud, str]] = {
    "global": "Global",
    "us-gov-high": "USGov",
    "us-gov-dod": "USGovDoD",
    "china": "China",
}


def connect_exchange_online(writer: Writer, cloud: Cloud) -> None:
    """Connect to Exchange Online, unless this session is connected already."""
    parameters: dict[str, Value] = {"ExchangeEnvironmentName": _EXCHANGE[cloud], "ShowBanner": False}
    with writer.unless_exists("Get-ConnectionInformation", {}, into="connection", where=("State", "Connected")):
        writer.call("Connect-ExchangeOnline", parameters)
    writer.blank()


def connect_graph(writer: Writer, tenant: str, cloud: Cloud, scopes: Sequence[str]) -> None:
    """Connect to Microsoft Graph, for this session alone and with these rights."""
    parameters: dict[str, Value] = {
        "TenantId": tenant,
        "Environment": _GRAPH[cloud],
        "Scopes": tuple(scopes),
        "ContextScope": "Process",
        "NoWelcome": Switch(),
    }
    writer.call("Connect-MgGraph", parameters)
    writer.blank()


def named(name: str) -> str:
    """Return the filter of Microsoft Graph that finds what has this display name. A quote in an OData text is doubled."""
    doubled = name.replace("'", "''")
    return f"displayName eq '{doubled}'"
