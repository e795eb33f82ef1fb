"""Looking at meetings again, a hundred at a time: what a list or a record names is read, and goes through the normal pass."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import ItemGoneError
from greenroom.meetings.meeting import ItemRef, Kind, MeetingKey, Observation
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.case import Case
from greenroom.scheduler.integration import Integration, Manner

SLICE = 100
_RANK = {Kind.SERIES: 0, Kind.SINGLE: 1, Kind.OCCURRENCE: 2}


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one slice. `unread` counts items that could not be read now, `gone` those that are not there any more."""

    cases: tuple[Case, ...]
    unread: int
    gone: tuple[ItemRef, ...]


async def take_up_again(
    integration: Integration, attendant: Attendant, refs: Sequence[ItemRef], manner: Manner
) -> AsyncIterator[Taken]:
    """Read these items now and bring their meetings to where they should be; yields after every slice.

    Raises ExchangeError when nothing can be read at all. What was done until then is stored.
    """
    for start in range(0, len(refs), SLICE):
        found = await integration.mailbox.read(refs[start : start + SLICE])
        broken = [one for one in found if isinstance(one, Unreadable) and one.error is not None]
        gone = tuple(one.ref for one in broken if isinstance(one.error, ItemGoneError))
        observations = one_per_meeting(one for one in found if isinstance(one, Observation))
        cases = await attendant.take_up(observations, manner=manner) if observations else []
        yield Taken(tuple(cases), len(broken) - len(gone), gone)


def one_per_meeting(observations: Iterable[Observation]) -> list[Observation]:
    """Keep one observation a meeting, in the order in which they came: the series before its lone occurrence."""
    best: dict[MeetingKey, Observation] = {}
    for one in observations:
        other = best.get(one.key)
        if other is None or _RANK[one.kind] < _RANK[other.kind]:
            best[one.key] = one
    return list(best.values())
