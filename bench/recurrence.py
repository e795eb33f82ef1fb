"""How long "open now?" and "next opening" take on the worst series: ours beside python-dateutil, with the same rules.

Run with `python bench/recurrence.py`. Prints microseconds of CPU for one question, the best of several runs, in two ways:

```
anywhere   at instants all over the last year in no order, so that nothing remembered helps; dateutil without a cache
in order   at the same instants one after the other, as questions come in life; dateutil with cache=True, all days expanded before
```

What dateutil does for an answer: `rrule.before` for what may be running, `rrule.after` for what comes next, with an aware start in
the meeting's zone; exceptions in an `rruleset`. Ours does more: it also says when the window closes, joined with its neighbours.
"""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule

from greenroom.meetings.admission import Admission
from greenroom.meetings.recurrence import Moved, Series
from greenroom.meetings.rules import (
    WORKDAYS,
    AbsoluteYearly,
    Daily,
    Nth,
    RelativeMonthly,
    RelativeYearly,
    Rule,
    Weekly,
)
from greenroom.meetings.zones import Zone

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BEFORE, AFTER = HOUR / 2, HOUR
BEGINS, LENGTH = wall_time(9, 30), HOUR
ZONE = Zone("W. Europe Standard Time")
BERLIN = ZoneInfo("Europe/Berlin")
OLD, RECENT, NOW = date(1976, 11, 21), date(2026, 9, 1), datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ENDLESS_RATIO = 20
ADMISSIONS = 1000
RUN, RUNS = 0.02, 15  # seconds
Peer = rrule.rrule | rrule.rruleset


@dataclass(frozen=True)
class Contest:
    """A series of ours, and how dateutil is told the same."""

    name: str
    series: Series
    frequency: Any
    said: dict[str, Any]

    def peer(self, *, cache: bool) -> Peer:
        """Make dateutil's own."""
        rule = self.series.rule
        start = datetime.combine(rule.start, BEGINS, BERLIN)
        made = rrule.rrule(self.frequency, start, count=rule.count, cache=cache, **self.said)
        if not self.series.gone and not self.series.moved:
            return made
        found = rrule.rruleset(cache=cache)
        found.rrule(made)
        for day in (*self.series.gone, *(one.day for one in self.series.moved)):
            found.exdate(datetime.combine(day, BEGINS, BERLIN))
        for one in self.series.moved:
            found.rdate(one.start.astimezone(BERLIN))
        return found


def series(rule: Rule, **more: Any) -> Series:
    """An hour of every day of the rule."""
    return Series(rule, BEGINS, LENGTH, ZONE, **more)


def exceptions() -> dict[str, Any]:
    """Cancel 700 days of the last years, move 300."""
    days = [date(2022, 1, 1) + 2 * number * DAY for number in range(1000)]
    starts = [datetime.combine(day, BEGINS, BERLIN).astimezone(UTC) + 3 * HOUR for day in days[::3][:300]]
    moved = tuple(Moved(day, start, start + HOUR) for day, start in zip(days[::3], starts, strict=False))
    return {"moved": moved, "gone": frozenset(days) - {one.day for one in moved}}


MONTHLY = {"byweekday": WORKDAYS, "bysetpos": -1}
YEARLY = {"bymonth": 11, "byweekday": WORKDAYS, "bysetpos": -1}
LEAP = {"bymonth": 2, "bymonthday": -1}
CONTESTS = (
    Contest("daily, 50 years, endless", series(Rule(Daily(), OLD)), rrule.DAILY, {}),
    Contest(
        "weekly on five days, 50 years, endless",
        series(Rule(Weekly(1, WORKDAYS), OLD)),
        rrule.WEEKLY,
        {"byweekday": WORKDAYS},
    ),
    Contest(
        "last weekday of the month, 50 years, endless",
        series(Rule(RelativeMonthly(1, WORKDAYS, Nth.LAST), OLD)),
        rrule.MONTHLY,
        MONTHLY,
    ),
    Contest(
        "last weekday of November, 50 years, endless",
        series(Rule(RelativeYearly(11, WORKDAYS, Nth.LAST), OLD)),
        rrule.YEARLY,
        YEARLY,
    ),
    Contest("29 February, 50 years, endless", series(Rule(AbsoluteYearly(2, 29), OLD)), rrule.YEARLY, LEAP),
    Contest("daily, 1,000 exceptions, 50 years, endless", series(Rule(Daily(), OLD), **exceptions()), rrule.DAILY, {}),
    Contest("daily, three times, just begun", series(Rule(Daily(), date(2026, 11, 20), count=3)), rrule.DAILY, {}),
    Contest(
        "weekly, ten times, just begun", series(Rule(Weekly(1, (5,)), date(2026, 11, 21), count=10)), rrule.WEEKLY, {}
    ),
    Contest(
        "monthly, once", series(Rule(RelativeMonthly(1, WORKDAYS, Nth.LAST), RECENT, count=1)), rrule.MONTHLY, MONTHLY
    ),
)


