"""How often somebody may ask the add-in's API: people by what they have asked for, addresses by the bad tokens that came from them.

All is in memory, of one process, bounded, and forgotten with it.
"""

import hashlib
from collections import OrderedDict
from datetime import datetime
from ipaddress import IPv6Address

from greenroom.web.policy_callers import address_of

BAD_TOKENS = 120
"""So many refused tokens a minute are borne from one address (of IPv6: from one /64), behind which may be a whole organisation."""

_MINUTE = 60.0
_V6_HOST = 64


class Buckets:
    """Token buckets by key: full at first, and filled again within a minute. Of `most` keys the least used are forgotten."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._left: OrderedDict[object, tuple[float, datetime]] = OrderedDict()

    def take(self, key: object, cost: int, per_minute: int, now: datetime) -> float:
        """Take from a bucket that holds `per_minute`; returns 0, or in how many seconds there is enough, and then takes nothing.

        What costs more than the bucket holds is let through when it is full.
        """
        left = self._filled(key, per_minute, now)
        wanted = min(cost, per_minute)
        if left < wanted:
            self._keep(key, left, now)
            return (wanted - left) * _MINUTE / per_minute
        self._keep(key, left - wanted, now)
        return 0.0

    def wait(self, key: object, per_minute: int, now: datetime) -> float:
        """Return in how many seconds there is something in a bucket; 0 where there is."""
        if key not in self._left:
            return 0.0
        return max(0.0, (1 - self._filled(key, per_minute, now)) * _MINUTE / per_minute)

    def _filled(self, key: object, per_minute: int, now: datetime) -> float:
        left, since = self._left.get(key, (float(per_minute), now))
        passed = max(0.0, (now - since).total_seconds())  # a clock that was set back fills nothing
        return min(float(per_minute), left + passed * per_minute / _MINUTE)

    def _keep(self, key: object, left: float, now: datetime) -> None:
        self._left[key] = left, now
        self._left.move_to_end(key)
        if len(self._left) > self._most:
            self._left.popitem(last=False)


class BadTokens:
    """Turns addresses away from which too many bad tokens came, before anything is checked.

    A token that was good when it last came from there is looked at: a stranger behind the same proxy cannot shut out those who are
    at work.
    """

    def __init__(self, per_minute: int = BAD_TOKENS, most: int = 20_000) -> None:
        self._per_minute = per_minute
        self._most = most
        self._buckets = Buckets(most)
        self._proved: OrderedDict[bytes, None] = OrderedDict()

    def wait(self, address: str, authorization: str, now: datetime) -> float:
        """Return in how many seconds this may be looked at; 0 for now."""
        seconds = self._buckets.wait(site_of(address), self._per_minute, now)
        return seconds if seconds and _digest(address, authorization) not in self._proved else 0.0

    def mistaken(self, address: str, authorization: str, now: datetime) -> None:
        """Count a token that was refused, and forget that it was good before: it has expired."""
        self._proved.pop(_digest(address, authorization), None)
        self._buckets.take(site_of(address), 1, self._per_minute, now)

    def proved(self, address: str, authorization: str) -> None:
        """Remember that a token was good, as a digest."""
        digest = _digest(address, authorization)
        self._proved[digest] = None
        self._proved.move_to_end(digest)
        if len(self._proved) > self._most:
            self._proved.popitem(last=False)


def _digest(address: str, authorization: str) -> bytes:
    text = f"{site_of(address)} {authorization}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def site_of(text: str) -> str:
    """Say where somebody is: an address, or of IPv6 the /64 that one household or host has to itself."""
    address = address_of(text)
    if isinstance(address, IPv6Address):
        return f"{int(address) >> _V6_HOST:x}/64"
    return str(address)
