import asyncio
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenroom.meetings.instructions import with_instructions
from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.policy import PinPolicy, Policy
from greenroom.meetings.record import State
from greenroom.meetings.reserving import Kind, NotPossibleError, TicketGoneError, TooManyUnclaimedError
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import OFFLINE, PERSONAL, Ticket
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.reserving import Allowance, expire
from greenroom.storage import Storage
from greenroom.web.identity.contract import Caller
from support.fake_mailbox import FakeMailbox
from support.observations import MAILBOX, NOW, observation
from support.reserved import ADA, BOB, Desk, asked_at, integration_of

ONE = MeetingKey.of_uid("one")
REQUEST, ANOTHER = "request-0123456789", "another-0123456789"


async def send(desk: Desk, ticket: str, uid: str = "one") -> None:
    """Let an invitation with this ticket reach the mailbox, and be handled."""
    mailbox = desk.integration.mailbox
    assert isinstance(mailbox, FakeMailbox)
    mailbox.invite(observation(uid=uid, body_html=f"<p>Meeting reference: {ticket}</p>"))
    desk.clock.forward(seconds=1)
    await Attendant(desk.integration, desk.storage, desk.clock).attend()


async def test_what_is_reserved_is_all_that_an_invitation_needs() -> None:
    async with asked_at(policy=Policy(MAILBOX, pin=PinPolicy.HOST_AND_GUEST)) as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        ticket = desk.integration.ring.verify(told.ticket)
        assert isinstance(ticket, Ticket)
        assert (ticket.options, ticket.issued_at) == (0, NOW.replace(microsecond=0))
        assert (told.kind, told.claimed, told.asked, told.repeated) == (Kind.VMR, False, True, False)
        assert told.alias == f"meet{ticket.number}@video.example"
        assert told.numeric_alias == str(ticket.number)
        assert told.location == told.join_url
        assert told.expires_at == desk.clock() + timedelta(days=30)
        for text in (told.html, told.text):
            assert told.join_url in text
            assert told.alias in text
            assert "PIN" in text
            assert text.count(told.ticket) == 1
        assert told.text.splitlines()[0] == told.text.splitlines()[-1]
        assert with_instructions(f"<html><body>{told.html}</body></html>", told.html, told.ticket) is None


async def test_the_host_pin_is_never_told() -> None:
    async with asked_at(policy=Policy(MAILBOX, pin=PinPolicy.HOST_AND_GUEST)) as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await send(desk, told.ticket)
        async with desk.storage.reading() as work:
            room = await work.rooms.by_mark(1, ONE.digest)
        assert room is not None
        assert room.spec.host_pin is not None
        assert room.spec.guest_pin is not None
        assert room.spec.guest_pin in told.html
        assert room.spec.host_pin not in told.html + told.text
        assert f"/j/{room.spec.join_id}" in told.join_url


async def test_the_same_request_gives_the_same_ticket() -> None:
    async with asked_at() as desk:
        first = await desk.reserving.reserve(ADA, REQUEST)
        desk.clock.forward(days=1)
        assert await desk.reserving.reserve(ADA, REQUEST) == replace(first, repeated=True)
        assert (await desk.reserving.reserve(ADA, ANOTHER)).ticket != first.ticket
        assert (await desk.reserving.reserve(BOB, REQUEST)).ticket != first.ticket


async def test_a_request_repeated_after_a_key_rotation_gives_the_same_ticket_with_todays_texts(tmp_path: Path) -> None:
    async with asked_at() as desk:
        first = await desk.reserving.reserve(ADA, REQUEST)
        (tmp_path / "joining_instructions.html.j2").write_text("<p>New words {{ join_url }} {{ ticket }}</p>")
        keys = {0: b"k" * 32, 1: b"n" * 32}
        rotated = integration_of(desk.storage, desk.clock, keys=keys, current=1, texts=Texts(tmp_path))
        later = replace(desk, integration=rotated)
        again = await later.reserving.reserve(ADA, REQUEST)
        assert (again.ticket, again.join_url) == (first.ticket, first.join_url)
        assert "New words" in again.html
        assert "New words" not in first.html
        fresh = rotated.ring.verify((await later.reserving.reserve(ADA, ANOTHER)).ticket)
        assert isinstance(fresh, Ticket)
        assert fresh.key_id == 1


