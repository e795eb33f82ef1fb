"""The thin shell around httpx2 that sends calls to Graph."""

from collections.abc import Callable, Sequence
from datetime import datetime

import httpx2

from greenroom.exchange.errors import ExchangeError
from greenroom.exchange.graph.call import Answer, Call
from greenroom.exchange.graph.limits import Limits
from greenroom.exchange.graph.settings import GraphSettings


class GraphTransport:
    """One mailbox's way to Graph. `limits` is shared by all of one application; `http` replaces the network in tests."""

    def __init__(
        self,
        settings: GraphSettings,
        *,
        limits: Limits,
        clock: Callable[[], datetime],
        http: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._limits = limits
        self._clock = clock
        self._http = http

    async def call(self, call: Call) -> Answer:
        """Send one call and return its answer, always a 2xx.

        Raises RefusedError (a 4xx about the request or its item), NotPermittedError (403), SignInError (401),
        TryLaterError (throttled, out of reach), OutcomeUnknownError (a write without a whole answer), MisconfiguredError.
        """
        raise NotImplementedError

    async def follow(self, link: str, like: Call) -> Answer:
        """Get the next page or round that an answer named, with the preferences of `like`; raises like `call`.

        A link that leads anywhere but below the root of Graph is MisconfiguredError with code "foreign-link".
        """
        raise NotImplementedError

    async def batch(self, calls: Sequence[Call]) -> list[Answer | ExchangeError]:
        """Send calls that only read in as few requests as can be; one result for each, in order.

        What concerns one call is its result; what concerns the whole is raised like in `call`.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close every connection; the tokens are not ours to close."""
