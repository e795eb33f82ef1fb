"""What the conformance suite asks of looking into organizers' calendars, and of meetings that are booked there as a trial."""

from datetime import timedelta

import pytest

from exchange.conforming.asking import Contract
from exchange.simulated import START, House
from greenroom.exchange.contract import Access, Reply, Trial, Verdict
from greenroom.exchange.errors import MisconfiguredError, NotPermittedError
from greenroom.meetings.meeting import Response, Sensitivity
from support.simulator import ATTENDEE, EQUIPMENT, ORGANIZER

TRIAL = Trial("Please <ignore>", "<p>Trial &amp; error 4711</p>", START, START + timedelta(minutes=30), private=True)


class TryingContract(Contract):
    """Whose calendar is open to us is told without changing it, and a trial leaves nothing with its organizer."""

    async def test_it_is_told_whose_calendar_can_be_opened(self, house: House) -> None:
        assert (await house.mailbox.may_act_for(ORGANIZER)).access is Access.YES
        nobody = await house.mailbox.may_act_for("nobody@sim.test")
        assert (nobody.access, bool(nobody.code)) == (Access.NOT_FOUND, True)
        house.forbid_organizers()
        refused = await house.mailbox.may_act_for(ORGANIZER)
        assert (refused.access, bool(refused.code)) == (Access.NO, True)
        assert (await house.mailbox.may_act_for(EQUIPMENT)).access is Access.YES

    async def test_a_trial_invites_the_mailbox_and_is_found_by_its_mark(self, house: House) -> None:
        house.invite("Something else")
        await house.mailbox.book_trial(ORGANIZER, EQUIPMENT, TRIAL)
        (trial,) = await house.mailbox.trials(ORGANIZER, EQUIPMENT)
        assert (trial.start, trial.response) == (START, Response.NONE)
        assert "4711" in trial.invitation.body_html
        own = house.own(trial.key)
        assert (own.subject, own.sensitivity) == ("Please <ignore>", "Private")
        assert [one.person.address for one in own.meeting.attendees] == [EQUIPMENT]
        if house.processing != "none":
            copy = await house.mailbox.find(trial.key)
            assert copy is not None
            assert (copy.subject, copy.sensitivity) == ("Please <ignore>", Sensitivity.PRIVATE)
            assert "4711" in copy.body_html

    async def test_the_answer_shows_in_the_trial(self, house: House) -> None:
        if house.processing == "none":
            pytest.skip("what is answered there is a message")
        await house.mailbox.book_trial(ORGANIZER, EQUIPMENT, TRIAL)
        (trial,) = await house.mailbox.trials(ORGANIZER, EQUIPMENT)
        copy = await house.mailbox.find(trial.key)
        assert copy is not None
        await house.mailbox.respond([Reply(copy.ref, Verdict.ACCEPT, "<p>Yes</p>")])
        (answered,) = await house.mailbox.trials(ORGANIZER, EQUIPMENT)
        assert answered.response is Response.ACCEPTED
        assert answered.replied_at is not None

    async def test_a_cancelled_trial_leaves_nothing_with_its_organizer(self, house: House) -> None:
        await house.mailbox.book_trial(ORGANIZER, EQUIPMENT, TRIAL)
        (trial,) = await house.mailbox.trials(ORGANIZER, EQUIPMENT)
        await house.mailbox.cancel_trial(ORGANIZER, trial.ref)
        assert await house.mailbox.trials(ORGANIZER, EQUIPMENT) == []
        await house.mailbox.cancel_trial(ORGANIZER, trial.ref)
        assert not house.has(trial.key, ORGANIZER)
        assert house.simulator.exchange.items(ORGANIZER, "inbox") == []
        copy = await house.mailbox.find(trial.key)
        assert house.processing == "none" or (copy is not None and copy.cancelled)

    async def test_nothing_is_booked_where_we_have_no_right_or_nobody_is(self, house: House) -> None:
        with pytest.raises(MisconfiguredError):
            await house.mailbox.book_trial("nobody@sim.test", EQUIPMENT, TRIAL)
        house.forbid_organizers()
        with pytest.raises(NotPermittedError):
            await house.mailbox.book_trial(ATTENDEE, EQUIPMENT, TRIAL)
        with pytest.raises(NotPermittedError):
            await house.mailbox.trials(ATTENDEE, EQUIPMENT)
