"""Greenroom in a hybrid organisation, over both real adapters and one simulated store; no sockets, the test lets it look."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2

from greenroom.exchange.ews import BasicAuth, EwsMailbox, EwsSettings
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.mailbox import GraphMailbox
from greenroom.exchange.graph.settings import Cloud, GraphSettings
from greenroom.simulator.app import create_simulator_app
from greenroom.simulator.exchange import Exchange
from greenroom.simulator.model import Home as Where
from greenroom.simulator.seeding import seed
from support.attended import Home, integration_of
from support.empty import storage_in_memory
from support.greenroom_at_work import Clock
from support.issued import Issued
from support.whole import EQUIPMENT, ORGANIZER, PASSWORD, SERVICE, world

ROOT = "http://127.0.0.1"
OTHER: dict[Where, Where] = {"cloud": "on-premises", "on-premises": "cloud"}


@asynccontextmanager
async def hybrid(clock: Clock, where: Where) -> AsyncIterator[Home]:
    """A Greenroom whose equipment mailbox is there, with the other Exchange beside it; the organizer is on the other side."""
    exchange = Exchange(clock)
    seed(exchange, world())
    exchange.mailbox(EQUIPMENT).home = where
    exchange.mailbox(ORGANIZER).home = OTHER[where]
    app = create_simulator_app(exchange)
    network = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
    ews = EwsMailbox(
        EwsSettings(url=f"{ROOT}/EWS/Exchange.asmx", address=EQUIPMENT, auth=BasicAuth(SERVICE, PASSWORD)),
        network,
        clock=clock,
    )
    there = GraphSettings(EQUIPMENT, app.graph.tenant, Issued(app), Cloud(ROOT, ROOT))
    graph = GraphMailbox(there, limits=Limits(clock), clock=clock, http=network)
    own, other = (graph, ews) if where == "cloud" else (ews, graph)
    storage = await storage_in_memory()
    integration = replace(integration_of(ews, storage, clock), mailbox=own, elsewhere=other)
    try:
        yield Home(exchange, app.face, clock, storage, integration)
    finally:
        for side in (own, other):
            await side.close()
        await storage.close()
