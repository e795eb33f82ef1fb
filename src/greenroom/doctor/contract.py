"""What the doctor's checks return, and what they are given."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Protocol

from greenroom.exchange.errors import ExchangeError
from greenroom.platforms.errors import PlatformError
from greenroom.settings import Integration
from greenroom.storage import StorageError

Side = Literal["exchange", "organizers"]
"""Which Exchange of an integration, by the name of its table."""


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

    Its findings may have further names, those in `tells`: one connection shows name, certificate and clock. `needs` are names of
    checks or findings whose WRONG makes this one pointless: it is told as UNKNOWN then, as it is if they took too long. A bare name
    means one of the same subject, `name@subject` one of another. Only checks that stand earlier in the list are waited for.

    `silence` is why it matters if it gives no answer in time: that is WRONG then, for something without which nothing works must
    not end as UNKNOWN, with which the command succeeds.
    """

    name: str
    subject: str
    look: Callable[[], Awaitable[list[Finding]]]
    patience: timedelta = timedelta(seconds=8)
    needs: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    silence: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names its findings may have."""
        return (self.name, *self.tells)

    def needed(self) -> frozenset[tuple[str, str]]:
        """Return name and subject of what it needs."""
        parted = (need.partition("@") for need in self.needs)
        return frozenset((name, subject or self.subject) for name, _, subject in parted)


@dataclass(frozen=True, slots=True)
class Told:
    """An error in words: what happened, and what to do about it."""

    what: str
    mend: str


class Explain(Protocol):
    """Who turns errors into sentences, the same ones for every command."""

    def exchange(self, error: ExchangeError, entry: Integration, side: Side) -> Told:
        """Say what is wrong towards an Exchange."""
        ...

    def platform(self, error: PlatformError) -> Told:
        """Say what is wrong with the video platform."""
        ...

    def storage(self, error: StorageError) -> Told:
        """Say what is wrong with the database."""
        ...


def chosen(checks: Iterable[Check], only: Iterable[str]) -> list[Check]:
    """Return the checks that tell anything by these names (all, without names), and what they need, in their order.

    `tls` means `tls-chain` as well.
    """
    all_of_them, names = list(checks), tuple(only)
    if not names:
        return all_of_them
    wanted: set[int] = set()
    needed: set[tuple[str, str]] = set()
    for place in range(len(all_of_them) - 1, -1, -1):  # what is needed stands before what needs it
        check = all_of_them[place]
        named = any(is_called(name, names) for name in check.names)
        if named or any((name, check.subject) in needed for name in check.names):
            wanted.add(place)
            needed |= check.needed()
    return [all_of_them[place] for place in sorted(wanted)]


def is_called(name: str, names: Iterable[str]) -> bool:
    """Whether a name is one of `names`, or begins with one of them and a hyphen."""
    return any(name == one or name.startswith(f"{one}-") for one in names)
