"""The Graph adapter keeps the contract, with a mailbox the server keeps (AutoUpdate).

With `AutomateProcessing` `None` Exchange Online makes no event that could be answered over Graph: that way is for EWS only.
"""

from collections.abc import AsyncIterator

import pytest

from exchange.conformance import MailboxContract
from exchange.simulated import House, graph_house


class TestGraphWithAutoUpdate(MailboxContract):
    """Its cursor is a time of Exchange's own and nothing Exchange could forget."""

    capabilities = MailboxContract.capabilities - {"expiring-cursors"}

    @pytest.fixture
    async def house(self) -> AsyncIterator[House]:
        async with graph_house() as house:
            yield house
