"""A simulated Pexip, our database, and the adapter between them, for tests of rooms on Pexip."""

from typing import Any

from greenroom.meetings.room import Provision
from greenroom.platforms.pexip.management import Basic, ManagementApi, ManagementSettings, NodeLimits, RequestBudget
from greenroom.platforms.pexip.platform import PexipPlatform
from greenroom.platforms.pexip.style import PexipSettings, Provisioning
from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip import InProcess, Options, Pexip
from greenroom.storage import RoomStore, Storage, StoredRoom
from support.records import NOON

AHEAD, JUST_IN_TIME, NONE = Provisioning.AHEAD, Provisioning.JUST_IN_TIME, Provisioning.NONE


class Site:
    """One integration's rooms: `pexip` and the database stay when a process dies; `restart` begins another, with other settings.

    Time stands still at NOON until `clock` is moved.
    """

    def __init__(self, storage: Storage, settings: PexipSettings, *, managed: bool = True, **options: Any) -> None:
        self.storage = storage
        self.clock = SimulatorClock(NOON, frozen=True)
        self.pexip = Pexip(self.clock, options=Options(**options))
        self.managed = managed
        self.settings = settings
        self.restart()

    def restart(self, settings: PexipSettings | None = None) -> None:
        """Begin a new process: it knows what is in the database, and nothing else."""
        self.settings = settings or self.settings
        self.rooms = RoomStore(self.storage, self.settings.integration, self.clock, self.settings.alias_quarantine)
        self.api = self.client() if self.managed else None
        self.platform = PexipPlatform(self.settings, self.rooms, self.api, self.clock)

    def client(self) -> ManagementApi:
        """A client of the management API whose pauses go by our clock, and which never waits."""
        node = ManagementSettings("http://127.0.0.1", Basic("admin", "pexip-admin"))
        limits = NodeLimits(self.clock, RequestBudget(10**9, clock=lambda: self.clock().timestamp()))
        return ManagementApi(node, limits, clock=self.clock, transport=InProcess(self.pexip))

    async def kept(self, mark: str) -> StoredRoom:
        """What is remembered of a room."""
        found = await self.rooms.get(mark)
        assert found is not None
        return found

    async def there(self, mark: str) -> Provision:
        """What is remembered to be at Pexip."""
        return (await self.kept(mark)).there

    def conferences(self, mark: str | None = None) -> list[dict[str, Any]]:
        """The conferences with our mark, or with any of ours, as the API shows them."""
        start = self.settings.tag_start
        return [
            one
            for one in self.pexip.conferences()
            if (one["tag"].startswith(start) if mark is None else one["tag"] == self.settings.tag(mark))
        ]

    def dialled(self, mark: str | None = None) -> set[str]:
        """All aliases of those."""
        return {alias["alias"] for one in self.conferences(mark) for alias in one["aliases"]}

    def writes(self) -> list[str]:
        """What was asked of Pexip that changes something: method and resource, oldest first."""
        made = self.pexip.calls.made(resource="configuration/*")
        return [
            f"{call.method} {call.resource.removeprefix('configuration/')}" for call in made if call.method != "GET"
        ]