async def test_a_request_whose_key_was_thrown_away_gets_another_ticket() -> None:
    async with asked_at() as desk:
        first = await desk.reserving.reserve(ADA, REQUEST)
        renewed = replace(desk, integration=integration_of(desk.storage, desk.clock, keys={1: b"n" * 32}))
        second = await renewed.reserving.reserve(ADA, REQUEST)
        assert second.ticket != first.ticket
        assert (await renewed.reserving.reserve(ADA, REQUEST)).ticket == second.ticket


async def test_a_request_whose_alias_was_deleted_gets_another() -> None:
    async with asked_at() as desk:
        first = await desk.reserving.reserve(ADA, REQUEST)
        held = await desk.held(first.ticket)
        assert held is not None
        async with desk.storage.work() as work:
            await work.reservations.tombstone(1, held.number, desk.clock())
        second = await desk.reserving.reserve(ADA, REQUEST)
        assert second.ticket != first.ticket
        with pytest.raises(TicketGoneError, match="deleted"):
            await desk.reserving.refresh(ADA, first.ticket)


async def test_a_person_cannot_hoard_reservations() -> None:
    async with asked_at(unclaimed=2) as desk:
        first = await desk.reserving.reserve(ADA, "request-number-0001")
        await desk.reserving.reserve(ADA, "request-number-0002")
        with pytest.raises(TooManyUnclaimedError):
            await desk.reserving.reserve(ADA, "request-number-0003")
        assert (await desk.reserving.reserve(ADA, "request-number-0001")).ticket == first.ticket
        await desk.reserving.reserve(BOB, "request-number-0003")
        await send(desk, first.ticket)
        await desk.reserving.reserve(ADA, "request-number-0003")


async def test_what_has_expired_counts_no_more_and_comes_back_when_there_is_room() -> None:
    async with asked_at(unclaimed=1) as desk:
        first = await desk.reserving.reserve(ADA, REQUEST)
        desk.clock.forward(days=31)
        second = await desk.reserving.reserve(ADA, ANOTHER)
        for again in (desk.reserving.reserve(ADA, REQUEST), desk.reserving.refresh(ADA, first.ticket)):
            with pytest.raises(TooManyUnclaimedError):
                await again
        await desk.reserving.release(ADA, second.ticket)
        back = await desk.reserving.reserve(ADA, REQUEST)
        assert back.ticket == first.ticket
        assert back.expires_at == desk.clock() + timedelta(days=30)


async def test_the_invitation_that_brings_the_ticket_gets_the_room_and_ends_the_expiry() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await send(desk, told.ticket)
        held = await desk.held(told.ticket)
        assert held is not None
        assert (held.key, held.expires_at, held.asked_by) == (ONE, None, ADA.user)
        desk.clock.forward(days=400)
        assert await expire(desk.integration, desk.storage, desk.clock()) == 0
        await desk.reserving.release(ADA, told.ticket)
        assert await desk.held(told.ticket) == held
        again = await desk.reserving.reserve(ADA, REQUEST)
        assert (again.ticket, again.claimed, again.expires_at) == (told.ticket, True, None)


async def test_the_journal_of_the_meeting_tells_who_asked() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await send(desk, told.ticket)
        await send(desk, told.ticket)
        async with desk.storage.reading() as work:
            lines = await work.journal.of_meeting(1, ONE)
            record = (await work.meetings.by_keys(1, [ONE]))[ONE]
        assert [(one.step, one.detail) for one in lines if one.code == "asked-for"] == [("decided", ADA.user)]
        assert record.state is State.SCHEDULED
        assert record.organizer == "ada@greenroom.example"


async def test_a_meeting_that_nobody_asked_for_has_no_such_line() -> None:
    async with asked_at() as desk:
        await send(desk, desk.integration.ring.issue(123456789, NOW))
        async with desk.storage.reading() as work:
            assert "asked-for" not in [one.code for one in await work.journal.of_meeting(1, ONE)]


@pytest.mark.parametrize("gone", ["released", "expired", "lost"])
async def test_a_late_invitation_still_gets_the_room_its_text_names(gone: str) -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        if gone == "released":
            await desk.reserving.release(ADA, told.ticket)
            await desk.reserving.release(ADA, told.ticket)
        elif gone == "expired":
            assert await expire(desk.integration, desk.storage, desk.clock() + timedelta(days=30)) == 1
        else:
            number = desk.integration.ring.verify(told.ticket)
            assert isinstance(number, Ticket)
            async with desk.storage.work() as work:
                assert await work.asked.expire(1, desk.clock() + timedelta(days=400), 10) == 1
        assert await desk.held(told.ticket) is None
        await send(desk, told.ticket)
        async with desk.storage.reading() as work:
            room = await work.rooms.by_mark(1, ONE.digest)
            lines = await work.journal.of_meeting(1, ONE)
        assert room is not None
        assert room.spec.alias.name == told.alias
        assert told.join_url.endswith(room.spec.join_id)
        assert "ticket valid" in {one.detail for one in lines}
        held = await desk.held(told.ticket)
        assert held is not None
        assert held.key == ONE


