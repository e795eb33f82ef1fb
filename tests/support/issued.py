"""Tokens as the simulator's token endpoint would give them, without the way to it: calls there are counted, and take time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from greenroom.simulator.graph_face import GraphFace
from support.simulator import CLIENT_ID


class _Issuer(Protocol):
    @property
    def graph(self) -> GraphFace: ...


@dataclass
class Issued:
    """A source of tokens that signs in anew for each request: a test may move the clock beyond the life of one."""

    simulator: _Issuer
    expires_at: datetime | None = None

    async def token(self, *, fresh: bool = False) -> str:
        return self.simulator.graph.tokens.issue(CLIENT_ID)

    async def close(self) -> None:
        return
