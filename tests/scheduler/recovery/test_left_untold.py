"""A recovery that was told to write to nobody keeps that promise behind its end: until the organizer changes the meeting."""

from typing import Any

import pytest

from greenroom.exchange.errors import NotPermittedError, TryLaterError
from greenroom.meetings.meeting import Observation, Response
from greenroom.meetings.record import InstructionsState, State
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.scheduler.integration import Manner
from support.greenroom_at_work import Died, die_at
from support.observations import NOW, observation, weekly
from support.recovering import Disaster, disaster
from support.stubborn_platform import StubbornPlatform

ACCEPTED: dict[str, Any] = {"response": Response.ACCEPTED, "replied_at": NOW}


def nobody_was_told(at: Disaster) -> bool:
    return at.mailbox.updated == [] and at.mailbox.sent == []


async def test_who_was_left_untold_is_told_with_the_next_change() -> None:
    async with disaster() as at:
        key = at.book("one", **ACCEPTED)
        await at.recover(updates=False)
        (item,) = at.mailbox.items.values()
        at.mailbox.put(item)
        await at.attendant().take_up([item], manner=Manner(afresh=True))  # as mending a room does
        await at.settle_quickly()
        assert nobody_was_told(at)
        alias = getattr(await at.record(key), "alias_number", None)
        at.move(key)
        await at.settle_quickly()
        record = await at.record(key)
        assert record is not None
        assert (record.alias_number, record.instructions) == (alias, InstructionsState.WRITTEN)
        assert (at.mailbox.updated, len(at.mailbox.sent)) == ([key], 1)


@pytest.mark.slow
async def test_a_series_whose_changes_no_list_shows_is_looked_at_every_day_and_left_untold() -> None:
    async with disaster() as at:
        at.mailbox.hides_exceptions = True
        at.book("series", seen=weekly("series"), **ACCEPTED)
        await at.recover(updates=False)
        for _ in range(25):
            at.clock.forward(hours=1)
            attendant = at.attendant()
            await attendant.attend()
            await attendant.reconcile()
        assert nobody_was_told(at)


async def test_what_failed_is_tried_again_without_a_word() -> None:
    built: list[StubbornPlatform] = []

    def wrap(inner: Platform) -> Platform:
        built.append(StubbornPlatform(inner))
        return built[0]

    async with disaster(platform=wrap) as at:
        key = at.book("one", **ACCEPTED)
        built[0].ensuring = [PlatformUnavailableError("down")]
        assert len((await at.recover(updates=False)).failed) == 1
        await at.settle_quickly()
        record = await at.record(key)
        assert record is not None
        assert record.state is State.SCHEDULED
        assert nobody_was_told(at)


@pytest.mark.parametrize(
    "number", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
async def test_what_was_begun_is_brought_to_its_end_without_a_word(number: int) -> None:
    async with disaster() as at:
        at.book("one", **ACCEPTED)
        step, _ = die_at(number)
        with pytest.raises(Died):
            await at.recover(step=step, updates=False)
        await at.settle_quickly()
        assert len(await at.rooms()) == 1
        assert nobody_was_told(at)


@pytest.mark.parametrize("seen", [observation("one"), weekly("one")], ids=["single", "series"])
async def test_a_later_recovery_answers_whose_meeting_may_not_be_written_to(seen: Observation) -> None:
    async with disaster() as at:
        key = at.book("one", seen=seen, **ACCEPTED)
        await at.recover(updates=False)
        alias = getattr(await at.record(key), "alias_number", None)
        at.mailbox.fail("update_invitation", NotPermittedError("denied", code="ErrorAccessDenied"))
        done = await at.recover()
        assert (done.mails, len(at.mailbox.sent)) == (1, 1)
        record = await at.record(key)
        assert record is not None
        assert (record.alias_number, record.instructions) == (alias, InstructionsState.IN_REPLY)
        assert str(alias) in at.mailbox.sent[0].body_html
        assert (await at.plan()).told == 0
        await at.settle_quickly()
        assert len(at.mailbox.sent) == 1


async def test_an_answer_that_could_not_be_sent_leaves_its_organizer_untold() -> None:
    async with disaster() as at:
        at.book("one", **ACCEPTED)
        await at.recover(updates=False)
        at.mailbox.fail("update_invitation", NotPermittedError("denied", code="ErrorAccessDenied"))
        at.mailbox.fail("respond", TryLaterError("busy", code="unreachable"))
        await at.recover()
        assert at.mailbox.sent == []
        at.clock.forward(hours=1)
        at.mailbox.fail("update_invitation", NotPermittedError("denied", code="ErrorAccessDenied"))
        await at.recover()
        assert len(at.mailbox.sent) == 1
