"""Random lives of series: invited, cut in two, moved, shortened, cancelled and invited again, with processes that die in between.

Whatever happened, at rest every room is open exactly when the calendar says that one of its meetings takes place, every meeting in
the calendar has a room, and no meeting that is gone has one.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.meetings.admission import Admission, Once
from greenroom.meetings.meeting import Kind, MeetingKey, Observation, Response, Span
from greenroom.meetings.rules import Daily, Weekly
from support.greenroom_at_work import AtWork, Died, at_work, die_at
from support.observations import NOW, observation, recurring

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DAYS = [(NOW + number * DAY).date() for number in range(1, 30)]
OPS = ("invite", "lone", "merge", "move", "drop", "rule", "shorten", "split", "cancel", "remove", "wait", "single")

_op = st.tuples(st.sampled_from(OPS), st.integers(0, 1), st.integers(0, 27), st.integers(0, 9))


class Calendar:
    """What organizers do, and what the calendar therefore shows."""

    def __init__(self, work: AtWork) -> None:
        self.work = work
        self.facts: dict[str, dict[str, Any]] = {}
        self.names = 0

    def name(self, which: int) -> str:
        return f"s{which}"

    def show(self, uid: str) -> None:
        facts = {"starts_in": DAY, "pattern": Daily(2), **self.facts[uid]}
        known = self.work.mailbox.items.get(f"item-{uid}")
        seen = recurring(uid, **facts, sent_at=self.work.clock.now, received_at=self.work.clock.now)
        if known is not None and known.kind is Kind.SERIES and not known.cancelled:
            answered = {one.day: one for one in known.changed}
            same = [
                answered.get(one.day, one) if _at(known, one.day) == _at(seen, one.day) else one for one in seen.changed
            ]
            framed = known.series is not None and seen.series is not None and known.series.frame == seen.series.frame
            told: dict[str, Any] = {"response": known.response, "replied_at": known.replied_at} if framed else {}
            seen = replace(seen, changed=tuple(same), **told)
        self.work.mailbox.invite(seen)

    def do(self, op: str, which: int, number: int, more: int) -> None:
        uid, day = self.name(which), DAYS[number]
        if op == "wait":
            self.work.clock.forward(hours=3 * more + 1)
        elif op in ("cancel", "remove"):
            self.end(uid, cancelled=op == "cancel")
        elif uid not in self.facts:
            self.begin(op, uid, day, more)
        elif op == "single":
            self.facts.pop(uid)
            when, ticket = (number + 40) * DAY, self.work.ticket(100_000_000 + which)
            self.work.mailbox.invite(observation(uid, starts_in=when, sent_at=self.work.clock.now, body_html=ticket))
        else:
            self.change(op, uid, day, more)

    def begin(self, op: str, uid: str, day: date, more: int) -> None:
        if op == "invite":
            ticket = self.work.ticket(100_000_000 + int(uid[1:]))
            self.facts[uid] = {"count": 4 + more, "body_html": ticket if more % 2 else ""}
            self.show(uid)
        elif op == "lone":
            start = datetime.combine(day, NOW.time(), tzinfo=UTC)
            alone = observation(
                f"lone-{uid}-{day}", starts_in=start - NOW, kind=Kind.OCCURRENCE, sent_at=self.work.clock.now
            )
            body = self.work.ticket(200_000_000 + day.toordinal()) if more % 2 else ""
            self.work.mailbox.invite(replace(alone, key=MeetingKey.of_uid(uid).on(day), body_html=body))
        elif op == "merge":
            self.facts[uid] = {"count": 10}
            self.show(uid)
            for ident in [i for i in self.work.mailbox.items if i.startswith(f"item-lone-{uid}-")]:
                self.work.mailbox.remove(ident)

    def end(self, uid: str, *, cancelled: bool) -> None:
        self.facts.pop(uid, None)
        item = self.work.mailbox.items.get(f"item-{uid}")
        if not cancelled:
            self.work.mailbox.remove(f"item-{uid}")
        elif item is not None:
            self.work.mailbox.put(replace(item, cancelled=True, sent_at=self.work.clock.now))

    def change(self, op: str, uid: str, day: date, more: int) -> None:
        facts = self.facts[uid]
        series = recurring(uid, **{"starts_in": DAY, "pattern": Daily(2), **facts}).series
        assert series is not None
        moved, gone = dict(facts.get("moved", {})), set(facts.get("gone", ()))
        if op == "move" and day not in gone:
            moved[day] = (more + 1) * HOUR
        elif op == "drop":
            moved.pop(day, None)
            gone.add(day)
        elif op == "rule":
            facts["pattern"] = Weekly(1 + more % 2, (more % 7,)) if more % 3 else Daily(1 + more)
            moved, gone = {}, set()
        elif op in ("shorten", "split"):
            facts.pop("count", None)
            facts["until"] = day
            moved = {one: by for one, by in moved.items() if one <= day}
            gone = {one for one in gone if one <= day}
            if op == "split":
                self.names += 1
                later = (datetime.combine(day, NOW.time(), tzinfo=UTC) - NOW) + DAY
                new = {"starts_in": later, "pattern": Daily(3), "count": 5, "body_html": facts.get("body_html", "")}
                self.facts[f"new{self.names}"] = new
                self.show(f"new{self.names}")
        self.facts[uid] = facts | {"moved": moved, "gone": tuple(sorted(gone))}
        self.show(uid)


def _at(seen: Observation, day: date) -> tuple[datetime, datetime] | None:
    moved = () if seen.series is None else seen.series.moved
    return next(((one.start, one.end) for one in moved if one.day == day), None)


def shown_times(item: Observation, work: AtWork) -> Admission:
    span = item.span
    assert isinstance(span, Span)
    policy = work.integration.policy
    return Admission((item.series or Once(span.start, span.end),), policy.before, policy.after)


async def check(work: AtWork) -> None:
    now = work.clock.now
    items = [item for item in work.mailbox.items.values() if not item.cancelled]
    living = [item for item in items if not shown_times(item, work).is_over(now + work.integration.policy.after)]
    marks: dict[str, list[Admission]] = {}
    for item in living:
        record, room = await work.record(item.key), await work.room(item.key)
        assert record is not None, item.key
        if item.response is Response.DECLINED or record.state.value == "declined":
            continue
        assert room is not None, (item.key, record)
        assert room.retired_at is None, (item.key, record)
        assert item.response is Response.ACCEPTED, (item.key, record)
        marks.setdefault(room.mark, []).append(shown_times(item, work))
    for mark, admissions in marks.items():
        async with work.storage.reading() as reading:
            room = await reading.rooms.by_mark(1, mark)
            mates = await reading.meetings.of_rooms(1, [mark])
        assert room is not None
        held = [mate.held for mate in mates if mate.held is not None]
        for hours in range(4, 24 * 45, 3):
            instant = now + hours * HOUR + timedelta(minutes=7)
            if any(start <= instant < end + 2 * HOUR for start, end in held):
                continue
            wanted = any(one.is_open(instant) for one in admissions)
            assert room.spec.admission.is_open(instant) is wanted, (instant, mates)


async def live(ops: list[tuple[str, int, int, int]], deaths: list[int]) -> None:
    async with at_work() as work:
        calendar = Calendar(work)
        for turn, op in enumerate(ops):
            calendar.do(*op)
            step, _ = die_at(deaths[turn % len(deaths)] if deaths else 0)
            with suppress(Died):
                await work.attend(step)
            work.clock.forward(seconds=20)
        for _ in range(6):
            await work.settle_quickly()
        await work.close()
        await work.settle_quickly()
        await check(work)


_lives = st.lists(_op, min_size=3, max_size=14)
_deaths = st.lists(st.integers(0, 12), max_size=4)
_usual: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@settings(max_examples=6, **_usual)
@given(ops=_lives, deaths=_deaths)
def test_at_rest_every_room_is_open_just_when_the_calendar_says(
    ops: list[tuple[str, int, int, int]], deaths: list[int]
) -> None:
    asyncio.run(live(ops, deaths))


@pytest.mark.slow
@settings(max_examples=200, **_usual)
@given(ops=st.lists(_op, min_size=6, max_size=24), deaths=_deaths)
def test_at_rest_every_room_is_open_just_when_the_calendar_says_after_long_lives(
    ops: list[tuple[str, int, int, int]], deaths: list[int]
) -> None:
    asyncio.run(live(ops, deaths))
