"""Tickets: the short signed line by which an invitation proves and describes its reservation (signatures; body follows)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TicketFault(StrEnum):
    """Why a ticket is not accepted."""

    MALFORMED = "malformed"  # not forty characters of the alphabet behind the prefix
    FOREIGN = "foreign"  # well-formed, but of another version or another integration
    FORGED = "forged"  # ours by its number, but its MAC does not fit


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a genuine ticket says. `issued_at` is aware, in UTC, whole seconds; `options` is one byte for later use."""

    integration: int
    number: int
    options: int
    issued_at: datetime
    key_id: int


class KeyRing:
    """The keys of one integration: `keys` by id (0 to 15, 32 bytes or more each); `current` (default: the first) issues."""

    def __init__(self, prefix: str, integration: int, keys: Mapping[int, bytes], current: int | None = None) -> None:
        raise NotImplementedError

    @property
    def current(self) -> int:
        """Id of the key that issues: what `Record.alias_key` keeps."""
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        """The prefix, upper case."""
        raise NotImplementedError

    def issue(self, number: int, issued_at: datetime, options: int = 0) -> str:
        """Write a ticket for an alias number, as it is printed."""
        raise NotImplementedError

    def verify(self, text: str) -> Ticket | TicketFault:
        """Judge one candidate."""
        raise NotImplementedError

    def read(self, text_or_html: str) -> Ticket | TicketFault | None:
        """Find and judge: the first genuine ticket in a text, else the gravest fault found, None where there is no candidate."""
        raise NotImplementedError

    def secret(self, key_id: int, purpose: str) -> bytes:
        """Derive the sub-key of a purpose ("pin", "join", ...) from one key; KeyError for an id the ring does not hold."""
        raise NotImplementedError


def find_tickets(text_or_html: str, prefix: str) -> list[str]:
    """Find what looks like tickets, normalised as `issue` prints them, in order of appearance, each once, at most 64."""
    raise NotImplementedError
