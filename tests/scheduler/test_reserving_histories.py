"""Random lives of reservations: asked for (also twice), given back, prolonged, expired, brought by invitations, often at once.

Whatever happened: no two people are told the same number, nobody has more open than allowed, the same request gives the same ticket
until that was given back, what a meeting brought stays its, and the invitation of any ticket that was ever told gets that alias.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from greenroom.meetings.meeting import MeetingKey
from greenroom.meetings.reserving import Instructions, TooManyUnclaimedError
from greenroom.meetings.ticket import Ticket
from greenroom.scheduler.attend import Attendant
from greenroom.scheduler.reserving import expire
from support.fake_mailbox import FakeMailbox
from support.observations import observation
from support.reserved import ADA, BOB, Desk, asked_at

CAP = 3
PEOPLE = (ADA, BOB)
OPS = ("reserve", "reserve", "refresh", "release", "ahead", "send", "wait", "expire")

_op = st.tuples(st.sampled_from(OPS), st.integers(0, 1), st.integers(0, 4))
_at_once = st.lists(_op, min_size=1, max_size=4)


@dataclass
class Life:
    """What people were told, and what became of it."""

    desk: Desk
    told: list[Instructions] = field(default_factory=list)
    owner: dict[str, str] = field(default_factory=dict)
    sent: dict[str, MeetingKey] = field(default_factory=dict)
    requests: dict[tuple[str, str], str] = field(default_factory=dict)

    async def reserve(self, who: int, which: int) -> None:
        person, request = PEOPLE[who], f"request-number-{which:04}"
        try:
            one = await self.desk.reserving.reserve(person, request)
        except TooManyUnclaimedError:
            assert await self.open_of(person.user) >= CAP
            return
        before = self.requests.get((person.user, request))
        assert one.ticket == before or not one.repeated or before is None
        self.requests[person.user, request] = one.ticket
        self.tell(one, person.user)

    async def ahead(self, who: int, which: int) -> None:
        for one in (await self.desk.reserving.ahead(PEOPLE[who], which)).reservations:
            self.tell(one, PEOPLE[who].user)

    async def refresh(self, who: int, which: int) -> None:
        if self.told:
            ticket = self.told[which % len(self.told)].ticket
            try:
                one = await self.desk.reserving.refresh(PEOPLE[who], ticket)
            except TooManyUnclaimedError:
                return
            assert one.ticket == ticket
            assert one.claimed is (ticket in self.sent)

    async def release(self, who: int, which: int) -> None:
        if self.told:
            await self.desk.reserving.release(PEOPLE[who], self.told[which % len(self.told)].ticket)

    async def send(self, _who: int, which: int) -> None:
        """Handle an invitation with one of the tickets, however old that is."""
        if not self.told:
            return
        one = self.told[which % len(self.told)]
        if one.ticket in self.sent:
            return
        uid = f"meeting-{len(self.sent)}"
        self.sent[one.ticket] = MeetingKey.of_uid(uid)
        mailbox = self.desk.integration.mailbox
        assert isinstance(mailbox, FakeMailbox)
        mailbox.invite(observation(uid=uid, starts_in=timedelta(days=9_000), body_html=f"<p>{one.html}</p>"))

    async def wait(self, _who: int, which: int) -> None:
        self.desk.clock.forward(days=which * 9)

    async def expire(self, _who: int, _which: int) -> None:
        await expire(self.desk.integration, self.desk.storage, self.desk.clock())

    def tell(self, one: Instructions, person: str) -> None:
        number = self.desk.integration.ring.verify(one.ticket)
        assert isinstance(number, Ticket)
        assert self.owner.setdefault(one.alias, person) == person
        if one.ticket not in {other.ticket for other in self.told}:
            self.told.append(one)

    async def open_of(self, person: str) -> int:
        async with self.desk.storage.reading() as work:
            return await work.asked.count(1, person, self.desk.clock())

    async def holds(self) -> None:
        """Attend the mailbox, then look whether everything is as it must be."""
        await Attendant(self.desk.integration, self.desk.storage, self.desk.clock).attend()
        for person in PEOPLE:
            assert await self.open_of(person.user) <= CAP
        for ticket, key in self.sent.items():
            held = await self.desk.held(ticket)
            assert held is not None
            assert held.key == key
            assert held.expires_at is None
        async with self.desk.storage.reading() as work:
            records = await work.meetings.by_keys(1, list(self.sent.values()))
        numbers = {ticket: self.desk.integration.ring.verify(ticket) for ticket in self.sent}
        for ticket, key in self.sent.items():
            assert records[key].alias_number == getattr(numbers[ticket], "number", None)


async def live(history: list[list[tuple[str, int, int]]]) -> None:
    async with asked_at(unclaimed=CAP, ahead=2) as desk:
        life = Life(desk)
        for at_once in history:
            doing = [getattr(life, name) for name, _, _ in at_once]
            # A clock that moves, or a ticket that is sent, while others are under way would only blur what must hold.
            steady = [n for n, (name, _, _) in enumerate(at_once) if name not in {"wait", "send"}]
            await asyncio.gather(*(doing[n](*at_once[n][1:]) for n in steady))
            for n in set(range(len(at_once))) - set(steady):
                await doing[n](*at_once[n][1:])
            await life.holds()


@settings(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(_at_once, max_size=6))
def test_whatever_people_do_reservations_stay_true(history: list[list[tuple[str, int, int]]]) -> None:
    asyncio.run(live(history))


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(_at_once, max_size=14))
def test_whatever_people_do_for_long_reservations_stay_true(history: list[list[tuple[str, int, int]]]) -> None:
    asyncio.run(live(history))
