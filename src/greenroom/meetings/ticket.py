"""Tickets: the short signed line by which an invitation proves and describes its reservation.

Printed as `GRM-20003-3CVK1-...`: a prefix and forty characters of Crockford base32, in groups of five. They are 25 bytes:

```
 0      version (high four bits), key id (low four)
 1- 2   integration number
 3- 9   alias number
10      print of the signing key (high six bits), options (low two)
11-14   time of issue, seconds since 1970 (until 2106)
15-24   MAC: HMAC-SHA256 over prefix and bytes 0 to 14, cut to 80 bits
```

The calendar alone is enough: judging a ticket needs the key ring and no database.

The print is a number from 1 to 63 that follows from the key. Where a MAC does not fit, it tells the ticket of another installation,
which has the same prefix and integration number by chance, from one that somebody made up of ours. It proves nothing, and of 63
other installations one has the same. Tickets of the first versions have no print: 0.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from greenroom.meetings import crockford
from greenroom.meetings.ticket_finder import PAYLOAD_LENGTH, find_tickets, grouped, prefix_of

VERSION: Final = 1
NUMBER_LIMIT: Final = 10**15  # fifteen digits is the longest an AliasPlan draws
MINIMUM_KEY_BYTES: Final = 32
OFFLINE: Final = 1
"""Option of a ticket that is a promise: written while nobody answered, with no alias behind it."""
PERSONAL: Final = 2
"""Option of a ticket that names no room of ours: the meeting takes place in somebody's own."""
_OPTIONS: Final = 4  # two bits
_PRINTS: Final = 63
_MAC_BYTES: Final = 10
_FIELDS: Final = struct.Struct(">BH7sBI")
_BYTE: Final = 256


class TicketFault(StrEnum):
    """Why a ticket is not accepted, gravest last."""

    MALFORMED = "malformed"  # not forty characters of the alphabet behind the prefix
    FOREIGN = "foreign"  # well-formed, but of another version, another integration or another installation
    FORGED = "forged"  # ours by its number and the print of its key, but its MAC does not fit


_GRAVITY: Final = list(TicketFault)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a genuine ticket says. `issued_at` is aware, in UTC, whole seconds; `options` are OFFLINE, PERSONAL."""

    integration: int
    number: int
    options: int
    issued_at: datetime
    key_id: int

    @property
    def is_promise(self) -> bool:
        """Whether it was written while nobody answered: the meeting shall have a room, of which nothing is known yet."""
        return bool(self.options & OFFLINE) and not self.is_personal

    @property
    def is_personal(self) -> bool:
        """Whether the meeting takes place in somebody's own room."""
        return bool(self.options & PERSONAL)

    @property
    def names_alias(self) -> bool:
        """Whether `number` is that of an alias; else it only tells this ticket from others."""
        return not self.is_promise and not self.is_personal


