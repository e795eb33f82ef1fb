"""Every operation of the Graph face on calendars and events, by method and address."""

from __future__ import annotations

from typing import Final

from greenroom.simulator.graph.call import Route

ROUTES: Final[tuple[Route, ...]] = ()
