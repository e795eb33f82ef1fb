"""One click, from the button to the room: the quick one of the add-in. `test_scenarios` has all the others, over processes."""

from pathlib import Path

import pytest

from support.addin_at_work import greenroom_here, prepared_site
from support.addin_forms import meeting
from support.outlooks import chromium_async, generation

pytestmark = pytest.mark.browser


async def test_one_click_gives_a_meeting_its_room(tmp_path: Path) -> None:
    async with chromium_async() as browser:
        with prepared_site(tmp_path, "ews") as site:
            olga = site.person()
            async with (
                greenroom_here(site),
                site.outlook(browser, generation("owa-onprem-1.5"), olga, item=meeting()) as window,
            ):
                clicked = await window.click_add()
                assert clicked["status"] == 0
                assert await window.notifications() == ["The video room is added. Send the invitation as usual."]
                await site.takes_its_room(site.send(olga, await window.item()))