class KeyRing:
    """The keys of one integration, from which tickets, PINs and join ids are made.

    `keys` are by id, 0 to 15, each of 32 bytes or more; `current` (default: the first of the mapping) issues. A key that has
    ever issued stays in the ring as long as its tickets shall be believed. `prefix` is a letter and 1 to 7 letters or digits,
    `integration` 0 to 65535. Raises ValueError for anything else, without a byte of a key.
    """

    def __init__(self, prefix: str, integration: int, keys: Mapping[int, bytes], current: int | None = None) -> None:
        self._prefix = prefix_of(prefix)
        if not 0 <= integration < _BYTE**2:
            raise ValueError("an integration number is 0 to 65535")
        if not keys or not all(0 <= key_id < 16 for key_id in keys):  # noqa: PLR2004 - four bits
            raise ValueError("a key ring holds 1 to 16 keys with ids 0 to 15")
        if any(len(key) < MINIMUM_KEY_BYTES for key in keys.values()):
            raise ValueError(f"a key has at least {MINIMUM_KEY_BYTES} bytes")
        self._current = next(iter(keys)) if current is None else current
        if self._current not in keys:
            raise ValueError("the current key is one of the ring")
        self._integration = integration
        self._keys = dict(keys)
        self._macs = {key_id: self.secret(key_id, "ticket") for key_id in keys}
        self._prints = {key_id: 1 + self.secret(key_id, "print")[0] % _PRINTS for key_id in keys}

    def __repr__(self) -> str:
        return f"KeyRing({self._prefix!r}, {self._integration}, ids={sorted(self._keys)})"

    @property
    def current(self) -> int:
        """Id of the key that issues: what `Record.alias_key` keeps."""
        return self._current

    @property
    def prefix(self) -> str:
        """The prefix, upper case."""
        return self._prefix

    @property
    def integration(self) -> int:
        """The number of the integration, as tickets carry it."""
        return self._integration

    def issue(self, number: int, issued_at: datetime, options: int = 0, *, key_id: int | None = None) -> str:
        """Write a ticket as it is printed. The same arguments give the same ticket; `key_id` None takes the current key.

        Raises ValueError for a number of more than fifteen digits, options beyond two bits, a naive time or one past 2106,
        KeyError for a key the ring does not hold.
        """
        key_id = self._current if key_id is None else key_id
        if not 0 <= number < NUMBER_LIMIT or not 0 <= options < _OPTIONS:
            raise ValueError("an alias number has at most 15 digits and options are two bits")
        if issued_at.tzinfo is None or not 0 <= issued_at.timestamp() < _BYTE**4:
            raise ValueError("the time of issue is aware and between 1970 and 2106")
        head = VERSION << 4 | key_id
        flags = self._prints[key_id] * _OPTIONS + options
        body = _FIELDS.pack(head, self._integration, number.to_bytes(7, "big"), flags, int(issued_at.timestamp()))
        return grouped(self._prefix, crockford.encode(body + self._mac(key_id, body)))

    def verify(self, text: str) -> Ticket | TicketFault:
        """Judge one candidate, printed or as `find_tickets` gives it. Never raises."""
        payload = _payload(text, self._prefix)
        if payload is None:
            return TicketFault.MALFORMED
        body, mac = payload[:-_MAC_BYTES], payload[-_MAC_BYTES:]
        head, integration, number, flags, issued = _FIELDS.unpack(body)
        if head >> 4 != VERSION or integration != self._integration:
            return TicketFault.FOREIGN
        key_id = head & 15
        print_of_key, options = divmod(flags, _OPTIONS)
        if key_id not in self._keys or not hmac.compare_digest(mac, self._mac(key_id, body)):
            mine = [self._prints[key_id]] if key_id in self._keys else self._prints.values()
            return TicketFault.FORGED if print_of_key in (0, *mine) else TicketFault.FOREIGN
        return Ticket(integration, int.from_bytes(number, "big"), options, datetime.fromtimestamp(issued, UTC), key_id)

    def read(self, text_or_html: str) -> Ticket | TicketFault | None:
        """Find and judge: the first genuine ticket of a text, else the gravest fault, None where nothing looks like one."""
        gravest = -1
        for candidate in find_tickets(text_or_html, self._prefix):
            verdict = self.verify(candidate)
            if isinstance(verdict, Ticket):
                return verdict
            gravest = max(gravest, _GRAVITY.index(verdict))
        return None if gravest < 0 else _GRAVITY[gravest]

    def secret(self, key_id: int, purpose: str) -> bytes:
        """Derive the sub-key of a purpose ("pin", "join", ...) from one key; KeyError for an id the ring does not hold.

        Two purposes, and two integrations that were given the same key, have sub-keys that tell nothing of each other.
        """
        context = f"greenroom\0{self._integration}\0{purpose}"
        return hmac.new(self._keys[key_id], context.encode(), hashlib.sha256).digest()

    def _mac(self, key_id: int, body: bytes) -> bytes:
        return hmac.digest(self._macs[key_id], self._prefix.encode() + b"\0" + body, "sha256")[:_MAC_BYTES]


def _payload(text: str, prefix: str) -> bytes | None:
    folded = crockford.fold(text.strip())
    mine = crockford.fold(prefix)
    if len(folded) > 2 * (PAYLOAD_LENGTH + len(prefix)) or not folded.startswith(mine):
        return None
    payload = folded[len(mine) :].replace("-", "")
    if len(payload) != PAYLOAD_LENGTH:
        return None
    try:
        return crockford.decode(payload)
    except ValueError:
        return None
