"""The EWS adapter keeps the contract, with both ways Exchange may treat the mailbox."""

from collections.abc import AsyncIterator

import pytest

from exchange.conformance import MailboxContract
from exchange.simulated import Choosy, House, ews_house


class TestEwsWithAutoUpdate(MailboxContract):
    @pytest.fixture
    async def house(self) -> AsyncIterator[House]:
        async with ews_house("auto_update") as house:
            yield house


class TestEwsWithProcessingNone(MailboxContract):
    @pytest.fixture
    async def house(self) -> AsyncIterator[House]:
        async with ews_house("none") as house:
            yield house


@pytest.mark.slow
class TestEwsWithAServerThatNamesNoProperties(MailboxContract):
    """The cheap requests are refused: it costs calls, and nothing else."""

    capabilities = MailboxContract.capabilities - {"glances"}

    @pytest.fixture
    async def house(self) -> AsyncIterator[House]:
        async with ews_house("auto_update", Choosy()) as house:
            yield house
