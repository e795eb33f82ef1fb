"""Which keys of a ring are needed, and how long: `greenroom keys`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.storage import Work
from greenroom.storage.key_use import KeyUse

KEY_IDS = range(16)


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """One key of an integration.

    `is_held`: it is in the configuration. `is_current`: it issues. `free_after`: nothing needs it any more after that; None for the
    current one, for one that seals a sign-in or made an endless series, and for one whose meetings have no known end.
    """

    use: KeyUse
    is_held: bool
    is_current: bool
    free_after: datetime | None

    @property
    def id(self) -> int:
        """Its id."""
        return self.use.key_id

    @property
    def is_used(self) -> bool:
        """Whether something that lives was made with it."""
        return bool(self.use.meetings or self.use.reservations or self.use.sign_ins)

    def is_free(self, now: datetime) -> bool:
        """Whether it may be removed."""
        return self.is_held and not self.is_current and self.free_after is not None and self.free_after <= now


async def key_standings(
    work: Work, number: int, ring: Sequence[int], now: datetime, *, after: timedelta, promises: timedelta
) -> list[KeyStanding]:
    """Say how every key stands: those of the ring (the current one first), then those that something needs and nobody has.

    `after` is how long rooms are open after their meetings. `promises` is for how long add-ins may still use what a key signed and
    nobody stored: the line that they write while nobody answers. That time begins when another key is seen to issue.
    """
    uses = await work.key_uses.of(number, now)
    current = uses.get(ring[0], KeyUse(ring[0]))
    found = []
    for key_id in ring:
        use = uses.get(key_id, KeyUse(key_id))
        is_current = key_id == ring[0]
        free_after = None if is_current else _free_after(use, current, now, after, promises)
        found.append(KeyStanding(use, is_held=True, is_current=is_current, free_after=free_after))
    lost = [
        use for key_id, use in uses.items() if key_id not in ring and (use.meetings or use.reservations or use.sign_ins)
    ]
    found += [KeyStanding(use, is_held=False, is_current=False, free_after=None) for use in lost]
    return found


def free_id(standings: Sequence[KeyStanding]) -> int | None:
    """Choose the id of a new key: the next one behind the current that nothing was made with; None if there is none."""
    taken = {one.id for one in standings}
    begin = standings[0].id + 1
    return next((one % 16 for one in range(begin, begin + 16) if one % 16 not in taken), None)


def _free_after(use: KeyUse, current: KeyUse, now: datetime, after: timedelta, promises: timedelta) -> datetime | None:
    if (
        use.sign_ins
        or use.endless
        or (use.meetings and use.latest_end is None)
        or (use.reservations and use.waits_until is None)
    ):
        return None
    ends = [] if use.latest_end is None else [use.latest_end + after]
    if use.waits_until is not None:
        ends.append(use.waits_until)
    if promises:
        replaced_at = now if current.first_at is None else current.first_at
        ends.append(max(replaced_at, use.last_at or replaced_at) + promises)
    return max(ends, default=now)
