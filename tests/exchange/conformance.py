"""The conformance suite of the `Mailbox` contract: every adapter passes all of it.

Bind it in three lines: derive a class from `MailboxContract`, and give it the fixture `house`.
What an adapter cannot do it leaves out of `capabilities`; the tests that need it are then skipped and named.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from exchange.simulated import HOUR, START, House
from greenroom.exchange.contract import Changes, Invitation, Reply, Unreadable, UpdateResult, Verdict
from greenroom.exchange.errors import (
    CursorExpiredError,
    ItemGoneError,
    OutcomeUnknownError,
    SignInError,
    TryLaterError,
)
from greenroom.meetings.meeting import Glance, ItemRef, Kind, MeetingKey, Observation, Response
from greenroom.simulator.recurrence import Recurrence, Weekly
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER

BLOCK = "<p>Join: 123456</p>"
WEEKLY = Recurrence(Weekly(1, ("Tuesday",)), (START - timedelta(days=7)).date(), count=6)


async def everything(house: House, cursor: str = "", limit: int = 100) -> tuple[list[Glance], list[str], str]:
    """Follow the feed to its end."""
    glances: list[Glance] = []
    gone: list[str] = []
    while True:
        changes: Changes = await house.mailbox.changes(cursor, limit=limit)
        glances.extend(changes.glances)
        gone.extend(changes.gone)
        cursor = changes.cursor
        if not changes.more:
            return glances, gone, cursor


async def observed(house: House, cursor: str = "") -> tuple[list[Observation], str]:
    """Everything readable behind the changes since `cursor`."""
    glances, _, after = await everything(house, cursor)
    results = await house.mailbox.read([g.ref for g in glances])
    return [r for r in results if isinstance(r, Observation)], after


async def the_one(house: House, cursor: str = "") -> Observation:
    found, _ = await observed(house, cursor)
    assert len(found) == 1, [(o.kind, o.ref.is_message) for o in found]
    return found[0]


def with_block(invitation: Invitation) -> Invitation | None:
    """Add the block once, at the end of the content."""
    if BLOCK in invitation.body_html:
        return None
    before, end, after = invitation.body_html.rpartition("</body>")
    return replace(invitation, body_html=before + BLOCK + end + after if end else after + BLOCK)


class MailboxContract:
    """What every adapter must do, with a server that keeps the calendar (`auto_update`) and one that does not (`none`)."""

    capabilities: ClassVar[frozenset[str]] = frozenset({"push", "glances", "expiring-cursors"})
    """`push`: hints by notification. `glances`: lists show key and fingerprint. `expiring-cursors`: Exchange may forget a place."""

    def needs(self, capability: str) -> None:
        if capability not in self.capabilities:
            pytest.skip(f"this adapter has no capability {capability!r}")

    # --- learning -------------------------------------------------------------------------------------------------

    async def test_an_empty_mailbox_has_no_changes_and_a_place_to_go_on_from(self, house: House) -> None:
        glances, gone, cursor = await everything(house)
        assert (glances, gone) == ([], [])
        assert cursor
        assert await everything(house, cursor) == ([], [], cursor) or (await everything(house, cursor))[0] == []

    async def test_an_invitation_is_observed_with_everything_it_says(self, house: House) -> None:
        key = house.invite("Planning & <more>", sensitivity="Private")
        seen = await the_one(house)
        assert seen.key == key
        assert seen.kind is Kind.SINGLE
        assert seen.span is not None
        assert (seen.span.start, seen.span.end, seen.span.until) == (START, START + HOUR, None)
        assert seen.organizer.address == ORGANIZER
        assert seen.organizer.name == "Olga Organizer"
        assert seen.subject == "Planning & <more>"
        assert "Agenda" in seen.body_html
        assert seen.location == "Room 4"
        assert {p.address for p in seen.attendees} >= {ATTENDEE, EQUIPMENT}
        assert seen.sensitivity.value == "private"
        assert (seen.cancelled, seen.is_organizer, seen.informational_copy) == (False, False, False)
        assert seen.response is Response.NONE
        assert seen.response_requested
        assert seen.replied_at is None
        assert seen.received_at is not None
        assert seen.ref.is_message is (house.processing == "none")

    async def test_a_glance_knows_key_and_fingerprint_where_the_list_shows_them(self, house: House) -> None:
        self.needs("glances")
        key = house.invite()
        (glance,), _, _ = await everything(house)
        seen = await the_one(house)
        assert glance.key in (None, key)
        assert glance.fingerprint in (None, seen.fingerprint)
        assert glance.response in (None, Response.NONE)
        assert not glance.own_answer

    async def test_a_backlog_comes_in_slices_and_nothing_is_lost(self, house: House) -> None:
        keys = {house.invite(f"M{n}", start=START + n * HOUR) for n in range(23)}
        first = await house.mailbox.changes("", limit=5)
        assert first.more
        assert len(first.glances) <= 10
        glances, _, cursor = await everything(house, "", limit=5)
        found = await house.mailbox.read([g.ref for g in glances])
        assert {o.key for o in found if isinstance(o, Observation)} == keys
        assert (await everything(house, cursor))[0] == []

    async def test_the_feed_goes_on_from_a_stored_place(self, house: House) -> None:
        house.invite("first")
        _, _, cursor = await everything(house)
        later = house.invite("second", start=START + HOUR)
        found, _ = await observed(house, cursor)
        assert [o.key for o in found] == [later]

    async def test_a_place_that_is_not_known_any_more_is_said_to_be_expired(self, house: House) -> None:
        self.needs("expiring-cursors")
        _, _, cursor = await everything(house)
        house.simulator.exchange.expire_sync_states()
        with pytest.raises(CursorExpiredError):
            await house.mailbox.changes(cursor, limit=10)
        assert await everything(house)

    async def test_a_place_that_is_not_ours_is_said_to_be_expired(self, house: House) -> None:
        for foreign in ("not a cursor of ours", "{}", "[1]", '{"v":1}', "null"):
            with pytest.raises(CursorExpiredError):
                await house.mailbox.changes(foreign, limit=10)
        assert await everything(house)

    async def test_an_update_is_observed_as_it_is_now(self, house: House) -> None:
        key = house.invite()
        _, cursor = await observed(house)
        house.change(key, start=START + 2 * HOUR, end=START + 3 * HOUR, subject="Moved")
        found, _ = await observed(house, cursor)
        assert [o.subject for o in found] == ["Moved"]
        assert found[0].span is not None
        assert found[0].span.start == START + 2 * HOUR

    async def test_an_update_after_our_answer_is_seen(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "ok")])
        _, cursor = await observed(house)
        house.simulator.clock.advance(timedelta(minutes=1))
        house.change(key, start=START + 2 * HOUR, end=START + 3 * HOUR)
        found, _ = await observed(house, cursor)
        (now,) = [o for o in found if o.key == key]
        assert now.span is not None
        assert now.span.start == START + 2 * HOUR
        assert now.response is Response.NONE

    async def test_an_answer_and_an_update_in_one_slice_show_the_update(self, house: House) -> None:
        key = house.invite()
        seen, cursor = await observed(house)
        await house.mailbox.respond([Reply(seen[0].ref, Verdict.ACCEPT, "ok")])
        house.simulator.clock.advance(timedelta(minutes=1))
        house.change(key, start=START + 2 * HOUR, end=START + 3 * HOUR)
        found, _ = await observed(house, cursor)
        (now,) = [o for o in found if o.key == key]
        assert now.span is not None
        assert now.span.start == START + 2 * HOUR

    async def test_a_cancellation_is_observed(self, house: House) -> None:
        key = house.invite()
        _, cursor = await observed(house)
        house.cancel(key)
        found, _ = await observed(house, cursor)
        assert [(o.key, o.cancelled) for o in found] == [(key, True)]

    async def test_a_cancellation_after_our_answer_is_observed(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "ok")])
        _, cursor = await observed(house)
        house.simulator.clock.advance(timedelta(minutes=1))
        house.cancel(key)
        found, _ = await observed(house, cursor)
        assert [(o.key, o.cancelled) for o in found] == [(key, True)]

    async def test_the_mailbox_taken_off_the_attendees_sees_a_cancellation(self, house: House) -> None:
        key = house.invite()
        _, cursor = await observed(house)
        stays = tuple(a for a in house.own(key).meeting.attendees if a.person.address != EQUIPMENT)
        house.change(key, attendees=stays)
        found, _ = await observed(house, cursor)
        assert [(o.key, o.cancelled) for o in found] == [(key, True)]

    async def test_an_appointment_of_its_own_is_no_meeting_or_known_as_its_own(self, house: House) -> None:
        house.simulator.exchange.create_meeting(
            EQUIPMENT, {"subject": "Service", "start": START, "end": START + HOUR}, "SendToNone"
        )
        glances, _, _ = await everything(house)
        for result in await house.mailbox.read([g.ref for g in glances]):
            assert isinstance(result, Unreadable) or result.is_organizer

    async def test_a_plain_mail_is_not_noticed(self, house: House) -> None:
        house.simulator.exchange.create_message(
            ORGANIZER, {"subject": "Hi", "to": (house.simulator.exchange.mailbox(EQUIPMENT).person,)}, "SendAndSaveCopy"
        )
        assert (await everything(house))[0] == []

    # --- the inventory --------------------------------------------------------------------------------------------

    async def test_the_inventory_has_every_meeting_that_is_not_over(self, house: House) -> None:
        kept = {house.invite(f"M{n}", start=START + n * HOUR) for n in range(3)}
        cancelled, gone = house.invite("off", start=START + 4 * HOUR), house.invite("gone", start=START + 5 * HOUR)
        series = house.invite("weekly", start=START - timedelta(days=7), recurrence=WEEKLY)
        house.cancel(cancelled)
        house.remove(gone)
        found = await self.keys(house, await house.mailbox.inventory(START + timedelta(minutes=30)))
        assert found >= {*kept, cancelled, series}
        assert gone not in found

    async def test_the_inventory_shows_what_the_feed_shows_and_leaves_the_feed_where_it_was(self, house: House) -> None:
        self.needs("glances")
        key = house.invite()
        glances, _, cursor = await everything(house)
        listed = await house.mailbox.inventory(START)
        assert {(g.key, g.fingerprint, g.response) for g in listed} == {
            (g.key, g.fingerprint, g.response) for g in glances
        }
        assert (await everything(house, cursor))[0] == []
        found = await house.mailbox.read([g.ref for g in listed])
        assert [o.key for o in found if isinstance(o, Observation)] == [key]

    async def test_half_an_inventory_is_none(self, house: House) -> None:
        house.invite()
        house.simulator.fail(kind="http_503", operation=house.operations["changes"], retry_after=60)
        with pytest.raises(TryLaterError):
            await house.mailbox.inventory(START)

    async def keys(self, house: House, glances: list[Glance]) -> set[MeetingKey]:
        """The keys of glances, read where the list does not show them."""
        unknown = [g.ref for g in glances if g.key is None]
        read = await house.mailbox.read(unknown)
        return {g.key for g in glances if g.key} | {o.key for o in read if isinstance(o, Observation)}

    # --- reading --------------------------------------------------------------------------------------------------

    async def test_one_dead_and_one_malformed_reference_do_not_spoil_the_others(self, house: House) -> None:
        self.needs("glances")  # else the list begins with messages, which lead to their items
        keys = [house.invite(f"M{n}", start=START + n * HOUR) for n in range(12)]
        glances, _, _ = await everything(house)
        dead = glances[3].ref
        house.simulator.exchange.delete_item(EQUIPMENT, house.item_id(dead), "HardDelete")
        refs = [g.ref for g in glances] + [ItemRef("no such id <&>")]
        results = await house.mailbox.read(refs)
        unread = [r for r in results if isinstance(r, Unreadable)]
        assert {r.ref for r in unread} == {dead, refs[-1]}
        assert isinstance(next(r for r in unread if r.ref == dead).error, ItemGoneError)
        assert all(r.error is not None for r in unread)
        assert len([r for r in results if isinstance(r, Observation)]) == len(keys) - 1

    async def test_nothing_read_costs_nothing(self, house: House) -> None:
        before = house.simulator.calls()
        assert await house.mailbox.read([]) == []
        assert await house.mailbox.respond([]) == []
        assert house.simulator.calls() == before

    async def test_find_gives_the_meeting_by_its_key_or_none(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "ok")])
        found = await house.mailbox.find(key)
        assert found is not None
        assert (found.key, found.response, found.fingerprint) == (key, Response.ACCEPTED, seen.fingerprint)
        assert await house.mailbox.find(MeetingKey.of_uid("unheard@of")) is None

    async def test_a_meeting_that_cannot_be_read_just_now_does_not_pass_for_one_that_is_gone(
        self, house: House
    ) -> None:
        key = house.invite()
        seen = await the_one(house)
        await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "ok")])
        house.simulator.fail(kind="server_busy", operation=house.operations["find"], nested=True, back_off_ms=10)
        with pytest.raises(TryLaterError):
            await house.mailbox.find(key)

    # --- answering ------------------------------------------------------------------------------------------------

    async def test_an_accept_reaches_the_organizer_with_its_text(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "<p>Room 123 &amp; more</p>")])
        assert result.error is None
        assert house.answer_seen_by_organizer(key) == "Accept"
        (body,) = house.replies_to_organizer()
        assert "Room 123" in body
        found = await house.mailbox.find(key)
        assert found is not None
        assert found.response is Response.ACCEPTED
        assert found.replied_at is not None

    async def test_a_decline_reaches_the_organizer(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.DECLINE, "<p>No</p>")])
        assert result.error is None
        assert house.answer_seen_by_organizer(key) == "Decline"

    async def test_an_unsent_accept_marks_the_calendar_and_tells_nobody(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "", send=False)])
        assert result.error is None
        assert house.replies_to_organizer() == []
        assert house.own(key, EQUIPMENT).my_response == "Accept"

    async def test_our_own_answer_is_recognised_without_reading(self, house: House) -> None:
        self.needs("glances")
        key = house.invite()
        seen, cursor = await observed(house)
        await house.mailbox.respond([Reply(seen[0].ref, Verdict.ACCEPT, "ok")])
        glances, _, _ = await everything(house, cursor)
        (echo,) = [g for g in glances if g.key == key]
        assert (echo.fingerprint, echo.response, echo.own_answer) == (seen[0].fingerprint, Response.ACCEPTED, True)

    async def test_many_answers_cost_few_calls_and_one_bad_one_spoils_none(self, house: House) -> None:
        count = house.many_replies
        keys = [house.invite(f"M{n}", start=START + n * HOUR) for n in range(count)]
        found, _ = await observed(house)
        gone = found[7]
        house.simulator.exchange.delete_item(EQUIPMENT, house.item_id(gone.ref), "HardDelete")
        before = house.simulator.calls()
        results = await house.mailbox.respond([Reply(o.ref, Verdict.ACCEPT, "ok") for o in found])
        assert house.simulator.calls() - before <= house.calls_to_reply(count)
        assert [r.ref for r in results] == [o.ref for o in found]
        assert {r.ref for r in results if r.error is not None} == {gone.ref}
        assert isinstance(results[7].error, ItemGoneError)
        assert [house.answer_seen_by_organizer(k) for k in keys].count("Accept") == count - 1

    async def test_a_lost_answer_to_a_reply_is_an_unknown_outcome(self, house: House) -> None:
        key = house.invite()
        seen = await the_one(house)
        house.lose_answer("reply")
        try:
            (result,) = await house.mailbox.respond([Reply(seen.ref, Verdict.ACCEPT, "ok")])
            told = result.error
        except OutcomeUnknownError as error:
            told = error
        assert isinstance(told, OutcomeUnknownError)
        assert len(house.replies_to_organizer()) == 1, "a write is never repeated by itself"
        found = await house.mailbox.find(key)
        assert found is not None
        assert found.response is Response.ACCEPTED

    # --- the organizer's meeting ----------------------------------------------------------------------------------

    async def test_instructions_go_into_the_organizers_meeting_and_to_the_attendees(self, house: House) -> None:
        key = house.invite(body="<p>Agenda</p>")
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.WRITTEN
        assert BLOCK in house.text(key).body_html
        assert "Agenda" in house.text(key).body_html
        assert house.text(key).location == "Room 4"
        assert BLOCK in house.own(key, ATTENDEE).body.content

    async def test_instructions_that_are_there_are_not_written_again(self, house: House) -> None:
        key = house.invite(body=f"<p>Agenda</p>{BLOCK}")
        version = house.own(key).change_key
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.PRESENT
        assert house.own(key).change_key == version

    async def test_a_plain_text_invitation_keeps_its_words(self, house: House) -> None:
        key = house.invite(body="ignored")
        house.change(key, tell=False, body=type(house.own(key).body)("One <two> & three\n  four", "Text"))
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.WRITTEN
        text = house.text(key).body_html
        assert "One &lt;two&gt; &amp; three" in text
        assert "four" in text
        assert BLOCK in text

    async def test_only_the_location_may_change(self, house: House) -> None:
        key = house.invite()
        result = await house.mailbox.update_invitation(ORGANIZER, key, lambda i: replace(i, location="VMR; Room 4"))
        assert result is UpdateResult.WRITTEN
        assert house.text(key).location == "VMR; Room 4"
        assert "Agenda" in house.text(key).body_html

    async def test_a_change_by_the_organizer_meanwhile_is_kept(self, house: House) -> None:
        key = house.invite()
        asked = 0

        def edit(invitation: Invitation) -> Invitation | None:
            nonlocal asked
            asked += 1
            if asked == 1:
                house.change(key, tell=False, location="Changed meanwhile")
            return with_block(invitation)

        assert await house.mailbox.update_invitation(ORGANIZER, key, edit) is UpdateResult.WRITTEN
        assert asked == 2
        assert house.text(key).location == "Changed meanwhile"
        assert BLOCK in house.text(key).body_html

    async def test_a_lost_answer_to_an_update_is_looked_for(self, house: House) -> None:
        key = house.invite()
        house.lose_answer("update")
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.WRITTEN
        assert house.text(key).body_html.count(BLOCK) == 1
        assert house.simulator.calls(house.operations["update"]) == 1

    async def test_a_meeting_the_organizer_does_not_have_is_not_found(self, house: House) -> None:
        result = await house.mailbox.update_invitation(ORGANIZER, MeetingKey.of_uid("unheard@of"), with_block)
        assert result is UpdateResult.NOT_FOUND

    async def test_a_copy_of_somebody_who_only_attends_is_never_changed(self, house: House) -> None:
        key = house.invite()
        version = house.own(key, ATTENDEE).change_key
        assert await house.mailbox.update_invitation(ATTENDEE, key, with_block) is UpdateResult.NOT_FOUND
        assert house.own(key, ATTENDEE).change_key == version

    async def test_an_organizer_elsewhere_is_said_to_be_elsewhere(self, house: House) -> None:
        key = house.invite()
        result = await house.mailbox.update_invitation("boss@partner.test", key, with_block)
        assert result is UpdateResult.ELSEWHERE

    async def test_an_organizer_we_have_no_right_for_is_refused(self, house: House) -> None:
        key = house.invite()
        house.forbid_organizers()
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.REFUSED

    # --- both faces -----------------------------------------------------------------------------------------------

    async def test_an_organizer_on_the_other_face_sees_the_same_meeting(self, house: House) -> None:
        key = house.invite("Planning", recurrence=WEEKLY)
        seen = await the_one(house)
        assert await house.mailbox.update_invitation(ORGANIZER, key, with_block) is UpdateResult.WRITTEN
        other = house.open_other_face(ORGANIZER)
        try:
            theirs = await other.find(key)
        finally:
            await other.close()
        assert theirs is not None
        assert (theirs.kind, theirs.subject, theirs.location) == (seen.kind, seen.subject, seen.location)
        assert theirs.fingerprint == seen.fingerprint
        assert theirs.is_organizer
        assert BLOCK in theirs.body_html

    async def test_what_an_organizer_changes_over_the_other_face_is_observed(self, house: House) -> None:
        key = house.invite()
        _, cursor = await observed(house)
        house.simulator.clock.advance(timedelta(minutes=1))
        other = house.open_other_face(ORGANIZER)
        try:
            assert await other.update_invitation(ORGANIZER, key, with_block) is UpdateResult.WRITTEN
        finally:
            await other.close()
        found, _ = await observed(house, cursor)
        assert [(o.key, BLOCK in o.body_html) for o in found] == [(key, True)]

    # --- being woken ----------------------------------------------------------------------------------------------

    async def test_an_invitation_wakes_and_a_burst_wakes_once(self, house: House) -> None:
        self.needs("push")
        hints = house.mailbox.wakeups()
        assert isinstance(hints, AsyncGenerator)
        async with aclosing(hints):
            waiting = asyncio.ensure_future(anext(hints))
            await house.eventually(lambda: house.listeners_made() > 0)
            for n in range(5):
                house.invite(f"M{n}", start=START + n * HOUR)
            await asyncio.wait_for(waiting, 5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(hints), 1)

    async def test_listening_that_exchange_ended_is_taken_up_again_with_a_hint(self, house: House) -> None:
        self.needs("push")
        hints = house.mailbox.wakeups()
        assert isinstance(hints, AsyncGenerator)
        async with aclosing(hints):
            waiting = asyncio.ensure_future(anext(hints))
            await house.eventually(lambda: house.listeners_made() > 0)
            house.stop_listening()
            await asyncio.wait_for(waiting, 5)
            await house.eventually(lambda: house.listeners_made() > 1)

    async def test_nobody_is_left_listening_after_the_end(self, house: House) -> None:
        self.needs("push")
        hints = house.mailbox.wakeups()
        assert isinstance(hints, AsyncGenerator)
        async with aclosing(hints):
            waiting = asyncio.ensure_future(anext(hints))
            await house.eventually(lambda: house.listeners_made() > 0)
            house.invite()
            await asyncio.wait_for(waiting, 5)
        assert house.listeners_ended() == 1

    # --- trouble --------------------------------------------------------------------------------------------------

    async def test_a_busy_server_is_left_alone_as_long_as_it_asks(self, house: House) -> None:
        house.simulator.fail(kind="http_429", retry_after=30, times=1)
        with pytest.raises(TryLaterError) as told:
            await house.mailbox.changes("", limit=10)
        assert not isinstance(told.value, OutcomeUnknownError)
        assert told.value.after is not None
        assert timedelta(seconds=25) < told.value.after <= timedelta(seconds=30)
        before = house.simulator.calls()
        with pytest.raises(TryLaterError):
            await house.mailbox.changes("", limit=10)
        assert house.simulator.calls() == before

    async def test_one_broken_answer_to_a_reading_call_is_not_noticed(self, house: House) -> None:
        key = house.invite()
        for operation in (house.operations["changes"], house.operations["read"]):
            house.simulator.fail(kind="truncated_reply", operation=operation, times=1)
        assert (await the_one(house)).key == key

    async def test_answers_that_stay_broken_are_something_to_try_later(self, house: House) -> None:
        house.invite()
        glances, _, _ = await everything(house)
        house.simulator.fail(kind="garbage_reply")
        with pytest.raises(TryLaterError):
            await house.mailbox.changes("", limit=10)
        with pytest.raises(TryLaterError):
            await house.mailbox.read([g.ref for g in glances])

    async def test_a_refused_sign_in_is_not_repeated(self, house: House) -> None:
        house.simulator.fail(kind="unauthorized")
        for _ in range(3):
            with pytest.raises(SignInError):
                await house.mailbox.check()
        assert house.simulator.calls() <= house.calls_of_a_refusal

    async def test_check_says_nothing_when_all_is_well(self, house: House) -> None:
        await house.mailbox.check()
