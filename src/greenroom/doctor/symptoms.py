"""What the meetings in the mailbox tell of its calendar processing: who answers, what became of texts, what is cancelled.

What is set cannot be read over any protocol, what it does can. The newest meetings count: a setting that was mended shows in
the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import takewhile
from typing import Final

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.findings import About, age, count
from greenroom.doctor.remedies import is_online, keep_cancelled, set_processing, why_of
from greenroom.meetings.meeting import Observation, Response
from greenroom.meetings.plain_text import text_of_html
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import InstructionsState, JournalEntry, Record
from greenroom.meetings.record import State as Standing
from greenroom.scheduler.weigh import ANSWERED
from greenroom.settings import Integration

ANSWERS: Final = "processing-answers"
SUBJECTS: Final = "processing-subjects"
TEXTS: Final = "processing-texts"
CANCELLED: Final = "processing-cancelled"
ARRIVALS: Final = "mailbox-arrivals"
NAMES: Final = (ANSWERS, SUBJECTS, TEXTS, CANCELLED, ARRIVALS)
LIVE: Final = "greenroom doctor --live --organizer you@example.org"
_CLOCKS_APART: Final = timedelta(minutes=5)
_AT_ONCE: Final = timedelta(minutes=1)
_SETTLED: Final = timedelta(minutes=5)
_QUIET: Final = timedelta(days=14)
_FEW: Final = 2
_MANY: Final = 3
_DEFINITE: Final = (Response.ACCEPTED, Response.DECLINED)
_OF_BEFORE: Final = (Reason.RECOVERED.value, Reason.IMPORTED.value)
_LIVING: Final = (Standing.PENDING, Standing.SCHEDULED, Standing.DEFECTIVE)
_TOLD: Final = (InstructionsState.PRESENT, InstructionsState.WRITTEN)


@dataclass(frozen=True, slots=True)
class Seen:
    """A meeting as the mailbox shows it, and what we remember of it."""

    observation: Observation
    record: Record | None = None
    story: tuple[JournalEntry, ...] = ()


class Answered(Enum):
    """Who answered a meeting."""

    BY_US = auto()
    AT_ONCE = auto()  # as only Exchange does
    BY_OTHERS = auto()


def judge(seen: Sequence[Seen], gone: int, cancelled: int, entry: Integration, now: datetime) -> list[Finding]:
    """Say what meetings tell. `gone` and `cancelled` of the last days left the calendar, or were called off in it."""
    newest = sorted(seen, key=lambda one: one.observation.received_at or one.observation.sent_at or now, reverse=True)
    theirs = [one for one in newest if not one.observation.is_organizer]
    return [
        *_arrivals(theirs, entry, now),
        *_answers(theirs, entry, now),
        *_subjects(theirs, entry),
        *_texts(theirs, entry, now),
        *_cancelled(gone, cancelled, entry),
    ]


def _arrivals(newest: Sequence[Seen], entry: Integration, now: datetime) -> Iterator[Finding]:
    about = About(ARRIVALS, entry.name)
    times = [one.observation.received_at for one in newest if one.observation.received_at is not None]
    if not newest:
        yield about.unknown("The calendar holds no meeting of the next weeks that could tell of its settings.", LIVE)
    elif times and now - max(times) > _QUIET:
        what = f"The last invitation arrived {age(now - max(times))} ago."
        yield about.note(what, "Perhaps nobody books, perhaps invitations do not arrive.", LIVE)


def answered_by(one: Seen, now: datetime) -> Answered | None:
    """Return who answered a meeting, as far as it can be told."""
    seen, record = one.observation, one.record
    if any((line.step, line.code) == ("seen", ANSWERED) for line in one.story):
        return Answered.AT_ONCE
    ours = [line.at for line in one.story if line.step == "replied" and line.code.startswith(("accept", "decline"))]
    if seen.cancelled or seen.response not in _DEFINITE or seen.replied_at is None:
        return Answered.BY_US if ours else None
    if ours:
        near = any(abs(at - seen.replied_at) <= _CLOCKS_APART for at in ours)
        return Answered.BY_US if near else Answered.BY_OTHERS
    if record is None or record.reason in _OF_BEFORE or record.replied is not None or record.replying is not None:
        return None
    if record.state not in _LIVING or seen.received_at is None or now - seen.received_at < _AT_ONCE:
        return None
    return Answered.AT_ONCE if seen.replied_at - seen.received_at < _AT_ONCE else Answered.BY_OTHERS


def _answers(newest: Sequence[Seen], entry: Integration, now: datetime) -> Iterator[Finding]:
    about = About(ANSWERS, entry.name)
    known = [who for one in newest if (who := answered_by(one, now)) is not None]
    if not known:
        return
    run = list(takewhile(lambda who: who is known[0], known))
    if known[0] is Answered.BY_US:
        yield about.well(f"Greenroom alone answered {_last(run)}.")
    elif known[0] is Answered.AT_ONCE:
        what = f"Exchange answered {_last(run)} by itself, before Greenroom did."
        yield about.wrong(what, why_of("AutomateProcessing"), set_processing(entry, "AutomateProcessing"))
    else:
        what = f"Somebody else than Greenroom answered {_last(run)}."
        state = State.WRONG if len(run) >= _FEW else State.NOTE
        mend = set_processing(entry, "ForwardRequestsToDelegates", "ResourceDelegates")
        yield Finding(ANSWERS, entry.name, state, what, why_of("ForwardRequestsToDelegates"), mend)


def lost_from_subject(seen: Observation, sent: str | None = None) -> tuple[str, ...]:
    """Return the settings that changed a subject; `sent` is what it was, where that is known."""
    found, name = seen.subject.strip(), seen.organizer.name.strip()
    if sent is not None and found == sent.strip():
        return ()
    with_name = bool(name) and found.casefold().startswith(name.casefold())
    alone = not found or (with_name and found.casefold() == name.casefold())
    if sent is not None:
        lost = sent.strip().casefold() not in found.casefold()
        return (*(("DeleteSubject",) if lost else ()), *(("AddOrganizerToSubject",) if with_name else ()))
    added = with_name and (len(found) == len(name) or found[len(name)] == " ")
    return (*(("DeleteSubject",) if alone else ()), *(("AddOrganizerToSubject",) if added else ()))


def _subjects(newest: Sequence[Seen], entry: Integration) -> Iterator[Finding]:
    about = About(SUBJECTS, entry.name)
    changed = [lost_from_subject(one.observation) for one in newest if not one.observation.cancelled]
    run = list(takewhile(bool, changed))
    if run:
        names = tuple(dict.fromkeys(name for one in run for name in one))
        what = f"{_last(run).capitalize()} came without the subject, or with the organizer's name in it."
        mend = set_processing(entry, *names)
        why = why_of(names[0])
        yield about.wrong(what, why, mend) if len(run) >= _FEW else about.note(what, why, mend)
    elif changed:
        yield about.well("Subjects arrive.")


def _texts(newest: Sequence[Seen], entry: Integration, now: datetime) -> Iterator[Finding]:
    about = About(TEXTS, entry.name)
    told = [
        bool(text_of_html(one.observation.body_html).strip())
        for one in newest
        if one.record is not None
        and one.record.instructions in _TOLD
        and not one.observation.cancelled
        and now - one.record.updated_at > _SETTLED
    ]
    run = list(takewhile(lambda there: not there, told))
    if run:
        what = f"{_last(run).capitalize()} with joining instructions came without any text."
        yield about.wrong(what, why_of("DeleteComments"), set_processing(entry, "DeleteComments"))
    elif told:
        yield about.well("Texts arrive.")


def _last(run: Sequence[object]) -> str:
    return "the last meeting" if len(run) == 1 else f"the last {len(run)} meetings"


def _cancelled(gone: int, cancelled: int, entry: Integration) -> Iterator[Finding]:
    about = About(CANCELLED, entry.name)
    if cancelled:
        yield about.well("Cancelled meetings stay in the calendar as cancelled.")
    elif gone >= _MANY and is_online(entry):
        what = f"{count(gone, 'meeting')} left the calendar lately, and none stayed in it as cancelled."
        yield about.note(what, why_of("RemoveCanceledMeetings"), keep_cancelled(entry))
