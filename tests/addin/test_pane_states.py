"""Every state of the pane in a real Chromium: it can be read, seen and reached by everybody, in light, dark and forced colours.

Pictures of all of them go to $GREENROOM_SCREENSHOTS where that is set: somebody should look at them.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.addin_pages import PLAIN, RICH, pages_app
from support.addin_pane import axe, outlook, with_fake_flow
from support.browser import chromium
from support.served import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RESERVATION = {
    "kind": "vmr",
    "ticket": "GRM-20003-3CVK1",
    "html": "",
    "text": "",
    "location": "meet482915306@video.example.org",
    "join_url": "https://meet.example.org/j/0123456789abcdef",
    "alias": "meet482915306",
    "numeric_alias": "482915306",
    "expires_at": "2026-12-24T12:00:00Z",
    "claimed": False,
    "mailbox": {"address": "greenroom@example.org", "name": "Greenroom"},
}
STEPS = ["guard", "look", "token", "reserve", "invite", "text", "location", "property"]
ROOMS = [
    {"id": "a", "name": "Room of Ada", "description": "meet.ada"},
    {"id": "b", "name": "Team of the northern offices, every Thursday", "description": ""},
]


def done(state: str, **more: Any) -> dict[str, Any]:
    return {"ok": True, "state": state, "warnings": [], "reservation": RESERVATION} | more


def failed(code: str, step: str = "reserve", **more: Any) -> dict[str, Any]:
    return {"ok": False, "step": step, "error": {"code": code, "retry": True} | more}


def press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


def nothing(page: Page) -> None:
    """Look only."""


def own_rooms(page: Page) -> None:
    page.get_by_label("One of my own rooms").check()


def unfold(page: Page) -> None:
    page.get_by_text("Details for support").click()


@dataclass(frozen=True)
class Scene:
    """A state: how it is reached, the view it is, and words that must be read there."""

    view: str
    says: str
    plan: dict[str, Any] = field(default_factory=dict)
    act: Callable[[Page], None] = nothing
    number: int = 1
    known: dict[str, Any] = field(default_factory=dict)
    office: bool = True


def after(outcome: dict[str, Any], button: str = "Add video room", **plan: Any) -> dict[str, Any]:
    return {"plan": {"steps": STEPS, "outcomes": [outcome], **plan}, "act": press(button)}


SCENES = {
    "loading": Scene("loading", "One moment", {"lingers": 60_000}),
    "outside": Scene("outside", "Open this in Outlook", known={"host": None}),
    "no-office": Scene("noOffice", "connection to Outlook is missing", office=False),
    "message": Scene(
        "unsupported",
        "This is not a meeting",
        {"status": {"state": "unsupported", "error": {"code": "error.notAppointment", "retry": False}}},
    ),
    "outlook-failed": Scene(
        "failed",
        "Outlook did not do",
        {"status": {"state": "unsupported", "error": {"code": "error.outlookFailed", "retry": True}}},
    ),
    "none": Scene("none", "Add a video room"),
    "none-series": Scene("none", "share one room", {"status": {"isSeries": True, "isDelegate": True}}),
    "choice": Scene("none", "Which room?", number=7),
    "choice-rooms": Scene("none", "Room of Ada", {"rooms": [ROOMS]}, own_rooms, 7),
    "choice-no-rooms": Scene("none", "You have no room of your own", {"rooms": [[]]}, own_rooms, 7),
    "choice-sign-in": Scene(
        "none", "Sign in to see your rooms", {"rooms": [{"code": "error.signInNeeded"}]}, own_rooms, 7
    ),
    "choice-failing": Scene(
        "none", "service cannot be reached", {"rooms": [{"code": "error.unreachable"}]}, own_rooms, 7
    ),
    "working": Scene("working", "Inviting the room", {"steps": STEPS[:5], "hang": True}, press("Add video room")),
    "added": Scene("added", "482915306", **after(done("added"))),
    "added-warnings": Scene(
        "added",
        "Please invite Greenroom (greenroom@example.org) yourself",
        **after(done("added", warnings=["warning.addMailboxYourself", "warning.locationTooLong"])),
    ),
    "present": Scene("present", "Your meeting has a video room", {"status": {"state": "present"}}, number=7),
    "change": Scene("change", "Choose another room", {"status": {"state": "present"}}, press("Choose another room"), 7),
    "refreshed": Scene(
        "already",
        "Everything is in place",
        **after(done("already"), "Update joining details", status={"state": "present"}),
    ),
    "personal": Scene("personal", "your own room", {"status": {"state": "personal"}}, number=7),
    "personal-incomplete": Scene(
        "incomplete", "not in the location", {"status": {"state": "personal", "missing": ["location"]}}, number=7
    ),
    "placeholder": Scene("placeholder", "follow later", {"status": {"state": "placeholder"}}),
    "placeholder-added": Scene(
        "placeholder", "follow later", **after(done("placeholder", warnings=["warning.offlinePlaceholder"]))
    ),
    "incomplete": Scene(
        "incomplete",
        "Greenroom (greenroom@example.org) is not invited",
        {"status": {"state": "incomplete", "missing": ["mailbox", "text", "location"]}},
    ),
    "repaired": Scene(
        "repaired",
        "complete again",
        **after(done("repaired"), "Complete the invitation", status={"state": "incomplete", "missing": ["mailbox"]}),
    ),
    "copied": Scene("copied", "belongs to another meeting", {"status": {"state": "copied"}}),
    "replaced": Scene(
        "replaced",
        "has another room",
        **after(done("replaced"), "Give this meeting its own room", status={"state": "copied"}),
    ),
    "occurrence": Scene("occurrence", "one meeting of a series", {"status": {"state": "occurrence"}}),
    "error": Scene("failed", "c0ffee-42", **after(failed("error.tokenRefused", "token", correlationId="c0ffee-42"))),
    "error-final": Scene("failed", "You may not add video rooms", **after(failed("error.notAllowed", retry=False))),
    "error-too-many": Scene("failed", "Try again in 17 seconds", **after(failed("error.tooMany", retryAfter=17))),
    "sign-in": Scene("signIn", "Please sign in", **after(failed("error.signInNeeded", "token"))),
    "removed": Scene(
        "removed",
        "is removed",
        {"status": {"state": "present"}, "steps": ["look", "text", "release"]},
        press("Remove video room"),
    ),
    "diagnostics": Scene("none", "Mailbox 1.14", {}, unfold, 7),
}


@dataclass
class House:
    """A browser and the pages it is sent to."""

    browser: Browser
    address: str

    @contextmanager
    def enter(self, scene: Scene, **how: Any) -> Iterator[tuple[Page, list[str]]]:
        with outlook(self.browser, {"plan": scene.plan} | scene.known, office=scene.office, **how) as (
            page,
            complaints,
        ):
            page.goto(f"{self.address}/addin/{scene.number}/taskpane.html?_host_Info=Outlook$Web")
            if scene.view != "loading":
                expect(page.locator("[data-view=loading]")).to_have_count(0)
            scene.act(page)
            expect(page.locator(f"[data-view={scene.view}]")).to_be_visible()
            expect(page.locator("body")).to_contain_text(scene.says)
            yield page, complaints


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    assets = with_fake_flow(tmp_path_factory.mktemp("static"))
    with chromium() as browser, served(pages_app({1: PLAIN, 7: RICH}, assets)) as address:
        yield House(browser, address)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = os.environ.get("GREENROOM_SCREENSHOTS")
    found = Path(folder) if folder else tmp_path_factory.mktemp("pictures")
    found.mkdir(exist_ok=True, parents=True)
    return found


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "dark", "forced_colors": "active"},
}


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing_in_light_dark_and_forced_colours(house: House, pictures: Path, name: str) -> None:
    with house.enter(SCENES[name], bypass_csp=True) as (page, _):
        for look, media in LOOKS.items():
            page.emulate_media(**media)
            assert axe(page) == [], look
            page.screenshot(path=pictures / f"{name}-{look}.png", full_page=True)


@pytest.mark.parametrize("name", SCENES)
def test_nothing_is_wrong_in_the_console_and_nothing_sticks_out_of_320_pixels(house: House, name: str) -> None:
    with house.enter(SCENES[name]) as (page, complaints):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.lang") == "en"
        said = page.locator("body").inner_text()
        assert not re.search(r"\b[a-zA-Z]+\.[a-z]+[A-Z.][a-zA-Z]*\b|[{}]", re.sub(r"\S+[@/]\S+|c0ffee", "", said))
        assert page.locator("h1:visible").count() == 1
        page.evaluate("document.documentElement.style.fontSize = '175%'")  # 200 % of 14 pixels
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [text for text in complaints if "ERR_FAILED" not in text or name != "no-office"] == []


@pytest.mark.parametrize("language", ["de", "fr", "sv", "nb"])
def test_the_longest_words_of_other_languages_fit(house: House, pictures: Path, language: str) -> None:
    for name in ("choice", "incomplete", "copied"):
        scene = SCENES[name]
        with outlook(house.browser, {"plan": scene.plan, "language": language}, color_scheme="light") as (page, _):
            page.goto(f"{house.address}/addin/{scene.number}/taskpane.html")
            expect(page.locator(f"[data-view={scene.view}]")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("document.documentElement.lang") == language
            page.screenshot(path=pictures / f"{name}-{language}.png", full_page=True)
