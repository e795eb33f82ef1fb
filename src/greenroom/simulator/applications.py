"""Applications registered in the tenant: how they prove themselves at the token endpoint, and what they may open."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Federation:
    """A federated credential: assertions of this issuer about this subject count, signed with this key (PEM, public)."""

    issuer: str
    subject: str
    key: str


@dataclass(frozen=True, slots=True)
class Application:
    """One application. `scope` are the mailboxes RBAC for Applications lets it into (primary addresses); None: all.

    `certificate` is PEM text, `secret_expires` aware UTC (None: never). `ews`: it has full_access_as_app, over `scope`.
    `public`: users may sign in through it without a secret.
    """

    client_id: str
    secret: str | None = field(default=None, repr=False)
    secret_expires: datetime | None = None
    certificate: str | None = field(default=None, repr=False)
    federation: Federation | None = None
    scope: tuple[str, ...] | None = None
    ews: bool = False
    public: bool = False
