"""What the conformance suite asks of looking at a calendar: all of it, some of it, one meeting."""

from datetime import timedelta

import pytest

from exchange.conforming.asking import WEEKLY, Contract, everything, the_one
from exchange.simulated import HOUR, START, House
from greenroom.exchange.contract import Reply, Unreadable, Verdict
from greenroom.exchange.errors import (
    ItemGoneError,
    TryLaterError,
)
from greenroom.meetings.meeting import Glance, ItemRef, MeetingKey, Observation, Response
from support.simulator import EQUIPMENT


class LookingContract(Contract):
    """Inventory, reading and finding."""

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
