"""Where Microsoft 365 is, and how one equipment mailbox there is attended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Cloud:
    """The two roots of one Microsoft cloud: where tokens come from, and where Graph is (both without a path)."""

    login: str
    graph: str


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {
        "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
        "us-gov-high": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
        "us-gov-dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        "china": Cloud("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
    }
)
"""National clouds by name (Graph "National cloud deployments"); GCC uses the global roots."""


class TokenSource(Protocol):
    """Gives access tokens for Graph; see `sign_in` for those that do."""

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token; `fresh` asks for a new one because Graph refused the last.

        Raises SignInError (credentials refused), MisconfiguredError (application or tenant wrong), TryLaterError.
        """
        ...

    @property
    def expires_at(self) -> datetime | None:
        """When the secret or certificate behind the tokens runs out; None where that is not known."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """One equipment mailbox in Microsoft 365.

    `tenant` is the directory's id (a GUID) or a domain of it. `ca_file` and `proxy` (http://host:port) are for sites that look
    into TLS or have no direct way out. Where `notification_url` and `lifecycle_url` are empty there is polling alone.
    """

    address: str
    tenant: str
    tokens: TokenSource = field(repr=False)
    cloud: Cloud = CLOUDS["global"]
    update_organizers: bool = True
    notification_url: str = ""
    lifecycle_url: str = ""
    ca_file: Path | None = None
    proxy: str | None = None
    timeout: timedelta = timedelta(seconds=30)
