"""The composer hosts an add-in, in a real browser: one click, the pane, rich text, what is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from greenroom.simulator import Exchange
from greenroom.simulator.identity_tokens import IdentityTokens
from greenroom.simulator.model import Body
from greenroom.simulator.outlook import AddinLink, create_outlook_app
from support.browser import DESKTOP, PHONE, chromium, open_page
from support.outlook_client import ADA, BO, NOW, VMR
from support.served import served

_PATIENCE = 15_000  # milliseconds until what an add-in does is seen, on a machine that has much else to do

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BLOCK = '<div id="block" style="color: rgb(200, 0, 0)">Join <a href="https://meet.test/j/1">here</a></div>'
_CODE = (Path(__file__).parents[1] / "support/office_host/small_addin.js").read_text()


def page_of(body: str) -> Route:
    async def answer(_: object) -> Response:
        scripts = '<script src="/mail/static/office_standin.js"></script><script src="/addin/code.js"></script>'
        return HTMLResponse(f'<!doctype html><html lang="en"><title>Rooms</title>{scripts}{body}')

    return Route("/addin/taskpane.html" if body else "/addin/commands.html", answer)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def mail() -> Iterator[tuple[str, Exchange]]:
    """Ada's and Bo's mail with an add-in on the same address; its pages are the test's own."""
    exchange = Exchange(lambda: NOW)
    for address, name in ((ADA, "Ada Ahlgren"), (BO, "Bo Lind")):
        exchange.add_mailbox(address, name)
    exchange.add_mailbox(VMR, "Virtual room", kind="equipment", processing="auto_update")
    tokens = IdentityTokens(exchange.clock, "http://127.0.0.1", realm="mail.test")
    link = AddinLink("Rooms", "/addin/taskpane.html", "/addin/commands.html", tokens=tokens)
    app = create_outlook_app(exchange, people=[ADA, BO], equipment=[VMR], addin=link)

    async def code(_: object) -> Response:
        return Response(f"const BLOCK = {BLOCK!r};\n{_CODE}", media_type="text/javascript")

    pane = '<p id="state">wait</p><button id="add">Add here</button><button id="close">Done</button>'
    site = Starlette(routes=[page_of(pane), page_of(""), Route("/addin/code.js", code), Mount("/mail", app)])
    with served(site) as url:
        yield f"{url}/mail", exchange


def fill(page: Page, url: str) -> None:
    page.goto(f"{url}/m/{ADA}/compose")
    page.get_by_label("Title").fill("Planning")
    page.get_by_label("Attendees", exact=True).fill("bo; somebody")
    page.get_by_label("Attendees", exact=True).fill("Bo Lind")
    page.get_by_label("Start date").fill("2026-07-03")
    page.get_by_label("Start time").fill("10:00")
    page.get_by_label("Start time").blur()


def editor(page: Page) -> FrameLocator:
    return page.frame_locator("iframe.editor")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_one_click_adds_the_room_to_the_meeting_that_is_sent(
    browser: Browser, mail: tuple[str, Exchange], size: tuple[int, int]
) -> None:
    url, exchange = mail
    with open_page(browser, size) as (page, errors):
        fill(page, url)
        text = editor(page).get_by_role("textbox", name="Text")
        text.click()
        page.keyboard.type("Dear all, ")
        page.get_by_role("button", name="Add a video room").click()
        expect(page.get_by_text("The room was added.")).to_be_visible(timeout=_PATIENCE)
        expect(editor(page).get_by_role("link", name="here")).to_be_visible()
        expect(page.get_by_label("Attendees", exact=True)).to_have_value(f"{BO}; Virtual room <{VMR}>")
        expect(page.get_by_label("Location")).to_have_value("https://meet.test/j/1")
        colour = editor(page).locator("#block").evaluate("(one) => getComputedStyle(one).color")
        assert colour == "rgb(200, 0, 0)"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Dismiss").click()
        expect(page.get_by_text("The room was added.")).to_have_count(0)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Planning")).to_be_visible()
        assert errors == []
    [item] = exchange.items(ADA, "calendar")
    assert BLOCK in item.body.content
    assert "Dear all," in item.body.content
    assert len(exchange.items(VMR, "inbox")) == 1


def test_the_pane_sees_the_form_and_may_close_itself(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser) as (page, errors):
        fill(page, url)
        page.get_by_role("button", name="Video room \u2026").click()
        pane = page.frame_locator('iframe[title="Rooms"]')
        expect(pane.locator("#state")).to_have_text(
            f"{BO} | 2026-07-03T08:00:00.000Z | undefined | undefined", timeout=_PATIENCE
        )
        pane.get_by_role("button", name="Add here").click()
        expect(pane.locator("#state")).to_have_text(f"{BO},{VMR} | 2026-07-03T08:00:00.000Z | T | 1", timeout=_PATIENCE)
        pane.get_by_role("button", name="Done").click()
        expect(page.locator("#addin-pane")).to_be_hidden()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Planning")).to_be_visible()
        page.get_by_role("link", name="Edit").click()
        page.get_by_role("button", name="Video room \u2026").click()
        expect(pane.locator("#state")).to_have_text(f"{BO},{VMR} | 2026-07-03T08:00:00.000Z | T | 1", timeout=_PATIENCE)
        page.get_by_label("Title").fill("Better planning")
        page.get_by_role("button", name="Send update").click()
        expect(page.get_by_role("heading", name="Better planning")).to_be_visible()
        assert errors == []
    [item] = exchange.items(ADA, "calendar")
    assert BLOCK in item.body.content  # nobody touched the text, so it is what it was, letter by letter


def test_no_script_of_a_body_runs_in_the_editor(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser) as (page, _):
        fill(page, url)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Planning")).to_be_visible()
        item = exchange.items(ADA, "calendar")[0]
        hostile = '<p onclick="top.hacked=1">Hi<img src=x onerror="top.hacked=1"><script>top.hacked=1</script></p>'
        exchange.update_item(ADA, item.id, {"body": Body(hostile, "HTML")})
        page.get_by_role("link", name="Edit").click()
        expect(editor(page).get_by_text("Hi")).to_be_visible()
        body = editor(page).locator("body")
        body.evaluate(
            '(one) => { one.innerHTML = \'<img src=x onerror="top.hacked=1"><p onclick="top.hacked=1">Go</p>\' }'
        )
        editor(page).get_by_text("Go").click()
        assert page.evaluate("window.hacked") is None


def test_without_javascript_the_form_is_what_it_was(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser, javascript=False) as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        page.get_by_label("Title").fill("Planning")
        page.get_by_label("Attendees", exact=True).fill("bo")
        page.locator("textarea[name=body]").fill("Hello")
        expect(page.get_by_role("button", name="Add a video room")).to_have_count(0)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Planning")).to_be_visible()
    assert "<div>Hello</div>" in exchange.items(ADA, "calendar")[0].body.content
