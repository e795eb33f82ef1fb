"""The line of replies that wait for their turn, because Exchange lets a mailbox send only so many messages a minute.

```
 put ──▶ ordered: by start, what is over last, then by arrival ──take──▶ on its way ──left──▶ window (61 s)
   ▲           └──forget (a newer observation, or it is gone)                └── give_back (it was not sent)
   └── a reply that could not be sent, not before its pause is over
```

It lives in memory and holds no truth: every case in it is stored as a record that comes back by itself when its turn is long over.
Pure: the time comes in. Replies that are not mailed have no business here.
"""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.reply import Outcome
from greenroom.scheduler.case import Case

WINDOW = timedelta(seconds=61)
"""A second more than the minute Exchange counts: its clock and ours need not agree on where a message falls."""
_SPARE = 1
_PAST = (Outcome.DECLINE_PAST_SINGLE, Outcome.DECLINE_PAST_SERIES)

_Order = tuple[int, float, int, MeetingKey]


@dataclass(slots=True)
class _Place:
    order: _Order
    case: Case
    not_before: datetime | None


class ReplyLine:
    """Cases whose reply is due, of one mailbox that may send `per_minute` messages a minute (None: as many as it likes).

    At most `per_minute` - 1 are taken in any 61 seconds: one is left to whatever else the mailbox sends.
    """

    def __init__(self, per_minute: int | None) -> None:
        self.per_minute = per_minute
        self._most = None if per_minute is None else max(1, per_minute - _SPARE)
        self._places: dict[MeetingKey, _Place] = {}
        self._order: list[_Order] = []
        self._arrivals = 0
        self._left: list[datetime] = []
        self._closed_until: datetime | None = None

    def __contains__(self, key: object) -> bool:
        """Whether this meeting's reply waits here."""
        return key in self._places

    @property
    def length(self) -> int:
        """How many wait."""
        return len(self._places)

    def get(self, key: MeetingKey) -> Case | None:
        """Return the waiting case of a meeting."""
        place = self._places.get(key)
        return None if place is None else place.case

    def of_items(self, ids: Collection[str]) -> list[MeetingKey]:
        """Return the meetings that wait and whose calendar item has one of these ids."""
        return [key for key, place in self._places.items() if place.case.observation.ref.id in ids]

    def put(self, cases: Iterable[Case], *, not_before: datetime | None = None) -> None:
        """Let cases wait, in place of others of the same meetings; `not_before` is the end of a pause."""
        for case in cases:
            self.forget([case.record.key])
            self._arrivals += 1
            order = (*_urgency(case), self._arrivals, case.record.key)
            self._places[case.record.key] = _Place(order, case, not_before)
            insort(self._order, order)

    def forget(self, keys: Iterable[MeetingKey]) -> None:
        """Let these wait no more, as far as they did: something newer is known."""
        for key in keys:
            place = self._places.pop(key, None)
            if place is not None:
                del self._order[bisect_left(self._order, place.order)]

    def take(self, now: datetime) -> list[Case]:
        """Take out those whose turn it is, as many as may be sent now; they count as sent."""
        free = self._free(now)
        if free == 0 or not self._places or (self._closed_until is not None and now < self._closed_until):
            return []
        taken: list[Case] = []
        for order in self._order:
            if len(taken) == free:
                break
            place = self._places[order[-1]]
            if place.not_before is None or place.not_before <= now:
                taken.append(place.case)
        for case in taken:
            del self._places[case.record.key]
        self._order = [order for order in self._order if order[-1] in self._places]
        if self._most is not None:
            self._left += [now] * len(taken)
        return taken

    def seize(self, count: int, now: datetime) -> int:
        """Take so many messages out of the allowance for what does not stand in line, as many as there are; returns how many."""
        free = self._free(now)
        if free is None:
            return count
        closed = self._closed_until is not None and now < self._closed_until
        seized = 0 if closed else min(free, count)
        self._left += [now] * seized
        return seized

    def left(self, count: int, at: datetime) -> None:
        """Say that the last `count` taken had not left before `at`: sending takes time, and Exchange counts when it is done."""
        if count > 0 and self._left:
            self._left[-count:] = [at] * len(self._left[-count:])

    def give_back(self, count: int) -> None:
        """Say that of those taken `count` are not going to be sent."""
        if count > 0:
            del self._left[-count:]

    def recall(self, times: Iterable[datetime]) -> None:
        """Let what was sent before this line began count too."""
        self._left = sorted([*self._left, *times])

    def close(self, until: datetime) -> None:
        """Send nothing before `until`: Exchange asked for a pause."""
        self._closed_until = until

    def turn(self, key: MeetingKey, now: datetime) -> datetime:
        """Return when a waiting reply is expected to go out, if none more urgent comes."""
        place = self._places[key]
        return max(self._turn_of(bisect_left(self._order, place.order), now), place.not_before or now)

    def ends_at(self, now: datetime) -> datetime | None:
        """Return when the last one is expected to go out; None if nobody waits."""
        if not self._places:
            return None
        pauses = (place.not_before for place in self._places.values() if place.not_before is not None)
        return max([self._turn_of(len(self._order) - 1, now), *pauses])

    def next_at(self, now: datetime) -> datetime | None:
        """Return when `take` gives something again, now or later; None if nobody waits."""
        if not self._places:
            return None
        ready = min((place.not_before or now) for place in self._places.values())
        return max(self._turn_of(0, now), ready)

    def _turn_of(self, position: int, now: datetime) -> datetime:
        """Return the turn of a place in line: as many as may go at once, go each time the window has passed."""
        begins = max(now, self._closed_until or now)
        if self._most is None:
            return begins
        rounds, rest = divmod(position, self._most)
        self._free(now)
        before = len(self._left) + rest - self._most
        first = begins if before < 0 else max(begins, self._left[before] + WINDOW)
        return first + rounds * WINDOW

    def _free(self, now: datetime) -> int | None:
        """Return how many may go now. A clock that was put back must not close the window for as long."""
        if self._most is None:
            return None
        self._left = [min(at, now) for at in self._left if now - at < WINDOW]
        return max(0, self._most - len(self._left))


def _urgency(case: Case) -> tuple[int, float]:
    """Sort meetings by start; what is over hurries nobody."""
    span = case.observation.span
    if span is None:
        return 2, 0.0
    return int(case.outcome in _PAST), span.start.timestamp()
