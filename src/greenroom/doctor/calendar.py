"""Reads the soonest meetings in the mailbox beside what we remember of them, for `symptoms` to judge."""

from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

from greenroom.doctor.contract import Check, Explain, Finding
from greenroom.doctor.database import is_prepared
from greenroom.doctor.exchange import RIGHTS, SIGN_IN
from greenroom.doctor.findings import About
from greenroom.doctor.symptoms import ANSWERS, NAMES, Seen, judge
from greenroom.exchange.contract import Mailbox
from greenroom.exchange.errors import ExchangeError
from greenroom.meetings.meeting import Observation
from greenroom.meetings.reasons import Reason
from greenroom.settings import Integration
from greenroom.storage import Storage, StorageError

NAME: Final = "mailbox-meetings"
_AHEAD: Final = timedelta(days=21)
_MOST: Final = 50
_LATELY: Final = timedelta(days=14)


def calendar_check(
    entry: Integration, mailbox: Mailbox, storage: Storage | None, explain: Explain, clock: Callable[[], datetime]
) -> Check:
    """Make the check of what the meetings in the calendar tell."""

    async def look() -> list[Finding]:
        now = clock()
        try:
            observations = await _soonest(mailbox, now)
            if storage is None or not await is_prepared(storage):
                return judge([Seen(one) for one in observations], 0, 0, entry, now)
            seen = await _remembered(observations, storage, entry)
            gone, cancelled = await _ended(storage, entry, now)
        except ExchangeError as error:
            told = explain.exchange(error, entry, "exchange")
            return [About(NAME, entry.name).unknown(told.what, told.mend)]
        except StorageError:
            return [
                About(ANSWERS, entry.name).unknown("What we remember cannot be read.", "See the check of the database.")
            ]
        return judge(seen, gone, cancelled, entry, now)

    return Check(NAME, entry.name, look, timedelta(seconds=9), needs=(SIGN_IN, RIGHTS), tells=NAMES)


async def _soonest(mailbox: Mailbox, now: datetime) -> list[Observation]:
    pages = mailbox.pages(now, now + _AHEAD)
    async with aclosing(pages) as opened:  # type: ignore[type-var]  # every adapter's is a generator, which has to be closed
        async for page in opened:
            if found := [one for one in page if isinstance(one, Observation)]:
                return found[:_MOST]
    return []


async def _remembered(observations: list[Observation], storage: Storage, entry: Integration) -> list[Seen]:
    async with storage.reading() as work:
        records = await work.meetings.by_keys(entry.number, [one.key for one in observations])
        return [
            Seen(
                one,
                records.get(one.key),
                tuple(await work.journal.of_meeting(entry.number, one.key)) if one.key in records else (),
            )
            for one in observations
        ]


async def _ended(storage: Storage, entry: Integration, now: datetime) -> tuple[int, int]:
    """Count the meetings that left the calendar lately, and those that were cancelled in it."""
    async with storage.reading() as work:
        left = await work.journal.recent(entry.number, "seen", now - _LATELY)
        decided = await work.journal.recent(entry.number, "decided", now - _LATELY)
    gone = sum(line.code == Reason.REMOVED.value for line in left)
    return gone, sum(line.code == Reason.CANCELLED.value for line in decided)
