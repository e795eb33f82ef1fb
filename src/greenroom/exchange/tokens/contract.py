"""What signing in as a user needs to know, what it leaves, and who keeps that."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from greenroom.exchange.errors import SignInError
from greenroom.exchange.graph.sign_in import Certificate, Secret

ADFS: Final = "adfs"
"""Stands in the tenant's place where tokens come from AD FS."""
_EWS_OF_USERS: Final = "EWS.AccessAsUser.All"


class SignInLostError(SignInError):
    """What renews the tokens of a service account is refused: somebody must sign in again."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The application through which a user signs in to EWS, as the directory knows it.

    `login` is the root of where tokens come from, `resource` what Exchange calls itself in tokens. `proof` is for an application
    that is registered as confidential; `ca_file` and `proxy` (http://host:port) are for the way there.
    """

    login: str
    tenant: str
    client_id: str
    resource: str
    proof: Certificate | Secret | None = None
    ca_file: Path | None = None
    proxy: str | None = None

    @property
    def scope(self) -> str:
        """What is asked for, besides a refresh token: to use EWS as the user (AD FS knows no such permission)."""
        return f"{self.resource}/{'user_impersonation' if self.tenant == ADFS else _EWS_OF_USERS}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What the login host gave: `account` is who signed in (empty where it does not say), `lasts` are seconds."""

    account: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lasts: int = 0


@dataclass(frozen=True, slots=True)
class KeptSignIn:
    """What is kept of a service account that signed in.

    `mark` changes whenever what is kept does, `sign_in` only when somebody signs in anew. `refused_at` is when it was refused last.
    """

    account: str
    mark: str
    sign_in: str
    refresh_token: str = field(repr=False)
    refused_at: datetime | None = None


class Keeper(Protocol):
    """Keeps one service account's sign-in. All raise TryLaterError while it cannot be reached."""

    async def read(self) -> KeptSignIn:
        """Return what is kept; raises MisconfiguredError where nobody signed in, or what is kept cannot be opened."""
        ...

    async def renewed(self, before: KeptSignIn, refresh_token: str) -> None:
        """Keep another refresh token, unless what is kept is not `before` any more: then that is newer."""
        ...

    async def refused(self, before: KeptSignIn, code: str) -> None:
        """Note that the login host refused `before`, and why."""
        ...
