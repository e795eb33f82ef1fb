"""The guard against guessing: of aliases by those who dial, of passwords by those who ask.

Different guesses count, the same mistake again counts a tenth: a device that dials one wrong number all day is no burglar. Who
goes too far is turned away for a pause. A caller is counted at the address they call from, because names are for anybody to
claim: nobody can have another locked out by guessing in their name from elsewhere. Who guesses from very many addresses, or from
none that the platform tells, cannot be told from the others: that raises an alarm and turns nobody away.

Everything is in memory, bounded, and forgotten with the process. Incidents are handed on by `take`, for storage.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, IPv6Network
from typing import Generic, TypeVar

import structlog

from greenroom.storage import Alarm
from greenroom.web.policy_callers import address_of

V = TypeVar("V")

ALIASES = "policy-alias-guessing"
BY_MANY = "policy-alias-guessing-by-many"
PASSWORDS = "policy-password-guessing"

_MINUTE = timedelta(minutes=1)
_DISTINCT, _AGAIN = 10, 1
_REMEMBERED = 5_000
_WAITING = 1_000
_NEW_A_MINUTE = 50
_OTHERS = "others"
_EVERYWHERE = "everywhere"
_SAME_INCIDENT = timedelta(hours=1)
_V6_HOST = 64
_SCHEMES = ("sips:", "sip:", "h323:", "tel:")


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """How many different wrong guesses a minute are borne; 0 for any number. Who makes more is turned away for `pause`.

    `per_caller` and `per_address` are wrong aliases, by one who dials and by all at one address; `everywhere` are those of all
    together, which only raise an alarm; `passwords` are wrong credentials from one node's address. Raises ValueError for what is
    negative.
    """

    per_caller: int = 10
    per_address: int = 60
    passwords: int = 10
    everywhere: int = 600
    pause: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if min(self.per_caller, self.per_address, self.passwords, self.everywhere) < 0 or self.pause <= timedelta():
            raise ValueError("limits of guesses cannot be negative, and a pause takes its time")


class Guard:
    """Counts and turns away. Use one for all listeners of a process, from one event loop.

    `key` makes the digests that stand for callers in alarms: the same key, the same digest. Without one it is made up.
    """

    def __init__(self, limits: GuessLimits | None = None, *, key: bytes = b"") -> None:
        limits = limits or GuessLimits()
        self._most = {"caller": limits.per_caller, "address": limits.per_address, "password": limits.passwords}
        self._key = hashlib.sha256(key or os.urandom(32)).digest()
        self._tallies: dict[str, _Lately[_Tally]] = {name: _Lately(_REMEMBERED) for name in self._most}
        self._barred: dict[str, _Bars] = {name: _Bars(limits.pause) for name in self._most}
        self._most[_EVERYWHERE], self._tallies[_EVERYWHERE] = limits.everywhere, _Lately(1)
        self._proved: _Lately[bool] = _Lately(_REMEMBERED)
        self._told: _Lately[datetime] = _Lately(_REMEMBERED)
        self._minute, self._new = datetime.min.replace(tzinfo=UTC), 0
        self._untold: dict[tuple[int, str, str], Alarm] = {}

    @property
    def turns_away(self) -> bool:
        """Whether anybody who dials is being turned away; a bar that has just run out may still count."""
        return bool(self._barred["caller"] or self._barred["address"])

    def is_barred(self, caller: str, address: str, now: datetime) -> bool:
        """Whether somebody who dials is to be turned away. If so, this is counted in the incident."""
        barred = False
        for name, key in self._dialling(caller, address):
            if (incident := self._barred[name].incident(key, now)) is not None:
                self._note(incident, 1, now, now)
                barred = True
        return barred

    def guessed(self, caller: str, address: str, alias: str, integration: int, now: datetime) -> None:
        """Count an alias that is none."""
        guess = self._digest(_essence(alias))
        for name, key in self._dialling(caller, address):
            subject = _subject(address, self._digest(caller).hex()[:10] if name == "caller" else "")
            self._count((name, key), guess, (integration, ALIASES, subject), now)
        self._count((_EVERYWHERE, ""), guess, (integration, BY_MANY, "many callers"), now, again=0)

    def is_shut(self, address: str, credential: bytes, now: datetime) -> bool:
        """Whether a credential from a node's address is not even looked at.

        One that was right before, from there, always is: a stranger behind the same proxy cannot shut the nodes out.
        """
        if not self._barred["password"]:
            return False
        incident = self._barred["password"].incident(_site(address), now)
        if incident is None or self._proved.get((_site(address), credential)) is not None:
            return False
        self._note(incident, 1, now, now)
        return True

    def proved(self, address: str, credential: bytes) -> None:
        """Remember that a credential was right."""
        self._proved.put((_site(address), credential), True)

    def mistaken(self, address: str, credential: bytes, now: datetime) -> None:
        """Count a credential that was wrong."""
        identity = (0, PASSWORDS, _subject(address))
        # One wrong password, however often, is a node that was set up wrongly: no alarm, and no waiting once that is corrected.
        self._count(("password", _site(address)), credential, identity, now, again=0)

    def take(self) -> list[Alarm]:
        """Return what happened in incidents since this was asked last."""
        untold, self._untold = self._untold, {}
        return list(untold.values())

    def give_back(self, alarms: Iterable[Alarm]) -> None:
        """Keep what could not be stored, for the next `take`."""
        for alarm in alarms:
            self._note((alarm.integration, alarm.code, alarm.subject), alarm.count, alarm.first_at, alarm.last_at)

    def _dialling(self, caller: str, address: str) -> list[tuple[str, str]]:
        site = _site(address)
        keys = [("caller", f"{site} {self._digest(caller).hex()}")] if caller else []
        return [*keys, ("address", site)] if site else keys

    def _count(
        self, who: tuple[str, str], guess: bytes, incident: tuple[int, str, str], now: datetime, *, again: int = _AGAIN
    ) -> None:
        name, key = who
        most = self._most[name]
        if not most:
            return
        tallies = self._tallies[name]
        tally = tallies.get(key) or _Tally(now)
        tallies.put(key, tally)
        points = tally.add(guess, now, again)
        if points < (most + 1) * _DISTINCT:
            return
        tallies.drop(key)
        incident = self._opened(incident, now)
        if name in self._barred:
            self._barred[name].put(key, incident, now)
        self._note(incident, len(tally.seen), tally.began, now)

    def _opened(self, incident: tuple[int, str, str], now: datetime) -> tuple[int, str, str]:
        """Tell the log of an incident unless it goes on; of more than so many new ones in a minute as of one."""
        told = self._told.get(incident)
        if told is None or not timedelta() <= now - told < _SAME_INCIDENT:
            if not timedelta() <= now - self._minute < _MINUTE:
                self._minute, self._new = now, 0
            self._new += 1
            if self._new > _NEW_A_MINUTE and incident[2] != _OTHERS:
                return self._opened((*incident[:2], _OTHERS), now)
            integration, code, subject = incident
            structlog.get_logger(__name__).error("policy.guessing", code=code, subject=subject, integration=integration)
        self._told.put(incident, now)
        return incident

    def _note(self, incident: tuple[int, str, str], count: int, first: datetime, last: datetime) -> None:
        if len(self._untold) >= _WAITING and incident not in self._untold:
            incident = (*incident[:2], _OTHERS)
        known = self._untold.get(incident) or Alarm(*incident, 0, first, last)
        self._untold[incident] = replace(
            known, count=known.count + count, first_at=min(known.first_at, first), last_at=max(known.last_at, last)
        )

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()


@dataclass(slots=True)
class _Tally:
    """What one guessed in the running minute, and how much of the minute before still counts."""

    began: datetime
    seen: set[bytes] = field(default_factory=set)
    points: int = 0
    before: int = 0

    def add(self, guess: bytes, now: datetime, again: int) -> float:
        """Count a guess; returns the points within the last minute."""
        past = now - self.began
        if not timedelta() <= past < _MINUTE:
            self.before = self.points if _MINUTE <= past < 2 * _MINUTE else 0
            self.began = self.began + _MINUTE if self.before else now
            self.points = 0
            self.seen.clear()
        self.points += again if guess in self.seen else _DISTINCT
        self.seen.add(guess)
        return self.points + self.before * (1 - (now - self.began) / _MINUTE)


class _Lately(Generic[V]):
    """A dictionary that forgets what was not used for longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[object, V] = OrderedDict()

    def get(self, key: object) -> V | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: object, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, key: object) -> None:
        self._kept.pop(key, None)


