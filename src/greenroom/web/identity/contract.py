"""The contract of every way to prove who one is.

```
TokenRefusedError          the token is not good enough; sign in again, or ask an administrator (`reason`)
IdentityUnavailableError   whether it is good cannot be found out now (keys cannot be fetched); try again
```
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class Refusal(StrEnum):
    """Why a token is refused: what stands in the journal. Whoever sent it is told no more than `token-refused` or `not-allowed`."""

    MISSING = "missing"
    SCHEME = "scheme"  # no such kind of token is taken here
    TOO_LONG = "too-long"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    KEY_UNKNOWN = "key-unknown"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    TENANT = "tenant"
    CLIENT = "client"
    SCOPE = "scope"
    APP_ONLY = "app-only"
    VERSION = "version"
    METADATA_ADDRESS = "metadata-address"  # the token names another Exchange than the configured ones
    USER = "user"  # nothing in it says who this is
    NOT_A_MEMBER = "not-a-member"  # the one case in which the token is good and its owner may not


class TokenRefusedError(Exception):
    """A token is refused. `detail` is for an administrator: expected and received audience and the like, never the token."""

    def __init__(self, reason: Refusal, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


class IdentityUnavailableError(Exception):
    """Keys or metadata cannot be fetched now. The text is a code; `after` says when to try again."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.after = after


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `user` is an opaque digest that stays the same for this person (32 hex digits), for limits and the journal.

    `email` is there only where the token's issuer vouches for it; nothing but personal rooms may depend on it.
    """

    kind: str  # "entra", "exchange" or "oidc"
    user: str
    email: str | None = field(default=None, repr=False)


class TokenCheck(Protocol):
    """Checks the tokens of one integration."""

    async def check(self, authorization: str | None) -> Caller:
        """Judge the value of an Authorization header: "Bearer <jwt>" (Entra, OpenID Connect) or "Exchange <jwt>".

        Raises TokenRefusedError or IdentityUnavailableError.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
