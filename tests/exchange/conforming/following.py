"""What the conformance suite asks of following a calendar."""

from datetime import timedelta

import pytest

from exchange.conforming.asking import Contract, everything, observed, the_one
from exchange.simulated import HOUR, START, House
from greenroom.exchange.contract import Reply, Unreadable, Verdict
from greenroom.exchange.errors import (
    CursorExpiredError,
)
from greenroom.meetings.meeting import Kind, Observation, Response
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER


class FollowingContract(Contract):
    """The feed tells what changed, and what it tells can be read."""

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