class _Bars:
    """Who is turned away, since when, and in which incident; the longest barred first."""

    def __init__(self, pause: timedelta) -> None:
        self._pause = pause
        self._kept: OrderedDict[str, tuple[datetime, tuple[int, str, str]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def incident(self, key: str, now: datetime) -> tuple[int, str, str] | None:
        while self._kept and not self._holds(next(iter(self._kept.values()))[0], now):
            self._kept.popitem(last=False)
        since, incident = self._kept.get(key, (None, None))
        return incident if since is not None and self._holds(since, now) else None

    def put(self, key: str, incident: tuple[int, str, str], now: datetime) -> None:
        self._kept[key] = (now, incident)
        self._kept.move_to_end(key)
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)

    def _holds(self, since: datetime, now: datetime) -> bool:
        return abs(now - since) < self._pause  # a clock that was set back must not make a pause of years


def _site(text: str) -> str:
    """Say where somebody is: an address, or of IPv6 the /64 that one household or host has to itself; empty if it is neither."""
    address = address_of(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> _V6_HOST << _V6_HOST, _V6_HOST)))
    return "" if address is None else str(address)


def _subject(address: str, caller: str = "") -> str:
    """Name somebody in an alarm: the address whole, for it is what can be acted upon; the caller only as a digest."""
    site = _site(address)
    if not caller:
        return f"address {site or 'unknown'}"
    return f"caller {caller} at {site}" if site else f"caller {caller}"


def _essence(alias: str) -> str:
    """Reduce spellings of one guess to one: `sip:123@a.example` and `123` try the same door."""
    text = alias.strip().lower()
    for scheme in _SCHEMES:
        text = text.removeprefix(scheme)
    return text.partition("@")[0]