async def test_nobody_gives_back_what_another_asked_for() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await desk.reserving.release(BOB, told.ticket)
        assert await desk.held(told.ticket) is not None


@pytest.mark.parametrize("ticket", ["", "GRM-", "nonsense", "GRM-" + "0" * 40, "x" * 10_000, "\0", "GRM-\ud800"])
async def test_what_is_no_ticket_is_refused_or_not_there(ticket: str) -> None:
    async with asked_at() as desk:
        await desk.reserving.release(ADA, ticket)
        with pytest.raises(TicketGoneError, match="invalid"):
            await desk.reserving.refresh(ADA, ticket)


@pytest.mark.parametrize("options", [OFFLINE, PERSONAL, OFFLINE | PERSONAL])
async def test_a_ticket_without_an_alias_behind_it_reserves_nothing(options: int) -> None:
    async with asked_at() as desk:
        ticket = desk.integration.ring.issue(5, NOW, options)
        await desk.reserving.release(ADA, ticket)
        with pytest.raises(TicketGoneError, match="other-kind"):
            await desk.reserving.refresh(ADA, ticket)
        assert await desk.held(ticket) is None


async def test_a_ticket_of_another_integration_is_refused() -> None:
    async with asked_at() as desk:
        other = integration_of(desk.storage, desk.clock, number=2)
        with pytest.raises(TicketGoneError, match="invalid"):
            await desk.reserving.refresh(ADA, other.ring.issue(5, NOW))


async def test_refreshing_keeps_a_reservation_longer() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        desk.clock.forward(days=20)
        again = await desk.reserving.refresh(ADA, told.ticket)
        assert again == replace(told, expires_at=desk.clock() + timedelta(days=30))
        desk.clock.forward(days=20)
        assert await expire(desk.integration, desk.storage, desk.clock()) == 0


@pytest.mark.parametrize("who", ["ada", "bob"])
async def test_refreshing_takes_a_number_again_that_was_given_back(who: str) -> None:
    async with asked_at(unclaimed=1) as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await desk.reserving.release(ADA, told.ticket)
        person = {"ada": ADA, "bob": BOB}[who]
        assert (await desk.reserving.refresh(person, told.ticket)).ticket == told.ticket
        held = await desk.held(told.ticket)
        assert held is not None
        assert held.asked_by == person.user
        with pytest.raises(TooManyUnclaimedError):
            await desk.reserving.reserve(person, ANOTHER)


async def test_taking_a_number_again_counts() -> None:
    async with asked_at(unclaimed=1) as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await desk.reserving.release(ADA, told.ticket)
        await desk.reserving.reserve(ADA, ANOTHER)
        with pytest.raises(TooManyUnclaimedError):
            await desk.reserving.refresh(ADA, told.ticket)
        assert await desk.held(told.ticket) is None


async def test_a_delegate_sees_the_same_instructions_and_keeps_nothing_longer() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        desk.clock.forward(days=3)
        assert await desk.reserving.refresh(BOB, told.ticket) == told


async def test_a_claimed_ticket_is_told_to_be_claimed() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        await send(desk, told.ticket)
        for person in (ADA, BOB):
            assert await desk.reserving.refresh(person, told.ticket) == replace(told, claimed=True, expires_at=None)


async def test_the_ticket_of_a_meeting_without_the_button_is_rendered_too() -> None:
    async with asked_at() as desk:
        mailbox = desk.integration.mailbox
        assert isinstance(mailbox, FakeMailbox)
        mailbox.invite(observation())
        await Attendant(desk.integration, desk.storage, desk.clock).attend()
        found = re.search(r"GRM(-[0-9A-Z]{5}){8}", mailbox.organizer_bodies[ONE].body_html)
        assert found is not None
        told = await desk.reserving.refresh(ADA, found[0])
        assert (told.claimed, told.asked) == (True, False)


