"""The pane in use: by keyboard alone, by people who hear it, with Outlook's own theme, and while Greenroom is away."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from greenroom.addin.assets import Assets
from support.addin_pages import PLAIN, RICH, pages_app
from support.addin_pane import outlook, with_fake_flow
from support.browser import chromium
from support.served import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STEPS = ["look", "token", "reserve", "invite", "text"]
ROOMS = [{"id": "a", "name": "Ada", "description": ""}, {"id": "b", "name": "Ben", "description": ""}]
GONE = {"ok": False, "step": "invite", "error": {"code": "error.outlookFailed", "retry": True}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Assets:
    return with_fake_flow(tmp_path_factory.mktemp("static"))


@pytest.fixture(scope="module")
def address(assets: Assets) -> Iterator[str]:
    with served(pages_app({1: PLAIN, 7: RICH}, assets)) as found:
        yield found


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.parentElement.innerText"))


def calls(page: Page) -> list[list[Any]]:
    return [call for call in page.evaluate("window.__calls ?? []") if call[0] != "topUp"]


def test_a_room_is_added_and_removed_by_keyboard_alone(browser: Browser, address: str) -> None:
    with outlook(browser, {"plan": {"steps": STEPS}}) as (page, complaints):
        page.goto(f"{address}/addin/1/taskpane.html")
        button = page.get_by_role("button", name="Add video room")
        expect(button).to_be_visible()
        assert page.evaluate("document.activeElement === document.body")  # nobody's focus is taken at the beginning
        page.keyboard.press("Tab")
        expect(button).to_be_focused()
        assert button.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Your meeting has a video room")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Remove video room")).to_be_focused()
        page.keyboard.press("Space")
        expect(page.get_by_role("heading", name="The video room is removed")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Add a video room")).to_be_focused()
        assert [name for name, _ in calls(page)] == ["add", "remove"]
    assert complaints == []


def test_an_own_room_is_chosen_by_keyboard_and_no_window_opens_before_a_button_is_pressed(
    browser: Browser, address: str
) -> None:
    plan = {"rooms": [{"code": "error.signInNeeded"}, ROOMS], "steps": STEPS}
    with outlook(browser, {"plan": plan}) as (page, _):
        page.goto(f"{address}/addin/7/taskpane.html")
        expect(page.get_by_label("A room for this meeting")).to_be_checked()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("One of my own rooms")).to_be_checked()
        expect(page.get_by_role("status")).to_have_text("Sign in to see your rooms.")
        assert calls(page) == [["rooms", {"interactive": False}]]
        page.get_by_role("button", name="Add video room").press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Choose one of your rooms first.")
        expect(page.get_by_role("button", name="Sign in")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("group", name="My rooms")).to_be_visible()
        expect(page.get_by_label("Ada")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.locator("[data-view=added]")).to_be_visible()
        assert calls(page)[1:] == [
            ["rooms", {"interactive": True}],
            ["add", {"kind": "personal", "roomId": "b"}],
        ]


def test_what_failed_is_said_aloud_and_tried_again_in_the_same_way(browser: Browser, address: str) -> None:
    plan = {"status": {"state": "occurrence"}, "outcomes": [GONE], "steps": STEPS}
    with outlook(browser, {"plan": plan}) as (page, _):
        page.goto(f"{address}/addin/1/taskpane.html")
        page.get_by_role("button", name="Only for this meeting").click()
        expect(page.get_by_role("alert")).to_contain_text("Outlook did not do what was asked of it.")
        expect(page.get_by_role("heading", name="That did not work")).to_be_focused()
        expect(page.locator(".facts")).to_contain_text("Inviting the room")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("[data-view=added]")).to_be_visible()
        assert calls(page) == [["add", {"kind": "vmr", "occurrence": True}]] * 2


def test_a_step_that_takes_long_is_said_aloud(browser: Browser, address: str) -> None:
    with outlook(browser, {"plan": {"steps": STEPS[:3], "hang": True}}) as (page, _):
        page.goto(f"{address}/addin/1/taskpane.html")
        page.get_by_role("button", name="Add video room").click()
        expect(page.get_by_role("heading", name="Adding the video room")).to_be_focused()
        expect(page.get_by_role("status")).to_have_text("Setting a room aside")
        assert page.locator(".steps .now").count() == 1


def test_outlooks_own_theme_stands_before_the_computers(browser: Browser, address: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(243, 247, 244)", "rgb(14, 21, 18)"
    with outlook(browser, {"theme": {"bodyBackgroundColor": "#1f1f1f"}}, color_scheme="light") as (page, _):
        page.goto(f"{address}/addin/1/taskpane.html")
        expect(page.locator("[data-view=none]")).to_be_visible()
        assert page.evaluate(ground) == dark
        page.evaluate("Office.context.officeTheme = { isDarkTheme: false }; __themeChanged()")
        assert page.evaluate(ground) == light
    with outlook(browser, {"theme": {"bodyBackgroundColor": "#ffffff"}}, color_scheme="dark") as (page, _):
        page.goto(f"{address}/addin/1/taskpane.html")
        expect(page.locator("[data-view=none]")).to_be_visible()
        assert page.evaluate(ground) == light
    with outlook(browser, color_scheme="dark") as (page, _):
        page.goto(f"{address}/addin/1/taskpane.html")
        expect(page.locator("[data-view=none]")).to_be_visible()
        assert page.evaluate(ground) == dark


def test_details_are_copied_and_carry_codes_alone(browser: Browser, address: str) -> None:
    with outlook(browser, permissions=["clipboard-read", "clipboard-write"]) as (page, _):
        page.goto(f"{address}/addin/1/taskpane.html")
        page.get_by_text("Details for support").click()
        page.get_by_role("button", name="Copy details").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        text = page.evaluate("navigator.clipboard.readText()")
    assert "Outlook OfficeOnline 16.0.1 Mailbox 1.14" in text
    assert "@" not in text


def test_a_page_without_its_configuration_says_so_and_tries_again(browser: Browser, address: str) -> None:
    with outlook(browser) as (page, _):
        page.route("**/config.json*", lambda route: route.abort(), times=1)
        page.goto(f"{address}/addin/1/taskpane.html")
        expect(page.get_by_role("heading", name="The service for video rooms cannot be reached")).to_be_visible()
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("[data-view=none]")).to_be_visible()


def test_the_page_still_comes_when_greenroom_is_away(browser: Browser, assets: Assets) -> None:
    ready = (
        "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller ? 1 : new Promise((done) => "
        "navigator.serviceWorker.addEventListener('controllerchange', () => done(1))))"
    )
    with outlook(browser, {"language": "de-DE"}, service_workers="allow") as (page, _):
        with served(pages_app({1: PLAIN}, assets)) as address:
            page.goto(f"{address}/addin/1/taskpane.html?_host_Info=first")
            expect(page.get_by_role("button", name="Videoraum hinzufügen")).to_be_visible()
            page.evaluate(ready)
        page.goto(f"{address}/addin/1/taskpane.html?_host_Info=second")
        page.get_by_role("button", name="Videoraum hinzufügen").click()
        expect(page.locator("[data-view=added]")).to_contain_text("Ihre Besprechung hat einen Videoraum")
        kept = page.evaluate(
            "caches.keys().then((names) => caches.open(names[0])).then((one) => one.keys())"
            ".then((all) => all.map((request) => new URL(request.url).pathname))"
        )
        assert "/addin/1/commands.html" in kept
        assert [path for path in kept if "/api/" in path or "signed" in path or path == "office.js"] == []
        assert page.evaluate("fetch('/addin/api/v1/personal-rooms').then(() => 'answered', () => 'away')") == "away"