def instants(contest: Contest) -> list[datetime]:
    """When is asked: at and around NOW for what has just begun, else all over the year before it."""
    if contest.series.rule.is_endless:
        return [NOW - timedelta(minutes=minute) for minute in range(500_000, 0, -997)]
    return [NOW + timedelta(minutes=minute) for minute in range(-1500, 1500, 7)]


def peer_is_open(found: Peer, now: datetime) -> bool:
    """What a program with dateutil does to know whether a room is open."""
    last = found.before(now + BEFORE, inc=True)
    return last is not None and now < last.astimezone(UTC) + LENGTH + AFTER


def peer_next(found: Peer, now: datetime) -> datetime | None:
    """What it does to know when the room opens next."""
    coming = found.after(now + BEFORE)
    return None if coming is None else coming.astimezone(UTC) - BEFORE


def microseconds(sides: Sequence[Callable[[datetime], object]], asked: list[datetime]) -> list[float]:
    """Return for each side the least mean of several runs, by turns, over the questions; over some of them if they take long."""
    shares = [asked[: max(1, int(RUN / spent(ask, asked[:1])))] for ask in sides]
    best = [float("inf")] * len(sides)
    gc.disable()
    for _ in range(RUNS):
        for at, ask in enumerate(sides):
            best[at] = min(best[at], spent(ask, shares[at]) / len(shares[at]))
    gc.enable()
    return [one * 1e6 for one in best]


def spent(ask: Callable[[datetime], object], asked: list[datetime]) -> float:
    """Return the seconds of CPU that these questions take."""
    begin = time.process_time()
    for now in asked:
        ask(now)
    return max(time.process_time() - begin, 1e-7)


def agree(contest: Contest, ours: Admission) -> bool:
    """Whether both give the same answers to some of the questions."""
    cached = contest.peer(cache=True)
    for now in instants(contest)[::50]:
        following = ours.following(now)
        opens = None if following is None else following.opens
        if ours.is_open(now) != peer_is_open(cached, now) or opens != peer_next(cached, now):
            return False
    return True


def main() -> int:
    """Print the table; the exit status says whether the promises were kept."""
    print(f"{'':46}   {'open now?':^57}   {'next opening':^57}")
    print(f"{'':46}" + f"   {'anywhere':^28} {'in order':^28}" * 2)
    print(
        f"{'microseconds':46}"
        + f"   {'ours':>7} {'dateutil':>11} {'ratio':>8} {'ours':>7} {'cached':>11} {'ratio':>8}" * 2
    )
    kept = True
    for contest in CONTESTS:
        ours = Admission((contest.series,), BEFORE, AFTER)
        fresh, cached = contest.peer(cache=False), contest.peer(cache=True)
        if not agree(contest, ours):
            print(f"{contest.name:46} the two do not agree")
            kept = False
            continue
        least = ENDLESS_RATIO if contest.series.rule.is_endless else 1
        line = f"{contest.name:46}"
        in_order = instants(contest)
        anywhere = Random(1).sample(in_order, len(in_order))
        peer_is_open(cached, in_order[-1])  # expands all days
        for mine, theirs in ((ours.is_open, peer_is_open), (ours.following, peer_next)):
            line += "  "
            for peer, asked in ((fresh, anywhere), (cached, in_order)):
                own, other = microseconds((mine, partial(theirs, peer)), asked)
                line += f" {own:7.2f} {other:11.1f} {other / own:7.1f}x"
                kept = kept and other / own >= least
        print(line, flush=True)
    _print_parsing()
    print(f"at least {ENDLESS_RATIO} times faster on endless rules, never slower: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


def _print_parsing() -> None:
    texts = [
        Admission((series(Rule(Weekly(1, (number % 7,)), date(2020, 1, 1) + number * DAY)),), BEFORE, AFTER).text
        for number in range(ADMISSIONS)
    ]
    begin = time.process_time()
    parsed = [Admission.parse(text) for text in texts]
    read = time.process_time()
    opened = sum(one.is_open(NOW) for one in parsed)
    asked = time.process_time()
    again = sum(one.is_open(NOW) for one in parsed)
    end = time.process_time()
    assert opened == again
    told = [f"{1000 * spent:.1f} ms" for spent in (read - begin, asked - read, end - asked)]
    print(
        f"{ADMISSIONS:,} distinct admissions: parsed in {told[0]}, first asked in {told[1]}, asked again in {told[2]}"
    )


if __name__ == "__main__":
    sys.exit(main())
