"""The simulated platform: everything it keeps, and what tests and the control surface do with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip.calls import Calls
from greenroom.simulator.pexip.faults import PexipFaults
from greenroom.simulator.pexip.fields import CONFIGURATION
from greenroom.simulator.pexip.node import Node
from greenroom.simulator.pexip.oauth import SignIn
from greenroom.simulator.pexip.objects import Objects
from greenroom.simulator.pexip.options import Options
from greenroom.simulator.pexip.policy import PolicyProfile
from greenroom.simulator.pexip.render import Renderer
from greenroom.simulator.pexip.running import Running
from greenroom.simulator.pexip.seeding import seed
from greenroom.simulator.pexip.store import Store, same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import httpx2

REPLICATION = timedelta(seconds=60)
"""How long nodes take to see a change, if nothing else is said."""


class Pexip:
    """A Management Node, the Conferencing Nodes as one, and whoever dials in.

    ``replication``: how much later the nodes know a change, by ``clock``. ``policy``: whom the nodes ask; ``transport``: how
    they reach it (default: real HTTP). `disturbed` are the names of conferences that were rewritten while they ran, which may
    split them on a real platform (known issue 6739).
    """

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        replication: timedelta = REPLICATION,
        *,
        policy: PolicyProfile | None = None,
        options: Options | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.clock = clock or SimulatorClock()
        self.options = options or Options()
        self.store = Store(self.clock, replication)
        self.objects = Objects(self.store, self.options, self._changed)
        self.renderer = Renderer(self.store, self.options)
        self.faults = PexipFaults()
        self.calls = Calls()
        self.sign_in = SignIn(self.clock)
        self.running = Running(self.clock)
        self.policy = policy or PolicyProfile()
        self.node = Node(self, transport)
        self.disturbed: list[str] = []

    @property
    def replication(self) -> timedelta:
        """How much later the nodes know a change."""
        return self.store.replication

    @replication.setter
    def replication(self, span: timedelta) -> None:
        self.store.replication = span

    def replicate(self) -> None:
        """Let the nodes know everything at once."""
        self.store.replicate()

    def all(self, resource: str) -> list[dict[str, Any]]:
        """The objects of a resource of the configuration, as the API shows them, oldest first; PINs are not masked."""
        with self.store.lock:
            rows = self.store.management.tables[resource].rows
            renderer = Renderer(self.store, Options())
            return [renderer.shown(resource, row) for _, row in sorted(rows.items())]

    def conferences(self) -> list[dict[str, Any]]:
        """All conferences, with their aliases in full."""
        return self.all("conference")

    def conference(self, alias: str) -> dict[str, Any] | None:
        """The conference that has this alias on the Management Node, or None."""
        wanted = same(alias)
        return next((c for c in self.conferences() if any(same(a["alias"]) == wanted for a in c["aliases"])), None)

    def has(self, alias: str) -> bool:
        """Whether a conference on the Management Node has this alias, whatever the nodes know."""
        with self.store.lock:
            return self.store.management.tables["conference_alias"].holder("alias", alias) is not None

    def create(self, resource: str, **fields: Any) -> str:
        """Make an object as an administrator would; returns its address. Raises RefusedError."""
        with self.store.lock:
            return f"{CONFIGURATION[resource].path}{self.objects.create(resource, fields)}/"

    def change(self, address: str, **fields: Any) -> None:
        """Change an object, such as an alias somebody moves by hand. Raises RefusedError."""
        resource = address.split("/")[-3]
        with self.store.lock:
            self.objects.update(resource, self.objects.by_address(address, resource), fields)

    def delete(self, address: str) -> None:
        """Remove an object. Raises RefusedError."""
        resource = address.split("/")[-3]
        with self.store.lock:
            self.objects.delete(resource, self.objects.by_address(address, resource))

    def seed(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Fill it (see `seeding`); nodes know it at once. Returns the addresses of what was named. Raises SeedError."""
        with self.store.lock:
            named = seed(self, data)
        self.replicate()
        return named

    async def dial(self, alias: str, **caller: Any) -> dict[str, Any]:
        """Somebody dials an alias; see `node.Node.dial`."""
        return await self.node.dial(alias, **caller)

    async def ask(self, kind: str, **params: Any) -> dict[str, Any]:
        """A node asks the policy server something else; see `node.Node.ask`."""
        return await self.node.ask(kind, **params)

    def hangup(self, participant: str) -> bool:
        """Somebody who joined leaves; the last one ends the conference."""
        return self.running.leave(participant)

    def _changed(self, resource: str, old: Mapping[str, Any]) -> None:
        if resource == "conference_alias":
            old = self.store.management.tables["conference"].rows.get(old["conference"], {})
        if resource in ("conference", "conference_alias") and old.get("name") in self.running.conferences:
            self.disturbed.append(old["name"])

    def status_rows(self, key: str) -> list[dict[str, Any]]:
        """The rows of a resource of status or history."""
        tables = self.store.management.tables
        if key == "status/conference":
            return self.running.status_conferences()
        if key == "status/participant":
            return self.running.status_participants()
        if key == "history/conference":
            return self.running.history()
        if key == "status/licensing":
            ports = len(self.running.status_participants())
            rooms = len(tables["conference"].rows)
            return [
                {"port_count": ports, "port_total": 100, "vmr_count": rooms, "vmr_total": 10_000, "scheduling_total": 1}
            ]
        now = self.clock()
        return [
            {"id": number, "exchange_connector_id": number, "last_modified_time": now}
            for number in tables["ms_exchange_connector"].rows
        ]
