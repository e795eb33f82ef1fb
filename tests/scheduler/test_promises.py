"""Invitations that the button wrote while nobody answered, and those that need no room of ours."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.exchange.contract import Invitation, Verdict
from greenroom.exchange.errors import TryLaterError
from greenroom.meetings.instructions import instructions_block, text_block
from greenroom.meetings.meeting import MeetingKey, Observation
from greenroom.meetings.plain_text import as_text
from greenroom.meetings.policy import Policy, Unticketed
from greenroom.meetings.reasons import Reason
from greenroom.meetings.record import InstructionsState, State
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import OFFLINE, PERSONAL
from greenroom.meetings.ticket_finder import find_tickets
from support.greenroom_at_work import AtWork, at_work
from support.observations import ADA, MAILBOX, NOW, observation

ONE = MeetingKey.of_uid("one")
TWO = MeetingKey.of_uid("two")
AGENDA = "<html><body><p>Agenda</p>{}<p>Regards</p></body></html>"


def promise(work: AtWork, number: int = 987654321012345) -> str:
    return work.integration.ring.issue(number, NOW - timedelta(days=3), OFFLINE)


def own_room(work: AtWork) -> str:
    return work.integration.ring.issue(123456789, NOW, PERSONAL)


def placeholder(ticket: str) -> str:
    return instructions_block(Texts().render("placeholder_instructions", {"ticket": ticket}), ticket)


def promised(work: AtWork, uid: str = "one", text: str = "") -> Observation:
    return replace(observation(uid), body_html=text or AGENDA.format(placeholder(promise(work))))


async def told(work: AtWork, key: MeetingKey) -> Invitation:
    """What the organizer's meeting says; the room's own ticket is in it, and nothing is left of the promise."""
    record = await work.record(key)
    assert record is not None
    told = work.mailbox.organizer_bodies[key]
    (ticket,) = find_tickets(told.body_html, "GRM")
    assert work.number_of(ticket) == record.alias_number
    assert "is being prepared" not in told.body_html
    return told


@pytest.mark.parametrize("unticketed", list(Unticketed))
async def test_the_promise_is_kept_in_the_organizers_meeting(unticketed: Unticketed) -> None:
    policy = Policy(MAILBOX, unticketed=unticketed, deny_organizers=frozenset({ADA.address}))
    async with at_work(policy=policy) as work:
        work.mailbox.invite(promised(work))
        await work.attend()
        invitation = await told(work, ONE)
        room = await work.room(ONE)
        assert room is not None
        assert invitation.body_html.startswith("<html><body><p>Agenda</p><table")
        assert invitation.body_html.endswith("</table><p>Regards</p></body></html>")
        assert invitation.location.endswith(f"https://meet.example/j/{room.spec.join_id}")
        (reply,) = work.mailbox.replies_to(ONE)
        assert reply.verdict is Verdict.ACCEPT
        lines = {(one.step, one.code, one.detail) for one in await work.journal(ONE)}
        assert {("seen", "single", "ticket offline"), ("decided", "offline", "accept_new_single")} <= lines
        await work.settle()
        assert len(work.mailbox.replies_to(ONE)) == 1


async def test_a_promise_in_plain_text_is_kept_too() -> None:
    async with at_work() as work:
        ticket = promise(work)
        text = as_text(Texts().render("placeholder_instructions", {"ticket": ticket}))
        work.mailbox.invite(promised(work, text=f"Agenda\n\n{text_block(text, ticket)}\n\nRegards"))
        await work.attend()
        body = (await told(work, ONE)).body_html
        assert "___" not in body
        assert body.startswith("<html><body>\r\n<div>Agenda<br>")


async def test_the_same_promise_in_two_meetings_gives_two_rooms() -> None:
    async with at_work() as work:
        work.mailbox.invite(promised(work))
        work.mailbox.invite(promised(work, "two"))
        await work.attend()
        one, two = await work.record(ONE), await work.record(TWO)
        assert one is not None
        assert two is not None
        assert one.alias_number != two.alias_number
        assert one.mark != two.mark
        await told(work, ONE)
        await told(work, TWO)


async def test_where_the_organizers_meeting_cannot_be_changed_the_reply_keeps_the_promise() -> None:
    async with at_work() as work:
        work.mailbox.refused_organizers.add(ADA.address)
        work.mailbox.invite(promised(work))
        await work.settle()
        (reply,) = work.mailbox.replies_to(ONE)
        room = await work.room(ONE)
        assert room is not None
        assert f"https://meet.example/j/{room.spec.join_id}" in reply.body_html


async def test_a_damaged_placeholder_stays_and_the_instructions_go_in_all_the_same() -> None:
    async with at_work() as work:
        ticket = promise(work)
        work.mailbox.invite(promised(work, text=f"<p>my words GRM:{ticket[-5:]}</p><p>{ticket} and mine</p>"))
        await work.attend()
        body = work.mailbox.organizer_bodies[ONE].body_html
        assert body.startswith(f"<p>my words GRM:{ticket[-5:]}</p><p>{ticket} and mine</p>")
        assert len(find_tickets(body, "GRM")) == 2
        await work.settle()
        assert len(work.mailbox.replies_to(ONE)) == 1
        assert work.mailbox.organizer_bodies[ONE].body_html == body


async def test_an_update_from_a_stale_copy_keeps_the_alias_and_gets_its_text_back() -> None:
    async with at_work() as work:
        first = promised(work)
        work.mailbox.invite(first)
        await work.attend()
        before = await work.record(ONE)
        work.clock.forward(hours=1)
        work.mailbox.invite(replace(first, sent_at=work.clock()))
        await work.settle()
        record = await work.record(ONE)
        assert before is not None
        assert record is not None
        assert record.alias_number == before.alias_number
        assert record.instructions is InstructionsState.WRITTEN
        await told(work, ONE)


async def test_a_stale_copy_that_cannot_be_mended_now_is_mended_later() -> None:
    async with at_work() as work:
        first = promised(work)
        work.mailbox.invite(first)
        await work.attend()
        work.clock.forward(hours=1)
        work.mailbox.invite(replace(first, sent_at=work.clock()))
        work.mailbox.fail("update_invitation", TryLaterError("busy"))
        await work.settle()
        await told(work, ONE)


async def test_a_promise_beside_a_ticket_costs_no_update() -> None:
    async with at_work() as work:
        text = AGENDA.format(f"<p>Meeting reference: {work.ticket(123456789)}</p>" + placeholder(promise(work)))
        work.mailbox.invite(promised(work, text=text))
        await work.settle()
        record = await work.record(ONE)
        assert record is not None
        assert (record.alias_number, record.instructions) == (123456789, InstructionsState.PRESENT)
        assert work.mailbox.organizer_bodies[ONE].body_html == text


async def test_a_promise_in_a_copied_meeting_is_replaced_before_the_copied_text() -> None:
    async with at_work() as work:
        work.mailbox.invite(replace(observation("two"), body_html=f"<p>{work.ticket(123456789)}</p>"))
        await work.attend()
        text = AGENDA.format(placeholder(promise(work)) + f"<p>{work.ticket(123456789)}</p>")
        work.mailbox.invite(promised(work, text=text))
        await work.attend()
        body = work.mailbox.organizer_bodies[ONE].body_html
        assert promise(work) not in body
        assert work.ticket(123456789) in body


async def test_a_meeting_in_a_personal_room_gets_neither_room_nor_answer() -> None:
    async with at_work(policy=Policy(MAILBOX, unticketed=Unticketed.DECLINE)) as work:
        work.mailbox.invite(replace(observation(), body_html=f"<p>{own_room(work)}</p>"))
        await work.settle()
        record = await work.record(ONE)
        assert record is not None
        assert (record.state, record.reason, record.alias_number) == (State.IGNORED, Reason.PERSONAL_ROOM, None)
        assert work.mailbox.replies_to(ONE) == []
        assert await work.room(ONE) is None
        assert ("decided", "personal-room") in [(one.step, one.code) for one in await work.journal(ONE)]


async def test_a_meeting_that_leaves_a_personal_room_gets_one_of_ours() -> None:
    async with at_work() as work:
        work.mailbox.invite(replace(observation(), body_html=f"<p>{own_room(work)}</p>"))
        await work.attend()
        later = work.clock()
        work.mailbox.invite(replace(observation(), body_html=f"<p>{work.ticket(123456789)}</p>", sent_at=later))
        await work.attend()
        assert [reply.verdict for reply in work.mailbox.replies_to(ONE)] == [Verdict.ACCEPT]
        assert await work.room(ONE) is not None


async def test_a_meeting_keeps_its_room_while_its_mailbox_is_invited_whatever_is_pasted_into_it() -> None:
    async with at_work() as work:
        work.mailbox.invite(replace(observation(), body_html=f"<p>{work.ticket(123456789)}</p>"))
        await work.attend()
        later = work.clock()
        work.mailbox.invite(replace(observation(), body_html=f"<p>{own_room(work)}</p>", sent_at=later))
        await work.settle()
        assert {reply.verdict for reply in work.mailbox.replies_to(ONE)} == {Verdict.ACCEPT}
        room = await work.room(ONE)
        assert room is not None
        assert room.retired_at is None
