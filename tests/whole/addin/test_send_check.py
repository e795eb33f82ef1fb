"""The check before sending, as the manifest that is served names it: what Outlook would run, with the real Office.js."""

import json
from xml.etree import ElementTree as ET

import httpx2
import pytest
from playwright.async_api import Browser

from support.addin_at_work import Site
from support.addin_forms import meeting
from support.addin_turns import over
from support.outlooks import ORIGIN, Generation, OutlookWindow, Paths, generation
from support.whole import ATTENDEE, EQUIPMENT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

KINDS = (generation("new-outlook-online-1.14"), generation("classic-2019-onprem-1.5"))


def launch_of(site: Site, kind: Generation) -> tuple[str, str, str]:
    """Page, script and function that the manifest names for the sending of a meeting, and how it is asked."""
    address = f"http://127.0.0.1:{site.port}/addin/1/manifest/exchange-{kind.flavour}.xml"
    root = ET.fromstring(httpx2.get(address, trust_env=False).raise_for_status().content)
    event = next(one for one in root.iter() if one.tag.endswith("}LaunchEvent"))
    assert event.attrib["Type"] == "OnAppointmentSend"
    assert event.attrib["SendMode"] == "PromptUser"
    runtime = next(one for one in root.iter() if one.tag.endswith("}Runtime"))
    script = next(one for one in runtime if one.tag.endswith("}Override"))
    urls = {one.attrib["id"]: one.attrib["DefaultValue"] for one in root.iter() if one.tag.endswith("}Url")}
    found = [urls[one.attrib["resid"]] for one in (runtime, script)]
    assert all(one.startswith(f"{ORIGIN}/addin/1/") for one in found)
    page, file = (one.removeprefix(ORIGIN) for one in found)
    return page, file, event.attrib["FunctionName"]


async def finished(window: OutlookWindow, function: str) -> dict[str, object]:
    """How the check ends."""
    done = await window.click_add(function=function)
    assert done["status"] == 0
    context: dict[str, object] = json.loads(done["data"])["completedContext"]
    return context


@over(*KINDS)
async def test_a_meeting_whose_mailbox_got_lost_is_completed_or_asked_about(
    site: Site, browser: Browser, kind: Generation
) -> None:
    page, script, function = launch_of(site, kind)
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting()) as window:
        await window.click_add()
        both = await window.item()
        window.paths = Paths(commands=page)
        already = len(window.requests)
        assert await finished(window, function) == {"allowEvent": True}
        assert await window.item() == both, "where nothing is missing nothing happens"

        await window.change(required=[one for one in both["required"] if one["address"] != EQUIPMENT])
        await window.misbehave(addIgnored="all")
        answer = await finished(window, function)
        assert answer["allowEvent"] is False
        assert "Meeting room, virtual (vmr@sim.test) is not invited" in str(answer["errorMessage"])

        await window.misbehave(addIgnored=None)
        assert await finished(window, function) == {"allowEvent": True}
        item = await window.item()
        assert [one["address"] for one in item["required"]] == [ATTENDEE, EQUIPMENT]
        assert {one.path for one in window.requests[already:]} == {page.partition("?")[0], script}, (
            "the check asks nobody"
        )
        sent = site.send(olga, item)
    await site.takes_its_room(sent)


@over(*KINDS)
async def test_a_meeting_without_a_room_goes_out_as_it_is(site: Site, browser: Browser, kind: Generation) -> None:
    page, _, function = launch_of(site, kind)
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting(), paths=Paths(commands=page)) as window:
        before = await window.item()
        assert await finished(window, function) == {"allowEvent": True}
        assert await window.item() == before
