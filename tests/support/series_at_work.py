"""A weekly series at work, as the tests of the scheduler tell it: its days, its room, and invitations to single occurrences."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from greenroom.meetings.meeting import Kind, MeetingKey, Observation
from support.greenroom_at_work import AtWork
from support.observations import NOW, observation

KEY = MeetingKey.of_uid("series")
NEW = MeetingKey.of_uid("new")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = date(2026, 12, 9)
THIRD = date(2026, 12, 16)


async def is_open(work: AtWork, key: MeetingKey, at: datetime) -> bool:
    room = await work.room(key)
    return room is not None and room.retired_at is None and room.spec.admission.is_open(at)


def opened(day: date) -> datetime:
    """The middle of the occurrence first meant for this day."""
    return datetime.combine(day, (NOW + HOUR / 2).time(), tzinfo=NOW.tzinfo)


def shown(work: AtWork, uid: str) -> Observation:
    return work.mailbox.items[f"item-{uid}"]


def lone(day: date, body: str = "", **changes: object) -> Observation:
    """An invitation to one occurrence only."""
    start = opened(day) - HOUR / 2
    return replace(
        observation(f"lone-{day}", starts_in=start - NOW, kind=Kind.OCCURRENCE, body_html=body, original_start=start),
        key=KEY.on(day),
        **changes,  # type: ignore[arg-type]  # the facts are named by the test
    )
