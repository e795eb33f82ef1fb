"""What can go wrong towards Exchange, sorted by what the caller should do.

```
ExchangeError
├── TryLaterError        wait (at least `after`) and do it again; nothing happened
├── OutcomeUnknownError  the request went out, no answer came: look before repeating
├── SignInError          the credentials were refused: stop and tell; never retried in a loop (accounts lock)
├── NotPermittedError    signed in, but not allowed for this mailbox: skip it, or tell
├── ItemGoneError        this item is no longer there: look again
├── ItemBrokenError      this item cannot be read: skip it, say so
├── CursorExpiredError   the place in the feed is not known any more: start the feed anew
└── MisconfiguredError   the address, certificate or setting is wrong: stop and tell the administrator
```

Texts name codes, hosts and mailbox addresses, never content.
"""

from datetime import timedelta


class ExchangeError(Exception):
    """Something went wrong towards Exchange. `code` is Exchange's own response code or our short word."""

    def __init__(self, message: str, *, code: str = "", mailbox: str | None = None) -> None:
        """Keep the code and the mailbox beside the sentence for whoever acts on it."""
        super().__init__(message)
        self.code = code
        self.mailbox = mailbox


class TryLaterError(ExchangeError):
    """Exchange is busy or out of reach. Nothing happened; wait `after` if it is given, else as usual."""

    def __init__(
        self, message: str, *, after: timedelta | None = None, code: str = "", mailbox: str | None = None
    ) -> None:
        """Keep how long Exchange asked us to wait."""
        super().__init__(message, code=code, mailbox=mailbox)
        self.after = after


class OutcomeUnknownError(TryLaterError):
    """A request that changes something went out and no whole answer came back. Look first, then repeat."""


class SignInError(ExchangeError):
    """User name, password or token was refused. Do not repeat by yourself: accounts lock."""


class NotPermittedError(ExchangeError):
    """The account signed in but lacks a right, such as impersonation of this mailbox."""


class ItemGoneError(ExchangeError):
    """The item was moved, replaced or deleted meanwhile."""


class ItemBrokenError(ExchangeError):
    """This one item cannot be read or answered; the others can."""


class CursorExpiredError(ExchangeError):
    """The sync state is not accepted any more; begin with an empty cursor."""


class MisconfiguredError(ExchangeError):
    """A setting is wrong and waiting will not help. `hint` says what to do next."""

    def __init__(self, message: str, *, hint: str = "", code: str = "", mailbox: str | None = None) -> None:
        """Keep the next step for the administrator."""
        super().__init__(message, code=code, mailbox=mailbox)
        self.hint = hint
