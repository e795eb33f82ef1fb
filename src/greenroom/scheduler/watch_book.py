"""What the database knows of a mailbox's marks: the tokens that were ours, how we stand, and whom we met.

It is one of the installation's facts, by mailbox; `greenroom status` reads it. A database that is restored from a backup must not
bring it back (`forget_watches`): the tokens are those of the process that it was taken from, which may be alive.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from greenroom.scheduler.case import Clock
from greenroom.storage import Alarm, Storage, Work
from greenroom.storage.facts import INSTALLATION, WATCHES

_TOKENS = 64
"""So many of our own marks are recognised: one that was written late is not taken for another's."""
_LONGEST = 300


class WatchStanding(StrEnum):
    """How this installation stands towards the others on a mailbox."""

    UNKNOWN = "unknown"  # nobody looked yet
    HOLDS = "holds"  # the mark is ours
    UNSETTLED = "unsettled"  # somebody else starts as well; it will be clear in a moment
    KEPT_OUT = "kept-out"  # another one attends the mailbox
    UNGUARDED = "unguarded"  # no mark may be left there: a second one would not be noticed


@dataclass(frozen=True, slots=True)
class Other:
    """Another Greenroom. `copy`: it works with a copy of our own database. `since` and `seen`: first and last time it was met."""

    installation: str
    host: str
    copy: bool
    since: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class Watch:
    """How a mailbox is watched: our standing and since when, who keeps us out, and who would like to attend it as well."""

    standing: WatchStanding = WatchStanding.UNKNOWN
    since: datetime | None = None
    by: Other | None = None
    contender: Other | None = None
    tokens: tuple[str, ...] = field(default=(), repr=False)

    def write(self) -> str:
        """Write it for the database."""
        return json.dumps(
            {
                "standing": self.standing.value,
                "since": None if self.since is None else self.since.isoformat(),
                "by": _other_json(self.by),
                "contender": _other_json(self.contender),
                "tokens": self.tokens,
            }
        )

    @classmethod
    def read(cls, text: str | None) -> Self:
        """Read what `write` wrote; anything else is as if nothing were known."""
        try:
            stored = json.loads(text or "{}")
            return cls(
                WatchStanding(stored.get("standing", WatchStanding.UNKNOWN)),
                _time(stored.get("since")),
                _other(stored.get("by")),
                _other(stored.get("contender")),
                tuple(str(token)[:_LONGEST] for token in stored.get("tokens", ()))[-_TOKENS:],
            )
        except (ValueError, TypeError, AttributeError, KeyError):
            return cls()


def fact_of(address: str) -> str:
    """Name the fact of a mailbox; an address may be longer than a name."""
    return WATCHES + hashlib.sha256(address.encode()).hexdigest()[:32]


async def forget_watches(work: Work) -> None:
    """Forget all that is known of marks: for a database that was restored from a backup."""
    await work.facts.drop(WATCHES)


async def watch_of(work: Work, address: str) -> Watch:
    """Read how a mailbox is watched, as it was noted last."""
    return Watch.read(await work.facts.get(fact_of(address)))


class WatchBook:
    """The book of one mailbox. `number` is the integration's, for alarms."""

    def __init__(self, storage: Storage, address: str, number: int, clock: Clock) -> None:
        self._storage = storage
        self._fact = fact_of(address)
        self._number = number
        self._clock = clock
        self._installation: str | None = None

    async def installation(self) -> str:
        """Return the random id of this installation; it is made once for all of its processes."""
        if self._installation is None:
            async with self._storage.work() as work:
                self._installation = await work.facts.put_first(INSTALLATION, secrets.token_hex(16))
        return self._installation

    async def tokens(self, new: int) -> tuple[list[str], frozenset[str]]:
        """Store so many new tokens, before anything is written with them; returns them, and all that are ours."""
        fresh = [secrets.token_hex(8) for _ in range(new)]
        async with self._storage.work() as work:
            watch = Watch.read(await work.facts.get(self._fact))
            tokens = (*watch.tokens, *fresh)[-_TOKENS:]
            await work.facts.put(self._fact, replace(watch, tokens=tokens).write())
        return fresh, frozenset(tokens)

    async def note(self, standing: WatchStanding, by: Other | None, contender: Other | None) -> None:
        """Store how we stand; since when stays as long as it is the same."""
        async with self._storage.work() as work:
            watch = Watch.read(await work.facts.get(self._fact))
            since = watch.since if watch.standing is standing and watch.since is not None else self._clock()
            changed = replace(watch, standing=standing, since=since, by=by, contender=contender)
            if changed != watch:
                await work.facts.put(self._fact, changed.write())

    async def alarm(self, code: str, subject: str) -> None:
        """Note an incident."""
        now = self._clock()
        async with self._storage.work() as work:
            await work.alarms.note([Alarm(self._number, code, subject, 1, now, now)])


def _other_json(other: Other | None) -> dict[str, Any] | None:
    if other is None:
        return None
    return {
        "installation": other.installation,
        "host": other.host,
        "copy": other.copy,
        "since": other.since.isoformat(),
        "seen": other.seen.isoformat(),
    }


def _other(stored: Any) -> Other | None:
    if stored is None:
        return None
    since, seen = _time(stored["since"]), _time(stored["seen"])
    if since is None or seen is None:
        return None
    return Other(
        str(stored["installation"])[:_LONGEST], str(stored["host"])[:_LONGEST], bool(stored["copy"]), since, seen
    )


def _time(stored: Any) -> datetime | None:
    if stored is None:
        return None
    at = datetime.fromisoformat(str(stored))
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
