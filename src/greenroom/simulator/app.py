"""The whole simulator as one ASGI application: EWS, Graph, sign-in and control surface over one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from greenroom.simulator.control import control_routes
from greenroom.simulator.counters import Counters
from greenroom.simulator.ews_face import EWS_PATH, EwsFace
from greenroom.simulator.faults import Faults
from greenroom.simulator.graph.ews_door import EwsDoor
from greenroom.simulator.graph_face import GraphFace
from greenroom.simulator.wire import Cuttable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx2
    from lxml import etree
    from starlette.routing import BaseRoute

    from greenroom.simulator.exchange import Exchange
    from greenroom.simulator.graph.dispatch import GraphJudge


class SimulatorApp(Cuttable):
    """The application; `face` is the EWS face, `graph` the Graph face."""

    def __init__(self, face: EwsFace, graph: GraphFace, routes: Iterable[BaseRoute] = ()) -> None:
        self.face = face
        self.graph = graph
        door = EwsDoor(face, face.exchange, graph.tokens, face.counters)
        ours = [Route(EWS_PATH, door), *control_routes(face, graph), *graph.routes()]
        super().__init__(Starlette(routes=[*routes, *ours]))

    def close(self) -> None:
        """End what is open, so that a server can stop."""
        self.face.close()
        self.graph.close()


def create_simulator_app(
    exchange: Exchange,
    faults: Faults | None = None,
    counters: Counters | None = None,
    *,
    lock_after: int | None = None,
    keep_alive_seconds: float = 45.0,
    minute: float = 60.0,
    check_request: Callable[[etree._Element], str | None] | None = None,
    strict: bool = True,
    check_graph: GraphJudge | None = None,
    callback_transport: httpx2.AsyncBaseTransport | None = None,
    routes: Iterable[BaseRoute] = (),
) -> SimulatorApp:
    """Make the application; both faces share store, faults and counters.

    ``lock_after``: wrong passwords in a row that lock an account. ``keep_alive_seconds``: silence after which a streaming
    connection gets a StatusEvent. ``minute``: how many seconds a minute of ConnectionTimeout lasts (tests shorten it).
    ``check_request`` judges EWS requests, ``check_graph`` everything of Graph. ``strict``: a Graph call that would send more
    than 30 messages a minute gets 429; else it is taken, and the message is held back: it is delivered at the first Graph
    call after its turn has come (by the simulator's clock). ``callback_transport``: how notifications travel (default: real
    HTTP). ``routes``: further routes to serve beside, such as web mail.
    """
    faults, counters = faults or Faults(), counters or Counters()
    face = EwsFace(
        exchange,
        faults=faults,
        counters=counters,
        lock_after=lock_after,
        keep_alive_seconds=keep_alive_seconds,
        minute=minute,
        check_request=check_request,
    )
    graph = GraphFace(
        exchange,
        faults=faults,
        counters=counters,
        strict=strict,
        judge=check_graph,
        callback_transport=callback_transport,
    )
    return SimulatorApp(face, graph, routes)