async def test_a_number_that_went_to_somebody_else_meanwhile_is_theirs() -> None:
    async with asked_at() as desk:
        old = desk.integration.ring.issue(123456789, NOW - timedelta(days=60))
        await desk.reserving.refresh(BOB, desk.integration.ring.issue(123456789, NOW))
        with pytest.raises(TicketGoneError, match="taken"):
            await desk.reserving.refresh(ADA, old)
        await desk.reserving.release(BOB, old)
        assert await desk.held(old) is not None


async def test_a_few_are_fetched_ahead_and_a_promise() -> None:
    async with asked_at(unclaimed=10, ahead=2) as desk:
        kept = await desk.reserving.ahead(ADA, 5)
        assert len({one.ticket for one in kept.reservations}) == 2
        for one in kept.reservations:
            assert await desk.held(one.ticket) is not None
            assert not one.claimed
        promise = desk.integration.ring.verify(kept.offline.ticket)
        assert isinstance(promise, Ticket)
        assert promise.options == OFFLINE
        assert (kept.offline.kind, kept.offline.location, kept.offline.join_url) == (Kind.OFFLINE, "", "")
        assert "will follow" in kept.offline.html
        assert kept.offline.ticket in kept.offline.text
        assert await desk.held(kept.offline.ticket) is None
        assert (await desk.reserving.ahead(ADA, 0)).reservations == ()


async def test_a_page_that_forgets_what_it_fetched_does_not_lock_its_owner_out() -> None:
    async with asked_at(unclaimed=6, ahead=2) as desk:
        fetched = [len((await desk.reserving.ahead(ADA, 2)).reservations) for _ in range(5)]
        assert fetched == [2, 1, 0, 0, 0]
        await desk.reserving.reserve(ADA, REQUEST)


async def test_a_pool_that_is_used_up_is_told() -> None:
    async with asked_at(unclaimed=10, digits=5) as desk:
        small = replace(desk.integration.aliases, digits=1)
        desk.integration = replace(desk.integration, aliases=small)
        told = [await desk.reserving.reserve(ADA, f"request-number-{number:04}") for number in range(5)]
        assert len({one.ticket for one in told}) == 5
        for number in range(1, 10):
            async with desk.storage.work() as work:
                await work.reservations.reserve(1, number, NOW)
        with pytest.raises(NotPossibleError, match="no-free-alias"):
            await desk.reserving.reserve(ADA, REQUEST)


async def test_a_database_that_does_not_answer_is_told_with_a_time_to_try_again(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/missing.db")
    async with asked_at(storage) as desk:
        with pytest.raises(NotPossibleError, match="database") as caught:
            await desk.reserving.reserve(ADA, REQUEST)
        assert caught.value.after is not None
    await storage.close()


async def test_a_database_that_somebody_holds_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.scheduler.reserving._PATIENCE", 0.05)
    async with asked_at() as desk:
        held, end = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with desk.storage.work():
                held.set()
                await end.wait()

        holding = asyncio.create_task(hold())
        await held.wait()
        with pytest.raises(NotPossibleError, match="database-busy"):
            await desk.reserving.reserve(ADA, REQUEST)
        end.set()
        await holding
        monkeypatch.undo()
        await desk.reserving.reserve(ADA, REQUEST)


async def test_only_what_is_over_expires_and_not_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.scheduler.reserving._EXPIRE_AT_ONCE", 2)
    async with asked_at() as desk:
        for number in range(3):
            await desk.reserving.reserve(ADA, f"request-number-{number:04}")
        desk.clock.forward(days=1)
        late = await desk.reserving.reserve(ADA, REQUEST)
        desk.clock.forward(days=29)
        assert [await expire(desk.integration, desk.storage, desk.clock()) for _ in range(3)] == [2, 1, 0]
        assert await desk.held(late.ticket) is not None


def person(number: int) -> Caller:
    return Caller("oidc", hashlib.sha256(str(number).encode()).hexdigest()[:32])


async def test_nothing_of_the_texts_comes_out_of_a_repr() -> None:
    async with asked_at(policy=Policy(MAILBOX, pin=PinPolicy.GUEST)) as desk:
        told = await desk.reserving.reserve(person(1), REQUEST)
        assert told.join_url not in repr(told)
        assert told.alias not in repr(told)


def test_an_allowance_is_what_the_settings_say_by_default() -> None:
    assert Allowance() == Allowance(30, timedelta(days=30), 2)
