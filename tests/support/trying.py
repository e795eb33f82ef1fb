"""The live test in one process: while it waits, a pass of Greenroom takes place. With a fake mailbox, or on the simulator."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from exchange.simulated import open_ews, open_graph, world
from greenroom.doctor.contract import Finding, State
from greenroom.doctor.fetching import Page
from greenroom.doctor.live import Scene, try_live
from greenroom.doctor.organizers import sides_of
from greenroom.exchange.contract import Mailbox
from greenroom.platforms.embedded import EmbeddedPlatform
from greenroom.scheduler.attend import Attendant
from greenroom.settings import Integration as Entry
from greenroom.simulator.management import Management
from greenroom.storage import RoomStore, Storage
from support.empty import storage_in_memory
from support.explained import Explained
from support.greenroom_at_work import AtWork, at_work
from support.simulator import EQUIPMENT, ORGANIZER, RunningSimulator, simulator_in_loop

GOOD: dict[str, Any] = {
    "AutomateProcessing": "AutoUpdate",
    "AddNewRequestsTentatively": True,
    "RemovePrivateProperty": False,
    "RemoveCanceledMeetings": False,
    "AllowConflicts": True,
    "DeleteSubject": False,
    "AddOrganizerToSubject": False,
    "DeleteComments": False,
    "ScheduleOnlyDuringWorkHours": False,
    "AllBookInPolicy": True,
}
"""What has to be, of all that shows itself in a live test."""


async def no_page(_url: str) -> Page:
    return Page(200, body=b'{"state": "upcoming"}')


@dataclass
class Trying:
    """A live test that can be done, and what it said of itself."""

    scene: Scene
    said: list[str]

    async def run(self, organizer: str = ORGANIZER) -> dict[str, Finding]:
        """Do it; returns the worst finding of each check."""
        found: dict[str, Finding] = {}
        order = [State.WELL, State.NOTE, State.UNKNOWN, State.WRONG]
        for one in await try_live(self.scene, organizer):
            if one.check not in found or order.index(one.state) >= order.index(found[one.check].state):
                found[one.check] = one
        return found


def bad(found: dict[str, Finding]) -> dict[str, State]:
    """What is not well."""
    return {name: one.state for name, one in found.items() if one.state is not State.WELL}


def scene_of(
    entry: Entry, mailbox: Mailbox, storage: Storage, clock: Callable[[], Any], attend: Callable[[], Any]
) -> Trying:
    said: list[str] = []
    patience = timedelta(seconds=12)
    scene = Scene(
        entry.model_copy(update={"mailbox": mailbox.address, "number": 1}),
        mailbox,
        sides_of(mailbox, None),
        storage,
        "https://meet.example",
        Explained(),
        clock,
        said.append,
        patience,
        pause=attend,
        page=no_page,
    )
    return Trying(scene, said)


async def claim(storage: Storage, mailbox: str, clock: Callable[[], Any]) -> None:
    """Let a service have the mailbox, as far as anybody can see."""
    async with storage.work() as work:
        await work.mailboxes.claim(mailbox, "host/1", clock(), clock() + timedelta(hours=1))


@asynccontextmanager
async def trying_with_a_fake(entry: Entry, **options: Any) -> AsyncIterator[tuple[Trying, AtWork]]:
    """A live test of a mailbox in memory."""
    async with at_work(**options) as work:
        await claim(work.storage, work.mailbox.address, work.clock)
        yield scene_of(entry, work.mailbox, work.storage, work.clock, work.attend), work


@asynccontextmanager
async def trying_on_the_simulator(
    entry: Entry, protocol: Literal["ews", "graph"], **settings: Any
) -> AsyncIterator[tuple[Trying, RunningSimulator]]:
    """A live test over a protocol, of a mailbox whose calendar processing was set by cmdlet: one thing other than `GOOD`."""
    async with simulator_in_loop(world("auto_update")) as simulator, at_work() as work:
        management = Management(simulator.exchange)
        management.run("Set-CalendarProcessing", {"Identity": EQUIPMENT, **GOOD, **settings})
        mailbox: Mailbox = open_ews(simulator, EQUIPMENT) if protocol == "ews" else open_graph(simulator, EQUIPMENT)
        storage, clock = await storage_in_memory(), simulator.clock
        platform = EmbeddedPlatform(RoomStore(storage, 1, clock))
        policy = replace(work.integration.policy, mailbox=EQUIPMENT)
        integration = replace(work.integration, mailbox=mailbox, platform=platform, policy=policy)
        attendant = Attendant(integration, storage, clock)
        passed = timedelta()

        def now() -> Any:
            return clock() + passed

        async def attend() -> None:
            nonlocal passed
            await attendant.attend()
            passed += timedelta(seconds=1)  # patience is at its end without waiting for it

        await claim(storage, EQUIPMENT, clock)
        try:
            yield scene_of(entry, mailbox, storage, now, attend), simulator
        finally:
            await mailbox.close()
            await storage.close()
