"""What the conformance suite asks of answers to invitations."""

from exchange.conforming.asking import Contract, everything, observed, the_one
from exchange.simulated import HOUR, START, House
from greenroom.exchange.contract import Reply, Verdict
from greenroom.exchange.errors import (
    ItemGoneError,
    OutcomeUnknownError,
)
from greenroom.meetings.meeting import Response
from support.simulator import EQUIPMENT


class AnsweringContract(Contract):
    """Answers reach the organizer, and whether they did is never guessed."""

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
