"""What the meetings in a mailbox tell of its settings. The newest count: what was mended shows in the next one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from greenroom.doctor.calendar import calendar_check
from greenroom.doctor.contract import Finding, State
from greenroom.doctor.symptoms import Seen, judge, lost_from_subject
from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.meeting import MeetingKey, Person, Response
from greenroom.meetings.record import InstructionsState, JournalEntry, Record
from greenroom.meetings.record import State as Standing
from greenroom.scheduler.weigh import ANSWERED
from greenroom.settings import Integration
from support.explained import Explained
from support.greenroom_at_work import at_work
from support.observations import NOW, observation

ADA = Person("ada@greenroom.example", "Ada Lovelace")
LATER = NOW + timedelta(hours=1)


def seen(
    number: int = 1, *, lines: tuple[tuple[str, str], ...] = (("replied", "accept_new_single"),), **more: Any
) -> Seen:
    """A meeting that came `number` minutes after the others, and was answered by us at once."""
    came = NOW + timedelta(minutes=number)
    usual: dict[str, Any] = {
        "organizer": ADA,
        "subject": "Planning",
        "body_html": "<p>Agenda</p>",
        "response": Response.ACCEPTED,
        "replied_at": came + timedelta(seconds=3),
        "received_at": came,
    }
    facts = {name: more.pop(name) for name in list(more) if name in {"state", "replied", "instructions", "reason"}}
    told = observation(f"meeting-{number}", **(usual | more))
    story = tuple(JournalEntry(1, told.key, "A", came + timedelta(seconds=3), step, code) for step, code in lines)
    record = Record(1, told.key, "A", Standing.SCHEDULED, told.kind, ADA.address, told.ref, came, came)
    replied = "accept_new_single:x" if lines else None
    record = replace(record, replied=replied, instructions=InstructionsState.WRITTEN)
    record = replace(record, **facts)
    return Seen(told, record, story)


def found(*meetings: Seen, entry: Integration, gone: int = 0, cancelled: int = 0) -> dict[str, Finding]:
    return {one.check: one for one in judge(meetings, gone, cancelled, entry, LATER)}


def test_a_mailbox_that_is_well_is_said_to_be_well(entry: Integration) -> None:
    told = found(seen(1), seen(2), entry=entry, cancelled=1)
    assert {one.state for one in told.values()} == {State.WELL}
    assert set(told) == {"processing-answers", "processing-subjects", "processing-texts", "processing-cancelled"}


AT_ONCE = seen(5, lines=(("seen", ANSWERED), ("replied", "accept_new_single")))
NOT_OURS = seen(5, lines=())
DELEGATE = seen(5, replied_at=NOW + timedelta(minutes=40))
DELEGATE_TOO = seen(6, replied_at=NOW + timedelta(minutes=40))


@pytest.mark.parametrize(
    ("meetings", "state", "words"),
    [
        ([AT_ONCE, seen(1)], State.WRONG, "Exchange answered the last meeting by itself"),
        ([NOT_OURS, seen(1)], State.WRONG, "Exchange answered the last meeting by itself"),
        ([DELEGATE, seen(1)], State.NOTE, "Somebody else"),
        ([DELEGATE, DELEGATE_TOO], State.WRONG, "Somebody else than Greenroom answered the last 2 meetings"),
        ([AT_ONCE, seen(9)], State.WELL, "Greenroom alone answered the last meeting"),
    ],
    ids=["noted", "never-ours", "delegate-once", "delegate", "mended"],
)
def test_who_answers_is_told_by_the_newest(meetings: list[Seen], state: State, words: str, entry: Integration) -> None:
    told = found(*meetings, entry=entry)["processing-answers"]
    assert told.state is state
    assert words in told.what


@pytest.mark.parametrize("reason", ["recovered", "imported"])
def test_answers_of_an_earlier_life_are_not_held_against_anybody(reason: str, entry: Integration) -> None:
    assert "processing-answers" not in found(seen(1, lines=(), reason=reason), entry=entry)


def test_a_delegate_is_taken_away_by_cmdlet(entry: Integration) -> None:
    mend = found(DELEGATE, DELEGATE_TOO, entry=entry)["processing-answers"].mend
    assert mend.endswith("-ForwardRequestsToDelegates $false -ResourceDelegates $null")


@pytest.mark.parametrize(
    ("subject", "sent", "names"),
    [
        ("Planning", None, ()),
        ("", None, ("DeleteSubject",)),
        ("Ada Lovelace", None, ("DeleteSubject", "AddOrganizerToSubject")),
        ("Ada Lovelace Planning", None, ("AddOrganizerToSubject",)),
        ("Ada Lovelaces plan", None, ()),
        ("Planning", "Planning", ()),
        ("Ada Lovelace Planning", "Planning", ("AddOrganizerToSubject",)),
        ("Ada Lovelace", "Planning", ("DeleteSubject", "AddOrganizerToSubject")),
        ("", "Planning", ("DeleteSubject",)),
    ],
)
def test_what_became_of_a_subject(subject: str, sent: str | None, names: tuple[str, ...]) -> None:
    assert lost_from_subject(observation(organizer=ADA, subject=subject), sent) == names


def test_lost_subjects_are_named_when_they_are_more_than_one(entry: Integration) -> None:
    once = found(seen(2, subject="Ada Lovelace"), seen(1), entry=entry)["processing-subjects"]
    twice = found(*(seen(number, subject="Ada Lovelace") for number in (1, 2)), entry=entry)["processing-subjects"]
    assert (once.state, twice.state) == (State.NOTE, State.WRONG)
    assert twice.mend.endswith("-DeleteSubject $false -AddOrganizerToSubject $false")


def test_texts_that_do_not_arrive_are_named(entry: Integration) -> None:
    told = found(seen(2, body_html="<html><body></body></html>"), seen(1), entry=entry)["processing-texts"]
    assert told.state is State.WRONG
    assert told.mend.endswith("-DeleteComments $false")
    empty = seen(1, body_html="", instructions=InstructionsState.IN_REPLY)
    assert "processing-texts" not in found(empty, entry=entry)


def test_meetings_that_vanish_are_told_where_exchange_can_do_that(entry: Integration, graph_entry: Integration) -> None:
    assert found(entry=graph_entry, gone=3)["processing-cancelled"].state is State.NOTE
    assert "processing-cancelled" not in found(entry=graph_entry, gone=1)
    assert "processing-cancelled" not in found(entry=entry, gone=3)


def test_silence_is_told(entry: Integration) -> None:
    old = seen(1, received_at=NOW - timedelta(days=30))
    assert found(old, entry=entry)["mailbox-arrivals"].state is State.NOTE
    assert found(entry=entry)["mailbox-arrivals"].state is State.UNKNOWN


async def test_the_calendar_is_read_beside_the_records(entry: Integration) -> None:
    async with at_work() as work:
        for uid in ("one", "two"):
            came = work.clock() + timedelta(seconds=1)
            work.mailbox.invite(observation(uid, response=Response.ACCEPTED, replied_at=came, received_at=came))
        await work.attend()
        check = calendar_check(entry, work.mailbox, work.storage, Explained(), work.clock)
        told = {one.check: one.state for one in await check.look()}
        assert told["processing-answers"] is State.WRONG
        work.clock.forward(minutes=30)
        work.mailbox.invite(observation("three", received_at=work.clock()))
        await work.attend()
        assert (await work.record(MeetingKey.of_uid("three"))) is not None
        told = {one.check: one.state for one in await check.look()}
        assert told["processing-answers"] is State.WELL
        work.mailbox.fail("pages", TryLaterError("busy"))
        (unknown,) = await check.look()
        assert unknown.state is State.UNKNOWN
