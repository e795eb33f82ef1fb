"""Corners of series: what runs, rooms of several meetings, and what is looked at again."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from greenroom.meetings.meeting import Kind, MeetingKey, Observation, Response
from greenroom.meetings.policy import Policy, Replies
from greenroom.meetings.rules import Daily
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, NOW, observation, recurring, weekly

KEY = MeetingKey.of_uid("series")
NEW = MeetingKey.of_uid("new")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = date(2026, 12, 9)
THIRD = date(2026, 12, 16)


async def is_open(work: AtWork, key: MeetingKey, at: datetime) -> bool:
    room = await work.room(key)
    return room is not None and room.retired_at is None and room.spec.admission.is_open(at)


def opened(day: date) -> datetime:
    return datetime.combine(day, (NOW + HOUR / 2).time(), tzinfo=NOW.tzinfo)


def shown(work: AtWork, uid: str) -> Observation:
    return work.mailbox.items[f"item-{uid}"]


def lone(day: date, body: str = "", **changes: object) -> Observation:
    start = opened(day) - HOUR / 2
    usual = observation(
        f"lone-{day}", starts_in=start - NOW, kind=Kind.OCCURRENCE, body_html=body, original_start=start
    )
    return replace(usual, key=KEY.on(day), **changes)  # type: ignore[arg-type]  # the facts are named by the test


def halves(work: AtWork, ticket: str) -> tuple[Observation, Observation]:
    old = recurring("series", pattern=Daily(7), until=SECOND, body_html=ticket, response=Response.NONE)
    new = recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY, body_html=ticket, received_at=work.clock.now)
    return replace(old, sent_at=work.clock.now), replace(new, sent_at=work.clock.now)


async def split(work: AtWork) -> None:
    ticket = work.ticket(123456789)
    work.mailbox.invite(weekly(body_html=ticket))
    await work.settle_quickly()
    for half in halves(work, ticket):
        work.mailbox.invite(half)
        await work.settle_quickly()


def cancelled(work: AtWork, uid: str) -> Observation:
    return replace(shown(work, uid), cancelled=True, sent_at=work.clock.now)


async def test_what_runs_is_kept_open_though_an_earlier_edit_is_held_yet() -> None:
    async with at_work() as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        work.clock.now = NOW + DAY + HOUR / 2
        work.mailbox.invite(recurring(pattern=Daily(7), count=10, starts_in=DAY + HOUR * 3 / 2, sent_at=work.clock.now))
        await work.attend()
        work.clock.now = NOW + DAY + HOUR * 7 / 4
        work.mailbox.put(cancelled(work, "series"))
        await work.attend()
        assert await is_open(work, KEY, NOW + DAY + 3 * HOUR)


async def test_every_moved_occurrence_is_mailed_where_changes_are() -> None:
    async with at_work(policy=Policy(MAILBOX, replies=Replies.CHANGES)) as work:
        work.mailbox.invite(weekly())
        await work.settle_quickly()
        told = shown(work, "series").replied_at
        work.mailbox.invite(weekly(moved={SECOND: HOUR, THIRD: HOUR}, response=Response.ACCEPTED, replied_at=told))
        for _ in range(4):
            await work.settle_quickly()
        assert len(work.mailbox.answered) == 2
        assert len(work.mailbox.replies_to(KEY)) == 3
