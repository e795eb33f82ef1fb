"""What names of directories and applications look like, before they become part of an address."""

import re

from greenroom.exchange.errors import MisconfiguredError

_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")
_NOT_ONE = frozenset({"common", "organizations", "consumers", "adfs"})


def check_tenant(tenant: str, *, adfs: bool = False) -> None:
    """Raise MisconfiguredError unless this can be a directory: its id or a domain of it, not one of the words for many.

    With `adfs` the word for AD FS is one, too.
    """
    if adfs and tenant == "adfs":
        return
    if not _TENANT.fullmatch(tenant) or ".." in tenant or tenant.lower() in _NOT_ONE:
        raise MisconfiguredError(
            "tenant is not a directory's id or domain", hint="write the Directory (tenant) ID that Entra shows"
        )


def check_client_id(client_id: str) -> None:
    """Raise MisconfiguredError unless this can be an application's id."""
    if not _CLIENT.fullmatch(client_id):
        raise MisconfiguredError(
            "client_id is not an application's id", hint="write the Application (client) ID that Entra shows"
        )
