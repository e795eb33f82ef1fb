"""The scripted day with rooms on Pexip: wherever a join link is looked at somebody also dials, and both ways are tried out."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2

from greenroom.cli.demonstration.errors import UnlikelyError
from greenroom.cli.demonstration.script import Day, key_of
from greenroom.meetings.room import RoomSpec
from greenroom.simulator.model import CalendarItem
from greenroom.simulator.pexip import Pexip

ADMITTED_WITHIN = 1.0
_HALF_AN_HOUR = timedelta(minutes=30)
_BEHIND = timedelta(minutes=60)  # so long rooms stay open behind the end, by default
_GRACE = timedelta(minutes=6)  # a little more than a conference stays at Pexip behind that


@dataclass(slots=True)
class PexipDay(Day):
    """A day being played, with a Pexip that people dial."""

    pexip: Pexip = field(kw_only=True)

    async def play(self) -> None:
        """Play all scenes. Raises UnlikelyError where something did not come true."""
        plain = await self._invites()
        await self._is_made(plain)
        await self._joins(plain)
        await self._enters(plain)
        await self._falls_back(plain)
        await self._moves(plain)
        quick = await self._starts_at_once()
        await self._ends(quick)
        await self._cancels(plain)
        await self._is_gone(plain)
        await self._repeats()

    async def _is(self, item: CalendarItem, state: str) -> None:
        if state == "open":
            room = await self._room(item)
            report, seconds = await self._dialled(room, pin=room.guest_pin, admitted=True, by="policy")
            self._say(f"A video system dials the room with the guest PIN: in, as {report['role']}, by policy", seconds)
        else:
            _, seconds = await self._dialled(await self._room(item), admitted=False, by="policy")
            self._say("A video system dials the room: rejected by policy", seconds)
        await self._page(item, state)

    async def _is_made(self, item: CalendarItem) -> None:
        room = await self._room(item)

        async def there() -> bool:
            found = self.pexip.conference(room.alias.name)
            return found is not None and found["tag"] == f"greenroom-1-{room.mark}"

        await self.world.until("a VMR at Pexip", there)
        self._say(f"At Pexip there is a VMR with the aliases {room.alias.name} and {room.alias.numeric}, and our mark")

    async def _enters(self, item: CalendarItem) -> None:
        room = await self._room(item)
        await self._dialled(room, admitted=False, by="policy", reason="PIN required")
        self._say("Without a PIN, Pexip asks for one")
        async with httpx2.AsyncClient(base_url=self.world.address, follow_redirects=True) as browser:
            page = await browser.get(f"/j/{room.join_id}")
            entrance = f"{self.world.address}/webapp3/m/{room.alias.name}"
            if f'href="{entrance}"' not in page.text:
                raise UnlikelyError("the join page does not lead to the web app")
            shown = await browser.post(entrance, data={"name": "Ada", "pin": room.host_pin or ""})
            if "as host" not in shown.text:
                raise UnlikelyError("the web app does not let the host in")
            if not self.pexip.running.conferences:
                raise UnlikelyError("nothing runs at Pexip though somebody is in the room")
            await browser.post(str(shown.url))
        self._say("“Join now” leads to the web app; with the host PIN Ada is in, as host")

    async def _falls_back(self, item: CalendarItem) -> None:
        room = await self._room(item)
        before, _ = await self._dialled(room, pin=room.guest_pin, admitted=True, by="policy")
        self.pexip.policy.reachable = False
        try:
            after, seconds = await self._dialled(room, pin=room.guest_pin, admitted=True, by="database")
        finally:
            self.pexip.policy.reachable = True
        if (before["name"], before["service_tag"]) != (after["name"], after["service_tag"]):
            raise UnlikelyError("without policy people get into another conference than with it")
        self._say("The nodes cannot reach policy: the VMR lets people in, to the same conference", seconds)

    async def _starts_at_once(self) -> CalendarItem:
        start = self.world.clock().replace(second=0, microsecond=0) + timedelta(minutes=5)
        item = self._compose("Quick call", timedelta(), "", start=start, end=start + _HALF_AN_HOUR)
        seconds = await self._answered(item, accepted=1)
        self._say("Ada invites to a meeting that starts in five minutes; it is accepted", seconds)
        room = await self._room(item)
        _, seconds = await self._dialled(room, pin=room.guest_pin, admitted=True, by="policy")
        if seconds > ADMITTED_WITHIN:
            raise UnlikelyError(
                f"the room opened {seconds:.1f} seconds behind the reply; {ADMITTED_WITHIN:.0f} is promised"
            )
        early = self.pexip.node.service_of(room.alias.name) is None
        though = ", though the nodes have not heard of its VMR yet" if early else ""
        self._say(f"It is dialled at once: in, by policy{though}", seconds)
        return item

    async def _ends(self, item: CalendarItem) -> None:
        room = await self._room(item)
        over = item.meeting.end + _BEHIND
        self.world.clock.set(over - timedelta(seconds=30))
        await self._is(item, "open")
        self.world.clock.set(over)
        await self._is(item, "over")
        self._say("An hour behind its end, to the second, it is over")
        self.world.clock.set(over + _GRACE)
        await self._gone(room)

    async def _is_gone(self, item: CalendarItem) -> None:
        await self._gone(await self._room(item))

    async def _gone(self, room: RoomSpec) -> None:
        async def gone() -> bool:
            return self.pexip.conference(room.alias.name) is None

        seconds = await self.world.until("the VMR is taken away", gone)
        self._say("Its VMR is taken away", seconds)

    async def _room(self, item: CalendarItem) -> RoomSpec:
        room = await self.world.room(key_of(item))
        if room is None:
            raise UnlikelyError("the meeting has no room")
        return room.spec

    async def _dialled(
        self, room: RoomSpec, *, admitted: bool, by: str, pin: str | None = None, reason: str | None = None
    ) -> tuple[dict[str, Any], float]:
        """Let a video system dial until it goes as it should; returns the last report, and the seconds it took."""
        reason = reason or ("ok" if admitted else "rejected")
        wanted = (admitted, by, reason)
        report: dict[str, Any] = {}

        async def so() -> bool:
            report.update(await self.pexip.dial(room.alias.name, protocol="sip", pin=pin))
            return (report["admitted"], report["by"], report["reason"]) == wanted

        seconds = await self.world.until(f"a call is answered with “{reason}” by {by}", so)
        return report, seconds
