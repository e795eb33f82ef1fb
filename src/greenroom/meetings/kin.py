"""Meetings that belong together though their keys differ: a series and its single occurrences, and a series cut in two.

```
 OCCURRENCES   the equipment is invited to single occurrences of a series, or to them before or besides the whole
 SPLIT         "this and following": Outlook ends the old series and makes a new one, with a new key and the copied text
```

Kin may share a room: what people read in the invitation stays true. Nobody else gets it: the organizer must be known and the same,
for a series' id and its ticket stand in every invitation, and who shares a room is let in at times of his own. A split is one only
if it is never in the time of any meeting that has the room; everything else that brings a ticket twice is a copy.

The organizer is whom Exchange names. Who may claim to be that in mail from outside, its own settings say (the mailbox's
ProcessExternalMeetingMessages and RequireSenderAuthenticationEnabled).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from greenroom.meetings.meeting import Kind, Observation
from greenroom.meetings.record import Record, State
from greenroom.meetings.recurrence import Occurrences, Series

LIVING = (State.PENDING, State.SCHEDULED, State.DEFECTIVE)
_PATIENCE = timedelta(minutes=2)


class Kinship(StrEnum):
    """How two meetings belong together. The value is journalled."""

    OCCURRENCES = "occurrences"
    SPLIT = "split"
    UNSETTLED = "unsettled"  # perhaps a split of which the other half has not come yet


@dataclass(frozen=True, slots=True)
class Kin:
    """The meeting whose room may be shared, and why."""

    record: Record
    how: Kinship


def kin_of(
    observation: Observation,
    holder: Record | None,
    family: Iterable[Record],
    now: datetime,
    *,
    mates: Iterable[Record] = (),
) -> Kin | None:
    """Find the meeting whose room this one may share.

    `holder` is the meeting that brought the ticket first, if it is another one, and `mates` those who share its room; `family`
    are the records of the same series.
    """
    if not observation.organizer.address:
        return None
    if holder is not None and holder.organizer != observation.organizer.address:
        holder = None
    if holder is not None and holder.key.clean == observation.key.clean:
        return Kin(holder, Kinship.OCCURRENCES)
    if holder is not None and (how := _split(observation, [holder, *mates], now)) is not None:
        return Kin(holder, how)
    return next((Kin(one, Kinship.OCCURRENCES) for one in _closest(observation, family)), None)


def _closest(observation: Observation, family: Iterable[Record]) -> list[Record]:
    """Order the organizer's living members of the same series that have a room to share: the series itself, then by start."""
    if observation.kind is Kind.SINGLE:
        return []
    own = [r for r in family if r.key != observation.key and r.organizer == observation.organizer.address]
    found = [r for r in own if r.state in LIVING and r.alias_number is not None]
    return sorted(found, key=lambda r: (r.kind is not Kind.SERIES, r.span.start if r.span else r.created_at))


def _split(observation: Observation, there: Iterable[Record], now: datetime) -> Kinship | None:
    """Say whether this is another part of the series that a room serves: the first of `there`, and all who came since."""
    first, *mates = there
    mine = observation.series
    if mine is None or first.series is None:
        return None
    others = [one for one in (first, *mates) if one.state in LIVING and one.key != observation.key]
    in_the_way = [one for one in others if _meets(mine, one)]
    if not in_the_way:
        return Kinship.SPLIT
    received = observation.received_at
    fresh = received is not None and now - received < _PATIENCE
    cut = all(one.series is not None and _begins_later(mine, one.series) for one in in_the_way)
    return Kinship.UNSETTLED if fresh and cut else None


def _meets(mine: Series, other: Record) -> bool:
    """Whether the two are ever in each other's time."""
    if other.series is not None:
        return not _apart(mine.occurrences, other.series.occurrences)
    span = other.span
    return span is not None and next(iter(mine.occurrences.between(span.start, span.end)), None) is not None


def _apart(mine: Occurrences, theirs: Occurrences) -> bool:
    """Whether one is over before the other begins."""
    for earlier, later in ((theirs, mine), (mine, theirs)):
        first = later.first
        if first is None or (not earlier.is_endless and (earlier.last_end is None or earlier.last_end <= first.start)):
            return True
    return False


def _begins_later(mine: Series, theirs: Series) -> bool:
    return mine.rule.start > theirs.rule.start
