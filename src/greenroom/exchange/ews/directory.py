"""Names of the directory: X500 addresses of organizers turned into SMTP addresses, remembered for a while."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from greenroom.exchange.ews import search
from greenroom.exchange.ews.transport import EwsTransport

log = structlog.get_logger(__name__)

_MOST_NAMES = 2000
_KEPT = timedelta(hours=24)
_KEPT_UNKNOWN = timedelta(minutes=15)


class Directory:
    """Asks ResolveNames once per name and day: in bulk it eats the account's directory budget."""

    def __init__(self, transport: EwsTransport, mailbox: str, *, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._clock = clock
        self._known: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    async def smtp(self, x500: str) -> str:
        """Return the SMTP address behind an X500 address, or that text itself if the directory knows none.

        Raises ExchangeError when the directory cannot be asked now.
        """
        now = self._clock()
        if (known := self._known.get(x500)) and now < known[0]:
            self._known.move_to_end(x500)
            return known[1]
        reply = await self._transport.call(search.resolve(x500), self._mailbox)
        found = search.read_resolution(reply, mailbox=self._mailbox)
        if found is None:
            log.info("ews.directory.unknown", mailbox=self._mailbox)
        self._known[x500] = (now + (_KEPT if found else _KEPT_UNKNOWN), found or x500)
        self._known.move_to_end(x500)
        while len(self._known) > _MOST_NAMES:
            self._known.popitem(last=False)
        return found or x500
