"""`greenroom demo` as a newcomer meets the add-in: the button in the mail client's compose window, and the pane beside it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from support.browser import chromium, open_page
from support.whole import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 120.0
SEEN = 30_000  # milliseconds
ADA, BEN, ROOM = "ada@greenroom.example", "ben@greenroom.example", "vmr@greenroom.example"
TICKET = re.compile(r"GRM(?:-[0-9A-Z]{5}){8}")


@dataclass
class Demo:
    """A running demo."""

    url: str
    data: Path

    def story(self, link: str) -> dict[str, Any]:
        """What `greenroom explain` tells of the meeting whose room is behind a link; empty if none is."""
        words = ["explain", link, "--config", str(self.data / "greenroom.toml"), "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "greenroom", *words], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["meetings"]
        return found[0] if found else {}


@contextmanager
def shown(data: Path, protocol: str) -> Iterator[Demo]:
    command = [sys.executable, "-m", "greenroom", "demo", "--port", "0", "--no-browser", "--exchange", protocol]
    with subprocess.Popen([*command, "--data", str(data)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert address is not None
            yield Demo(address[0], data)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module", params=["ews", "graph"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with shown(tmp_path_factory.mktemp("demo"), request.param) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def compose(page: Page, demo: Demo, title: str) -> FrameLocator:
    """Begin a meeting; gives the frame of its text."""
    page.set_default_timeout(SEEN)
    page.goto(f"{demo.url}/mail/m/{ADA}/compose")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Attendees", exact=True).fill(BEN)
    editor = page.frame_locator("iframe.editor")
    editor.get_by_role("textbox", name="Text").click()
    page.keyboard.type("Dear Ben, it's time.")
    return editor


def send(page: Page, title: str) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible(timeout=SEEN)


def takes_its_room(page: Page, demo: Demo, title: str, link: str) -> None:
    """The meeting is accepted, the room is the one of its text, and both people can see that."""

    def told() -> dict[str, Any] | None:
        story = demo.story(link)
        return story if story.get("replied") else None

    story = eventually(told, seconds=60)
    assert story is not None
    assert story["title"].startswith(title)
    assert story["replied"].startswith("accept")
    assert story["join_url"] == link
    assert story["instructions"] == "present", "nothing had to be written into the meeting"
    page.goto(f"{demo.url}/mail/m/{ADA}/inbox")
    expect(page.get_by_text(f"Accepted: {title}").first).to_be_visible(timeout=SEEN)
    page.goto(link)
    expect(page.locator("[data-state]").first).to_be_visible()


def test_the_button_gives_the_meeting_its_room(demo: Demo, browser: Browser) -> None:
    with open_page(browser) as (page, errors):
        editor = compose(page, demo, "Pressed")
        page.get_by_role("button", name="Add a video room").click()
        expect(page.get_by_text("The video room is added. Send the invitation as usual.")).to_be_visible(timeout=SEEN)
        text = editor.locator("body").inner_text()
        assert text.startswith("Dear Ben, it's time.")
        assert len(TICKET.findall(text)) == 1
        link = page.get_by_label("Location").input_value()
        assert link.startswith(f"{demo.url}/j/")
        assert ROOM in page.get_by_label("Attendees", exact=True).input_value()
        send(page, "Pressed")
        takes_its_room(page, demo, "Pressed", link)
        assert errors == []


def test_the_pane_adds_a_room_and_takes_it_out_again(demo: Demo, browser: Browser) -> None:
    with open_page(browser) as (page, errors):
        editor = compose(page, demo, "By the pane")
        before = editor.locator("body").inner_text()
        page.get_by_role("button", name="Video room …").click()
        pane = page.frame_locator('iframe[title="Greenroom"]')
        pane.get_by_role("button", name="Add video room").click(timeout=SEEN)
        expect(pane.get_by_role("heading", name="Your meeting has a video room")).to_be_visible(timeout=SEEN)
        (first,) = TICKET.findall(editor.locator("body").inner_text())
        pane.get_by_role("button", name="Remove video room").click()
        expect(pane.get_by_role("heading", name="The video room is removed")).to_be_visible(timeout=SEEN)
        assert editor.locator("body").inner_text().strip() == before.strip()
        assert page.get_by_label("Location").input_value() == ""
        assert ROOM not in page.get_by_label("Attendees", exact=True).input_value()
        pane.get_by_role("button", name="Add another one").click()
        pane.get_by_role("button", name="Add video room").click()
        expect(pane.get_by_role("heading", name="Your meeting has a video room")).to_be_visible(timeout=SEEN)
        (ticket,) = TICKET.findall(editor.locator("body").inner_text())
        assert ticket != first
        link = page.get_by_label("Location").input_value()
        send(page, "By the pane")
        takes_its_room(page, demo, "By the pane", link)
        assert errors == []
