"""Where a Management Node is, and who we are there."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

SCOPE = "is_admin use_api"
"""The least that the management API asks for of a token."""


@dataclass(frozen=True, slots=True)
class Basic:
    """An account, local or of the directory behind Pexip (RFC 7617)."""

    username: str
    password: str = field(repr=False)

    @property
    def mark(self) -> str:
        """A digest that changes when the credential does."""
        return _digest("basic", self.username, self.password)


@dataclass(frozen=True, slots=True)
class OAuth2:
    """An OAuth2 client of the Management Node, with the private key (PEM, P-256) that Pexip showed once.

    `token_url` is for nodes that give tokens elsewhere than at `<url>/oauth/token/`. `audience` is what the node calls that
    address: it compares with its own name, which may be another than the one it is reached by.
    """

    client_id: str
    private_key_pem: bytes = field(repr=False)
    token_url: str | None = None
    audience: str | None = None
    scope: str = SCOPE

    @property
    def mark(self) -> str:
        """A digest that changes when the credential does."""
        return _digest("oauth2", self.client_id, hashlib.sha256(self.private_key_pem).hexdigest())


Credential = Basic | OAuth2


@dataclass(frozen=True, slots=True)
class ManagementSettings:
    """One Management Node: `url` is its root (`https://host`), `ca_file` holds authorities (PEM) beside the system's.

    `timeout` is for one whole request; `proxy` is `http://host:port`.
    """

    url: str
    credential: Credential
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=30)
    proxy: str | None = None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
