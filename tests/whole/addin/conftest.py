"""What all whole programs of the add-in share: one site for each protocol and platform, and a browser for each module."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from support.addin_at_work import Site, add_in_site
from support.addin_turns import Open
from support.outlooks import chromium_async
from support.whole import Spoken


@pytest.fixture(scope="session")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open a site, or give the one that is open."""
    known: dict[tuple[Spoken, bool], Site] = {}
    with contextlib.ExitStack() as stack:

        def find(protocol: Spoken, with_pexip: bool) -> Site:
            if (protocol, with_pexip) not in known:
                folder = tmp_path_factory.mktemp(f"addin-{protocol}")
                known[protocol, with_pexip] = stack.enter_context(add_in_site(folder, protocol, with_pexip=with_pexip))
            return known[protocol, with_pexip]

        yield find


@pytest.fixture
def site(open_site: Open, protocol: Spoken) -> Site:
    """All programs; Greenroom speaks `protocol` and has its rooms itself."""
    return open_site(protocol, False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser, in which every Outlook has a profile of its own."""
    async with chromium_async() as running:
        yield running
