"""Aliases people dial, numeric aliases they key in, PINs and join ids.

An alias is `<prefix><number>` with a fixed count of digits, and `@<domain>` where one is set. The number is drawn from a CSPRNG
at reservation and travels in the ticket, so the calendar alone gives it back. PINs and join ids are MACs over the alias, so
that a recovery gives the same ones without a database.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

PIN_DIGITS = 6
MAX_DIGITS = 15
_JOIN_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Alias:
    """What an endpoint dials (`name`, with domain) and what a telephone caller keys in (`numeric`, digits only)."""

    number: int
    name: str
    numeric: str


@dataclass(frozen=True, slots=True)
class AliasPlan:
    """How aliases of one integration look: `prefix` of 0 to 8 characters, 5 to 15 `digits`, an optional `domain`."""

    prefix: str = ""
    digits: int = 9
    domain: str = ""

    def alias(self, number: int) -> Alias:
        """Spell out an alias number of at most 15 digits (else ValueError).

        Drawn numbers never begin with a zero, so an alias stays what it was when `digits` changes later.
        """
        if not 0 <= number < 10**MAX_DIGITS:
            raise ValueError(f"an alias number has at most {MAX_DIGITS} digits")
        digits = f"{number:0{self.digits}d}"
        numeric = "".join(c for c in self.prefix if c.isascii() and c.isdigit()) + digits
        name = f"{self.prefix}{digits}" + (f"@{self.domain}" if self.domain else "")
        return Alias(number, name, numeric)

    def number_of(self, dialled: Iterable[str]) -> int | None:
        """Return the number that this plan spells as one of these aliases, in capitals or not; None if it spells none of them."""
        for text in dialled:
            digits = text.partition("@")[0].lower().removeprefix(self.prefix.lower())
            if digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS:
                mine = self.alias(int(digits))
                if mine.name.lower() == text.lower():
                    return mine.number
        return None

    def draw(self) -> Alias:
        """Draw a new alias from the operating system's CSPRNG; it never begins with a zero."""
        low = 10 ** (self.digits - 1)
        return self.alias(low + secrets.randbelow(10**self.digits - low))


def pin(secret: bytes, alias: Alias, role: str) -> str:
    """Derive a PIN of six digits for a role ("host" or "guest") from a MAC over the alias number.

    Host and guest PINs of one alias differ; the first digit may be zero.
    """
    mine = _pin(secret, alias, role)
    if role == "guest" and mine == _pin(secret, alias, "host"):
        return f"{(int(mine) + 1) % 10**PIN_DIGITS:0{PIN_DIGITS}d}"
    return mine


def join_id(secret: bytes, alias: Alias) -> str:
    """Derive the id of the stable join page: 16 characters, 80 bits, not guessable from the alias."""
    mac = hmac.new(secret, f"join\0{alias.number}".encode(), hashlib.sha256).digest()
    value = int.from_bytes(mac[:10], "big")
    return "".join(_JOIN_ALPHABET[value >> shift & 31] for shift in range(75, -1, -5))


def _pin(secret: bytes, alias: Alias, role: str) -> str:
    mac = hmac.new(secret, f"pin\0{role}\0{alias.number}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(mac[:8], 'big') % 10**PIN_DIGITS:0{PIN_DIGITS}d}"
