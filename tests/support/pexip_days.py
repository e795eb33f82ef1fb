"""Days of an equipment mailbox whose rooms are on Pexip, lived by Greenrooms of the nursery (see `run_greenroom`)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.pexip_at_work import SimulatedPexip, Way, tables
from support.simulator import RunningSimulator
from support.whole import PEXIP_DOMAIN, Spoken, configure
from whole.test_kill import NUMBER, Day, Nursery

Abroad = tuple[Spoken, Way]
"""How Greenroom speaks with Exchange, and how it uses Pexip."""


@dataclass
class PexipDay(Day):
    """A day as in `Day`, and in the afternoon the plain meeting is called something else, too."""

    pexip: SimulatedPexip = field(kw_only=True)
    abroad: Abroad = field(kw_only=True)

    def begin_abroad(self) -> None:
        exchange, (protocol, way) = self.simulator.exchange, self.abroad
        exchange.add_mailbox(self.organizer, "Olga Organizer")
        exchange.add_mailbox(self.equipment, "Meeting room", kind="equipment", processing="auto_update")
        told = tables(self.pexip.url, way, lines="alias_quarantine = 0")
        configure(self.folder, self.simulator, protocol=protocol, mailboxes=[self.equipment], push=False, pexip=told)

    def afternoon(self) -> None:
        super().afternoon()
        item = self.own("plain").id
        self.simulator.exchange.update_item(self.organizer, item, {"subject": "renamed"}, send="SendToAllAndSaveCopy")

    def conferences(self) -> dict[str, dict[str, Any]]:
        """What is at Pexip of this day's rooms, with or without a mark, by meeting; never two of one."""
        state: list[dict[str, Any]] = self.pexip.get("state")["conference"]
        mine = [one for one in state if one["primary_owner_email_address"] == self.organizer]
        by_tag = {f"greenroom-1-{key.digest}": name for name, key in self.keys.items()}
        found = {by_tag[one["tag"]]: one for one in mine}
        assert len(found) == len(mine), [one["tag"] for one in mine]
        return found

    async def check_pexip(self, *living: str, renamed: bool = False) -> None:
        """Exactly these meetings have a conference each, with its two aliases and what people see."""
        found, rooms = self.conferences(), await self.rooms()
        assert set(found) == set(living)
        for name, conference in found.items():
            room = rooms[name]
            assert room is not None
            assert {a["alias"] for a in conference["aliases"]} == {room.spec.alias.name, room.spec.alias.numeric}
            assert conference["name"].startswith("renamed" if renamed and name == "plain" else name)
            assert conference["description"] == room.spec.description
        if "ticketed" in living:
            assert f"meet1{NUMBER}@{PEXIP_DOMAIN}" in {a["alias"] for a in found["ticketed"]["aliases"]}
        assert self.pexip.get("calls")["wipes"] == 0


@dataclass(frozen=True)
class Stage:
    """Both simulators and the nursery, on which many days are lived."""

    simulator: RunningSimulator
    pexip: SimulatedPexip
    nursery: Nursery

    def day(self, parent: Path, name: str, abroad: Abroad) -> PexipDay:
        """Begin a day with a mailbox of its own."""
        folder = parent / name
        folder.mkdir()
        day = PexipDay(self.simulator, folder, name, pexip=self.pexip, abroad=abroad)
        day.begin_abroad()
        return day
