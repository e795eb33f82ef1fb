"""Signing in to Microsoft 365 as an application: certificate, secret, federated or managed identity."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from greenroom.exchange.graph.settings import CLOUDS, Cloud, TokenSource


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose public half stands at the application: a PEM or PFX file.

    `key_file` is for a private key that stands in a file of its own, `passphrase` for an encrypted key or PFX file.
    """

    file: Path
    key_file: Path | None = None
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret, and the day it runs out, as Entra shows it, since nothing else tells."""

    value: str = field(repr=False)
    expires_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class Federated:
    """A token of another issuer which the application trusts, in a file that its owner renews (workload identity)."""

    token_file: Path


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity Azure gives this machine: the system-assigned one, or the user-assigned one with this client id."""

    client_id: str | None = None


Credential = Certificate | Secret | Federated | ManagedIdentity


def open_tokens(
    credential: Credential,
    *,
    tenant: str,
    client_id: str = "",
    cloud: Cloud = CLOUDS["global"],
    ca_file: Path | None = None,
    proxy: str | None = None,
    clock: Callable[[], datetime],
) -> TokenSource:
    """Return the source of tokens for one application; raises MisconfiguredError for what is wrong in files and values.

    `client_id` is the application's; a managed identity needs none. Nothing is sent before the first token is asked for.
    """
    raise NotImplementedError
