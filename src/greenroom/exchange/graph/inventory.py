"""The inventory: every meeting that is not over, as glances. What is not in it has left the calendar.

Source: Graph v1.0, "List events". Masters are listed whatever their end: the list knows only that of their first occurrence.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog

from greenroom.exchange.errors import TryLaterError
from greenroom.exchange.graph import shapes
from greenroom.exchange.graph.call import RefusedError
from greenroom.exchange.graph.events import Broken, Event, read_page
from greenroom.exchange.graph.refused import for_mailbox
from greenroom.exchange.graph.transport import GraphTransport

log = structlog.get_logger(__name__)

MOST_PAGES = 400


class Inventory:
    """Lists the calendar of one mailbox."""

    def __init__(self, transport: GraphTransport, mailbox: str) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._filters = True  # this server filters by end and type; learnt anew after every start

    async def rows(self, since: datetime | None = None) -> list[Event | Broken]:
        """List single meetings and lone occurrences that end after `since`, and all masters.

        Raises TryLaterError when the list could not be read to its end: half an inventory would be a false one.
        """
        where = _not_over(since) if since is not None and self._filters else ""
        try:
            return [row async for row in self._pages(where)]
        except RefusedError as error:
            if not where or error.gone or error.elsewhere:
                raise for_mailbox(error, self._mailbox) from error
            log.info("graph.inventory.unfiltered", mailbox=self._mailbox, code=error.code)
        try:
            everything = [row async for row in self._pages("")]
        except RefusedError as error:
            raise for_mailbox(error, self._mailbox) from error
        self._filters = False
        return everything

    async def _pages(self, where: str) -> AsyncIterator[Event | Broken]:
        call = shapes.list_light(self._mailbox, where=where)
        answer = await self._transport.call(call)
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = read_page(answer.body, self._mailbox)
            for row in page.events:
                if row.ref.id not in seen:
                    seen.add(row.ref.id)
                    yield row
            if not page.next_link:
                return
            answer = await self._transport.follow(page.next_link, call)
        raise TryLaterError("the calendar's list does not end", code="endless-list", mailbox=self._mailbox)


def _not_over(since: datetime) -> str:
    return f"end/dateTime ge '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}' or type eq 'seriesMaster'"
