"""What the doctor's checks return, and what they are given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    """How one thing is. Only WRONG makes the command fail."""

    WELL = "well"
    NOTE = "note"  # good to know, or something that will be wrong one day
    WRONG = "wrong"
    UNKNOWN = "unknown"  # could not be looked at; `what` says why


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    `check` is short and stable (`tls-chain`), for scripts and for the troubleshooting table; `subject` names what was looked at (a
    mailbox, a host, an integration). `what` is one sentence of what was found, `why` why that matters, `mend` what to do: a
    command wherever there is one. All three are free of secrets, subjects and bodies.
    """

    check: str
    subject: str
    state: State
    what: str
    why: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it is called, and how it is done. It ends by itself, or is ended after `patience`.

    `needs` are names of checks of the same subject whose WRONG makes this one pointless: it is told as UNKNOWN then.
    """

    name: str
    subject: str
    look: Callable[[], Awaitable[list[Finding]]]
    patience: timedelta = timedelta(seconds=8)
    needs: tuple[str, ...] = ()
