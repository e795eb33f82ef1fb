"""The live test with a mailbox in memory: each step is told, whatever is made is taken away again."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from greenroom.doctor.contract import State
from greenroom.doctor.fetching import Page
from greenroom.exchange.contract import Access, Permitted
from greenroom.exchange.errors import OutcomeUnknownError, SignInError, TryLaterError
from greenroom.meetings.meeting import Response, Sensitivity
from greenroom.meetings.policy import Policy, Unticketed
from greenroom.platforms.contract import Platform
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.settings import Integration
from support.observations import MAILBOX
from support.stubborn_platform import StubbornPlatform
from support.trying import bad, trying_with_a_fake

PERSON = "olga@sim.test"


def several(*row: object) -> Any:
    """Leave one more of a kind to the long run: each is a whole life of two meetings."""
    return pytest.param(*row, marks=pytest.mark.slow)


async def test_a_mailbox_that_is_well_passes_every_step(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        found = await trying.run(PERSON)
        assert bad(found) == {}, found
        assert set(found) == {
            *("live-booking", "live-arrival", "live-answer", "live-subject", "live-text", "live-private", "live-room"),
            *("live-join-page", "live-instructions", "live-reply", "live-conflict", "live-cancelling", "live-tidying"),
        }
        assert work.mailbox.booked == {PERSON: {}}
        assert len(work.mailbox.sent) == 2
        assert trying.said[0] == "booking"


@pytest.mark.parametrize(
    ("change", "check", "mend"),
    [
        several({"subject": ""}, "live-subject", "-DeleteSubject $false"),
        several(
            {"subject": "Olga Organizer Greenroom test, please ignore"}, "live-subject", "-AddOrganizerToSubject $false"
        ),
        ({"subject": "Olga Organizer"}, "live-subject", "-DeleteSubject $false -AddOrganizerToSubject $false"),
        several({"body_html": ""}, "live-text", "-DeleteComments $false"),
        several({"sensitivity": Sensitivity.NORMAL}, "live-private", "-RemovePrivateProperty $false"),
    ],
    ids=["subject", "organizer", "both", "text", "private"],
)
async def test_what_is_stripped_is_named_with_its_cmdlet(
    change: dict[str, object], check: str, mend: str, entry: Integration
) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.arriving = lambda seen: replace(seen, **change)  # type: ignore[arg-type]  # one of the rows above
        found = await trying.run(PERSON)
        assert bad(found) == {check: State.WRONG}
        assert found[check].mend == f"Set-CalendarProcessing -Identity '{MAILBOX}' {mend}"


@pytest.mark.slow
async def test_an_answer_that_is_not_ours_is_seen(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.arriving = lambda seen: replace(seen, response=Response.ACCEPTED, replied_at=work.clock())
        found = await trying.run(PERSON)
        assert bad(found) == {"live-answer": State.WRONG}
        assert found["live-answer"].mend.endswith("-AutomateProcessing 'AutoUpdate'")


async def test_what_does_not_arrive_is_said_to_be_set_wrongly_or_lost(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.arriving = lambda _seen: None
        found = await trying.run(PERSON)
        assert bad(found) == {"live-arrival": State.WRONG}
        assert "-AutomateProcessing 'AutoUpdate' -AddNewRequestsTentatively $true" in found["live-arrival"].mend
        assert work.mailbox.booked == {PERSON: {}}


@pytest.mark.slow
async def test_meetings_that_vanish_when_they_are_cancelled_are_named(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.forgets_cancelled = True
        found = await trying.run(PERSON)
        assert bad(found) == {"live-cancelling": State.WRONG}
        assert found["live-cancelling"].mend.endswith("-RemoveCanceledMeetings $false")


@pytest.mark.slow
async def test_organizers_whose_meetings_may_not_be_changed_are_no_fault(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.refused_organizers.add(PERSON)
        found = await trying.run(PERSON)
        assert bad(found) == {"live-instructions": State.NOTE}
        assert "--organizers" in found["live-instructions"].mend


@pytest.mark.slow
async def test_a_policy_that_wants_tickets_is_no_fault(entry: Integration) -> None:
    async with trying_with_a_fake(entry, policy=Policy(MAILBOX, unticketed=Unticketed.DECLINE)) as (trying, _):
        found = await trying.run(PERSON)
        assert bad(found) == {"live-room": State.NOTE}
        assert found["live-answer"].state is State.WELL


def down(platform: Platform) -> StubbornPlatform:
    return StubbornPlatform(platform, [PlatformUnavailableError("down") for _ in range(50)])


@pytest.mark.slow
async def test_a_platform_without_rooms_is_named(entry: Integration) -> None:
    async with trying_with_a_fake(entry, platform=down) as (trying, _):
        found = await trying.run(PERSON)
        assert found["live-room"].state is State.WRONG
        assert found["live-room"].mend.startswith("greenroom explain ")
        assert found["live-reply"].state is State.WRONG
        assert found["live-tidying"].state is State.WELL


@pytest.mark.slow
async def test_a_join_page_that_does_not_answer_is_named(entry: Integration) -> None:
    async def gone(_url: str) -> Page:
        return Page(failure="nothing can be reached there")

    async with trying_with_a_fake(entry) as (trying, _):
        trying.scene = replace(trying.scene, page=gone)
        assert bad(await trying.run(PERSON)) == {"live-join-page": State.WRONG}


async def test_without_a_service_nothing_is_sent(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.clock.forward(hours=2)
        found = await trying.run(PERSON)
        assert bad(found) == {"live-service": State.WRONG}
        assert "greenroom serve" in found["live-service"].what
        assert work.mailbox.booked == {}


@pytest.mark.parametrize("access", [Access.NO, Access.ELSEWHERE, Access.NOT_FOUND])
async def test_nothing_is_sent_for_whom_we_may_not_act(access: Access, entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.people[PERSON] = Permitted(access, "ErrorSomething")
        found = await trying.run(PERSON)
        assert bad(found) == {"live-booking": State.WRONG}
        assert "ErrorSomething" in found["live-booking"].what
        assert work.mailbox.booked == {}


@pytest.mark.slow
async def test_an_organizer_on_the_other_exchange_is_tried_there(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        away = work.mailbox
        here = type(away)(MAILBOX, work.clock)
        here.people[PERSON] = Permitted(Access.ELSEWHERE)
        trying.scene = replace(trying.scene, sides={"exchange": here, "organizers": away})
        assert bad(await trying.run(PERSON)) == {}


@pytest.mark.slow
async def test_what_an_earlier_run_left_is_removed_first(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):

        async def stopped() -> None:
            raise asyncio.CancelledError

        whole = trying.scene
        trying.scene = replace(whole, pause=stopped)
        work.mailbox.fail("cancel_trial", SignInError("refused"))  # tidying up fails as well
        with pytest.raises(asyncio.CancelledError):
            await trying.run(PERSON)
        assert len(work.mailbox.booked[PERSON]) == 2
        trying.scene = whole
        work.clock.forward(minutes=5)  # until then it could be under way, for all that anybody else can see
        found = await trying.run(PERSON)
        assert bad(found) == {"live-tidying": State.NOTE}
        assert found["live-tidying"].what.startswith("2 meetings of an earlier test")
        assert work.mailbox.booked == {PERSON: {}}


async def test_whoever_interrupts_it_leaves_nothing_behind(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        waiting = asyncio.Event()

        async def forever() -> None:
            waiting.set()
            await asyncio.sleep(60)

        trying.scene = replace(trying.scene, pause=forever)
        task = asyncio.ensure_future(trying.run(PERSON))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert work.mailbox.booked == {PERSON: {}}


@pytest.mark.parametrize(
    ("operation", "error", "after"),
    [
        ("book_trial", OutcomeUnknownError("lost"), True),
        several("trials", TryLaterError("busy"), False),
        several("find", TryLaterError("busy"), False),
        several("cancel_trial", TryLaterError("busy"), False),
    ],
    ids=["lost-booking", "busy-list", "busy-find", "busy-cancel"],
)
async def test_what_passes_does_not_disturb_it(
    operation: str, error: TryLaterError, *, after: bool, entry: Integration
) -> None:
    async with trying_with_a_fake(entry) as (trying, work):
        work.mailbox.fail(operation, error, after=after)
        assert bad(await trying.run(PERSON)) == {}
        assert work.mailbox.booked == {PERSON: {}}


async def test_an_error_in_the_middle_is_told_and_nothing_is_left(entry: Integration) -> None:
    async with trying_with_a_fake(entry) as (trying, work):

        async def attend() -> None:
            work.mailbox.fail("find", SignInError("refused"))

        trying.scene = replace(trying.scene, pause=attend)
        found = await trying.run(PERSON)
        assert bad(found) == {"live-booking": State.WRONG}
        assert work.mailbox.booked == {PERSON: {}}
