"""Whose an alias is, where its number was set aside and something else happens before the invitation comes."""

from datetime import timedelta

import pytest

from greenroom.meetings.meeting import Kind, Observation
from greenroom.meetings.reserving import NotPossibleError
from greenroom.meetings.rules import Daily
from greenroom.meetings.ticket import Ticket
from greenroom.scheduler.attend import Attendant
from greenroom.storage import StoredRoom
from greenroom.storage.asked import Asked
from support.fake_mailbox import FakeMailbox
from support.observations import observation, recurring
from support.reserved import ADA, BOB, Desk, asked_at
from support.series_at_work import DAY, KEY, NEW, SECOND

REQUEST = "request-0123456789"


async def invite(desk: Desk, *invitations: Observation) -> None:
    """Let invitations reach the mailbox, all in one pass."""
    mailbox = desk.integration.mailbox
    assert isinstance(mailbox, FakeMailbox)
    for one in invitations:
        mailbox.invite(one)
    desk.clock.forward(seconds=1)
    await Attendant(desk.integration, desk.storage, desk.clock).attend()


async def room(desk: Desk, of: Observation) -> StoredRoom:
    """The room of a meeting."""
    async with desk.storage.reading() as work:
        found = await work.rooms.by_mark(1, of.key.digest)
    assert found is not None
    return found


def brings(ticket: str, uid: str) -> Observation:
    return observation(uid=uid, body_html=f"<p>Meeting reference: {ticket}</p>")


@pytest.mark.parametrize("old_first", [True, False])
async def test_a_number_given_back_and_drawn_again_is_its_new_owners_whoever_sends_first(*, old_first: bool) -> None:
    async with asked_at() as desk:
        old = (await desk.reserving.reserve(ADA, REQUEST)).ticket
        await desk.reserving.release(ADA, old)
        genuine = desk.integration.ring.verify(old)
        assert isinstance(genuine, Ticket)
        desk.clock.forward(days=1)
        new = await desk.reserving.refresh(BOB, desk.integration.ring.issue(genuine.number, desk.clock()))
        hers, his = brings(old, "hers"), brings(new.ticket, "his")
        for one in (hers, his) if old_first else (his, hers):
            await invite(desk, one)
        assert (await room(desk, his)).spec.alias.name == new.alias
        assert (await room(desk, hers)).spec.alias.name != new.alias
        held = await desk.held(new.ticket)
        assert held is not None
        assert held.key == his.key


async def test_a_number_drawn_again_is_its_new_owners_also_in_one_pass() -> None:
    async with asked_at() as desk:
        old = desk.integration.ring.issue(123456789, desk.clock() - timedelta(days=60))
        new = await desk.reserving.refresh(BOB, desk.integration.ring.issue(123456789, desk.clock()))
        hers, his = brings(old, "hers"), brings(new.ticket, "his")
        await invite(desk, hers, his)
        assert (await room(desk, his)).spec.alias.name == new.alias
        assert (await room(desk, hers)).spec.alias.name != new.alias


async def test_both_halves_of_a_series_share_a_room_that_was_asked_for_also_when_they_come_in_one_pass() -> None:
    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        old = recurring("series", pattern=Daily(7), until=SECOND, body_html=told.ticket)
        new = recurring("new", pattern=Daily(7), count=8, starts_in=15 * DAY, body_html=told.ticket)
        assert (old.key, new.key, old.kind) == (KEY, NEW, Kind.SERIES)
        await invite(desk, old, new)
        async with desk.storage.reading() as work:
            records = await work.meetings.by_keys(1, [KEY, NEW])
        assert records[KEY].alias_number == records[NEW].alias_number
        assert records[NEW].mark == KEY.digest
        assert (await room(desk, old)).spec.alias.name == told.alias


@pytest.mark.parametrize("how", ["reserve", "refresh"])
async def test_what_is_given_back_in_the_very_moment_it_is_kept_longer_is_not_told_as_kept(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prolong = Asked.prolong

    async def too_late(asked: Asked, integration: int, number: int, person: str, until: object) -> bool:
        # On PostgreSQL another process may expire or release the row between our reading of it and our change.
        await asked.expire(integration, desk.clock(), 10)
        return await prolong(asked, integration, number, person, until)  # type: ignore[arg-type]  # passed on

    async with asked_at() as desk:
        told = await desk.reserving.reserve(ADA, REQUEST)
        reserving = desk.reserving
        desk.clock.forward(days=31)
        with monkeypatch.context() as patch:
            patch.setattr(Asked, "prolong", too_late)
            ask, what = {"reserve": (reserving.reserve, REQUEST), "refresh": (reserving.refresh, told.ticket)}[how]
            with pytest.raises(NotPossibleError):
                await ask(ADA, what)
        assert (await desk.reserving.refresh(ADA, told.ticket)).ticket == told.ticket
