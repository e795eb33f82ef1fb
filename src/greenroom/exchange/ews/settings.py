"""How one equipment mailbox is reached over EWS."""

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2

from greenroom.exchange.errors import MisconfiguredError
from greenroom.exchange.ews.auth import Auth
from greenroom.exchange.trust import trusting

URL_HINT = "the address of EWS usually ends in /EWS/Exchange.asmx"
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}")


@dataclass(frozen=True, slots=True)
class EwsSettings:
    """One equipment mailbox on one Exchange Server.

    `address` is the mailbox's primary SMTP address. With `impersonate` the account acts for it, and for organizers, by the
    ApplicationImpersonation role; without, the account must be the mailbox itself, or have full access to it and the right to
    send as it (Exchange then sends no notifications, and the mailbox is polled). `timeout` bounds one request from end to end,
    `in_flight` the requests under way at once. `ca_file` is a PEM file of further certificate authorities to trust.
    Raises MisconfiguredError for an address that cannot be right, or one that would show a password to the network.
    """

    url: str
    address: str
    auth: Auth = field(repr=False)
    ca_file: Path | None = None
    impersonate: bool = True
    timeout: timedelta = timedelta(seconds=90)
    connect_timeout: timedelta = timedelta(seconds=10)
    in_flight: int = 4
    stream_minutes: int = 29

    def __post_init__(self) -> None:
        try:
            url = httpx2.URL(self.url)
        except (httpx2.InvalidURL, TypeError, ValueError):
            raise MisconfiguredError("the EWS address is not a web address", hint=URL_HINT) from None
        if url.scheme not in ("http", "https") or not url.host:
            raise MisconfiguredError(f"the EWS address {url.host or ''} must begin with https://", hint=URL_HINT)
        if url.userinfo:
            raise MisconfiguredError(
                "the EWS address must not hold a user name or password", hint="set user name and password on their own"
            )
        if url.scheme == "http" and not _is_loopback(url.host):
            raise MisconfiguredError(
                f"signing in to {url.host} over plain http would show the password to the network",
                hint="write https:// in the EWS address",
            )
        if not _ADDRESS.fullmatch(self.address):
            raise MisconfiguredError(
                "the mailbox address is not an SMTP address", hint="write the mailbox's primary SMTP address"
            )
        object.__setattr__(self, "address", self.address.lower())

    @property
    def host(self) -> str:
        """Host (and port, if given) for sentences and logs."""
        url = httpx2.URL(self.url)
        return f"{url.host}:{url.port}" if url.port else url.host

    def tls(self) -> ssl.SSLContext:
        """Trust the system's certificate authorities and those of `ca_file`; raises MisconfiguredError naming the file."""
        return trusting(self.ca_file)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
