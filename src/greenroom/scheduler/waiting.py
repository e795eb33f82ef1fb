"""Between the line of replies and what is stored: whose turn it is, who has to go on waiting, what was sent before we began.

A case that waits was decided some minutes ago. What changes its meeting comes through the feed and takes it out of the line; what
changes its record otherwise (its window closed, another process had the mailbox) is noticed here, before it is answered.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from greenroom.meetings.decision import last_end
from greenroom.meetings.meeting import Glance, MeetingKey
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import Record
from greenroom.meetings.reply import ROOM_LATE, Outcome
from greenroom.scheduler.case import Case
from greenroom.scheduler.integration import Integration
from greenroom.scheduler.line import WINDOW, ReplyLine
from greenroom.storage import Storage

MARKED = "marked"
"""Detail of a journal line: the answer was marked in the calendar and not mailed."""
OUTCOME_UNKNOWN = "outcome-unknown"

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_MOST_INTENTS = 1000
_LONGEST_WORK = timedelta(seconds=60)


def queue_up(line: ReplyLine, cases: Iterable[Case]) -> None:
    """Put cases into the line. What their replies do not need any more is dropped: thousands may wait, for an hour."""
    light = []
    for case in cases:
        case.observation = replace(case.observation, body_html="", attendees=())
        light.append(case)
    line.put(light)


async def whose_turn(
    integration: Integration, storage: Storage, line: ReplyLine, just_decided: Collection[MeetingKey], now: datetime
) -> list[Case]:
    """Take out the cases whose turn it is and that still hold; the others come back by themselves and are looked at anew."""
    ready: list[Case] = []
    while taken := line.take(now):
        older = {case.record.key for case in taken if case.record.key not in just_decided}
        stored: dict[MeetingKey, Record] = {}
        if older:
            async with storage.reading() as work:
                stored = await work.meetings.by_keys(integration.number, older)
        valid = [
            case
            for case in taken
            if case.record.key not in older
            or (case.is_stored_as(stored.get(case.record.key)) and not _ended(case, now))
        ]
        ready += valid
        line.give_back(len(taken) - len(valid))
        if len(valid) == len(taken):
            break
    for case in ready:
        case.waiting = False
    return ready


def go_on_waiting(line: ReplyLine, due: Sequence[Record], now: datetime) -> list[Record]:
    """Return, to be stored, new times for those of the records that are due only because the line moves more slowly."""
    moved: list[Record] = []
    for record in due:
        case = line.get(record.key)
        if case is not None and case.is_stored_as(record):
            case.await_turn(line.turn(record.key, now), now)
            moved.append(case.record)
    return moved


def split(line: ReplyLine, glances: Sequence[Glance], gone: Collection[str]) -> list[MeetingKey]:
    """Forget every case whose item shows something new, and return the keys of those that show just what they wait with."""
    same: list[MeetingKey] = []
    touched: list[MeetingKey] = []
    for glance in glances:
        case = None if glance.key is None else line.get(glance.key)
        if case is not None:
            unchanged = bool(glance.ref.version) and glance.ref == case.observation.ref
            (same if unchanged else touched).append(case.record.key)
    unknown = {glance.ref.id for glance in glances if glance.key is None} | set(gone)
    line.forget([*touched, *(line.of_items(unknown) if unknown else ())])
    return [key for key in same if key in line]


async def sent_before(integration: Integration, storage: Storage, now: datetime) -> list[datetime]:
    """Return when replies went out, or may have gone out, within the last window: a process that just began knows of none."""
    async with storage.reading() as work:
        told = await work.journal.recent(integration.number, "replied", now - WINDOW)
        due = await work.meetings.due(integration.number, now, _MOST_INTENTS)
    mailed = [entry.at for entry in told if _was_mailed(entry.code, entry.detail)]
    # An intent without a result: the process died while it was sending, and the request may have lived on for a while.
    doubtful = [min(now, record.updated_at + _LONGEST_WORK) for record in due if record.replying is not None]
    return [*mailed, *(at for at in doubtful if now - at < WINDOW)]


def _was_mailed(code: str, detail: str) -> bool:
    return (code in _OUTCOMES and detail != MARKED) or code in (OUTCOME_UNKNOWN, ROOM_LATE)


def _ended(case: Case, now: datetime) -> bool:
    """Whether the meeting came to its end while it waited: nobody is accepted to what is over."""
    end = last_end(case.observation.kind, case.observation.span)
    return case.decision.reason is not Reason.PAST and end is not None and end <= now
