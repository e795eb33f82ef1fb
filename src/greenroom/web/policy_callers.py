"""Who may ask the policy server: user name and password (HTTP Basic, RFC 7617), for some only from their addresses."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from pydantic import SecretStr

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LONGEST = 2_048  # of a header; the platform's forms take 100 characters each for name and password
_LONGEST_ADDRESS = 64
_CHARSETS = ("utf-8", "latin-1")  # RFC 7617 leaves it open, and clients differ


@dataclass(frozen=True, slots=True)
class PolicyCaller:
    """A credential that nodes send, and the numbers of the integrations it opens.

    From outside `networks` it counts for nothing (empty: it counts from everywhere). With `certificate` it counts only where the
    listener asked for a client certificate. Raises ValueError for a user name with a colon, which Basic cannot carry.
    """

    username: str
    password: SecretStr = field(repr=False)
    integrations: frozenset[int]
    networks: tuple[Network, ...] = ()
    certificate: bool = False

    def __post_init__(self) -> None:
        if ":" in self.username or not self.password.get_secret_value():
            raise ValueError("a policy caller needs a user name without a colon, and a password")


class Callers:
    """All that may come to one listener."""

    def __init__(self, callers: Sequence[PolicyCaller], *, certified: bool) -> None:
        known = [caller for caller in callers if certified or not caller.certificate]
        self._open_to_all = any(not caller.networks for caller in known)
        self._known = [
            (digest, caller.networks, caller.integrations)
            for caller in known
            for digest in {_digest(caller, charset) for charset in _CHARSETS} - {b""}
        ]

    def may_come(self, address: Address | None) -> bool:
        """Whether anybody at all may ask from this address."""
        return self._open_to_all or any(_within(address, networks) for _, networks, _ in self._known)

    def opened_by(self, credential: bytes, address: Address | None) -> frozenset[int]:
        """Return the integrations that a credential (from `credential_in`) opens from an address; none if it is wrong.

        All are compared, and as digests: how long that takes tells nothing.
        """
        opened: frozenset[int] = frozenset()
        for digest, networks, integrations in self._known:
            if hmac.compare_digest(digest, credential) and (not networks or _within(address, networks)):
                opened |= integrations
        return opened


def credential_in(header: bytes) -> bytes:
    """Return the digest of the user name and password in an Authorization header; empty if that is not Basic."""
    scheme, _, token = header.partition(b" ")
    if scheme.lower() != b"basic" or len(header) > _LONGEST:
        return b""
    try:
        return hashlib.sha256(base64.b64decode(token.strip(), validate=True)).digest()
    except (binascii.Error, ValueError):
        return b""


def address_of(text: str) -> Address | None:
    """Read an address, an IPv4 one also where it is dressed as IPv6; None if it is none."""
    return _address(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=4_096)
def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address | None, networks: tuple[Network, ...]) -> bool:
    return address is not None and any(address in network for network in networks)


def _digest(caller: PolicyCaller, charset: str) -> bytes:
    try:
        pair = f"{caller.username}:{caller.password.get_secret_value()}".encode(charset)
    except UnicodeEncodeError:
        return b""
    return hashlib.sha256(pair).digest()
