"""Into whose calendars Greenroom may write, and what it says of those where it may not."""

import pytest

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.mailbox import kind_check
from greenroom.doctor.organizers import organizers_check, scope_check, sides_of
from greenroom.exchange.contract import Access, Permitted
from greenroom.exchange.errors import SignInError
from greenroom.meetings.meeting import Person
from greenroom.settings import Integration
from support.explained import Explained
from support.fake_mailbox import FakeMailbox
from support.greenroom_at_work import AtWork, at_work
from support.observations import MAILBOX, observation

NO = Permitted(Access.NO, "ErrorImpersonateUserDenied")


def booked(work: AtWork, *people: str) -> None:
    for number, person in enumerate(people):
        work.mailbox.invite(observation(f"by-{number}", organizer=Person(person)))


async def examined(
    work: AtWork, entry: Integration, *named: str, elsewhere: FakeMailbox | None = None
) -> list[Finding]:
    entry = entry.model_copy(update={"mailbox": MAILBOX, "number": 1})
    sides = sides_of(work.mailbox, elsewhere)
    return await organizers_check(entry, sides, work.storage, Explained(), work.clock, named=named).look()


async def test_those_who_booked_last_are_looked_at(entry: Integration) -> None:
    async with at_work() as work:
        booked(work, *(f"p{number}@greenroom.example" for number in range(7)))
        await work.attend()
        (found,) = await examined(work, entry)
        assert found.state is State.WELL
        assert "5 of 5 organizers" in found.what


async def test_one_who_is_out_of_reach_is_named_with_the_cost_and_the_script(entry: Integration) -> None:
    async with at_work() as work:
        booked(work, "ada@greenroom.example", "bob@greenroom.example")
        await work.attend()
        work.mailbox.people["bob@greenroom.example"] = NO
        (found,) = await examined(work, entry)
        assert found.state is State.NOTE
        assert "1 of 2 organizers" in found.what
        assert "bob@greenroom.example (ErrorImpersonateUserDenied)" in found.what
        assert "other attendees do not see them" in found.why
        assert "greenroom setup exchange-server --organizers" in found.mend


async def test_people_of_other_organisations_are_no_fault(entry: Integration) -> None:
    async with at_work() as work:
        booked(work, "ada@greenroom.example", "eve@elsewhere.example")
        await work.attend()
        work.mailbox.people["eve@elsewhere.example"] = Permitted(Access.NOT_FOUND, "ErrorNonExistentMailbox")
        (found,) = await examined(work, entry)
        assert found.state is State.WELL
        assert "elsewhere: eve@elsewhere.example" in found.what


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        (Permitted(Access.YES), State.WELL, "may write"),
        (NO, State.NOTE, "may not write"),
        (Permitted(Access.ELSEWHERE, "X"), State.NOTE, "on another Exchange"),
        (Permitted(Access.NOT_FOUND, "X"), State.NOTE, "knows nobody"),
    ],
    ids=["yes", "no", "elsewhere", "nobody"],
)
async def test_one_who_is_named_gets_a_finding_alone(
    told: Permitted, state: State, words: str, entry: Integration
) -> None:
    async with at_work() as work:
        work.mailbox.people["olga@sim.test"] = told
        (found,) = await examined(work, entry, "olga@sim.test")
        assert (found.subject, found.state) == ("olga@sim.test", state)
        assert words in found.what


async def test_the_other_exchange_is_asked_as_well(entry: Integration) -> None:
    async with at_work() as work:
        work.mailbox.people["olga@sim.test"] = Permitted(Access.ELSEWHERE)
        (found,) = await examined(work, entry, "olga@sim.test", elsewhere=FakeMailbox(MAILBOX, work.clock))
        assert found.state is State.WELL


async def test_nobody_and_what_cannot_be_asked_are_unknown(entry: Integration) -> None:
    async with at_work() as work:
        (found,) = await examined(work, entry)
        assert (found.state, "--organizer" in found.mend) == (State.UNKNOWN, True)
        booked(work, "ada@greenroom.example")
        await work.attend()
        work.clock.forward(hours=1)
        work.mailbox.fail("may_act_for", SignInError("refused"))
        (found,) = await examined(work, entry)
        assert found.state is State.UNKNOWN


async def test_old_bookings_do_not_count(entry: Integration) -> None:
    async with at_work() as work:
        work.mailbox.invite(observation("old", organizer=Person("ada@greenroom.example")))
        await work.attend()
        work.clock.forward(days=60)
        (found,) = await examined(work, entry)
        assert found.state is State.UNKNOWN


async def test_what_is_configured_so_costs_what_it_costs(entry: Integration, graph_entry: Integration) -> None:
    for one, key in ((entry, "impersonate"), (graph_entry, "update_organizers")):
        alone = one.model_copy(update={"exchange": one.exchange.model_copy(update={key: False})})
        async with at_work() as work:
            (found,) = await examined(work, alone)
        assert (found.state, f"{key} = true" in found.mend) == (State.NOTE, True)


async def test_how_far_a_right_reaches_is_told_to_be_looked_at(entry: Integration, graph_entry: Integration) -> None:
    (there,) = await scope_check(entry).look()
    (cloud,) = await scope_check(graph_entry).look()
    assert "Get-ManagementRoleAssignment" in there.mend
    assert "Test-ServicePrincipalAuthorization -Identity '11111111-2222-3333-4444-555555555555'" in cloud.mend
    assert {there.state, cloud.state} == {State.NOTE}


async def test_the_kind_of_a_mailbox_is_told_to_be_looked_at(entry: Integration) -> None:
    (found,) = await kind_check(entry).look()
    assert found.state is State.UNKNOWN
    assert f"Get-Mailbox -Identity '{entry.mailbox}'" in found.mend
    assert "--facts" in found.mend
