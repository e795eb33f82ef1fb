"""What the conformance suite asks of changes to organizers' own meetings."""

from dataclasses import replace
from datetime import timedelta

from exchange.conforming.asking import BLOCK, WEEKLY, Contract, observed, the_one, with_block
from exchange.simulated import House
from greenroom.exchange.contract import Invitation, UpdateResult
from greenroom.meetings.meeting import MeetingKey
from support.simulator import ATTENDEE, ORGANIZER


class InvitingContract(Contract):
    """The organizer's own meeting is changed, and nothing of it lost."""

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


class BothFacesContract(Contract):
    """Both protocols show one and the same meeting."""

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
