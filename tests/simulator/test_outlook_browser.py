"""The web mail client in a real browser: desktop and phone, light and dark, with and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from greenroom.simulator import Exchange
from greenroom.simulator.model import Body
from greenroom.simulator.outlook import create_outlook_app
from support.browser import DESKTOP, PHONE, chromium, open_page
from support.outlook_client import ADA, BO, CLEO, NOW, VMR
from support.served import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def mail() -> Iterator[tuple[str, Exchange]]:
    """The address of the client, and its store. (Calls into the store are short and atomic, so a thread may make them.)"""
    exchange = Exchange(lambda: NOW)
    for address, name in ((ADA, "Ada Ahlgren"), (BO, "Bo Lind"), (CLEO, "Cleo Marsh")):
        exchange.add_mailbox(address, name)
    exchange.add_mailbox(VMR, "Virtual room", kind="equipment", processing="auto_update")
    app = create_outlook_app(exchange, people=[ADA, BO, CLEO], equipment=[VMR], links=[("Timeline", "/timeline")])
    with served(app) as url:
        yield url, exchange


def compose(page: Page) -> None:
    page.get_by_label("Title").fill("Planning")
    page.get_by_label("Attendees", exact=True).fill("bo@mail.test; cleo")
    page.get_by_text("Invite the room mailbox").click()
    page.get_by_label("Start date").fill("2026-03-03")
    page.get_by_label("Start time").fill("10:00")
    page.get_by_label("Location").fill("Attic")
    page.get_by_label("Text").fill("Hello\nsee https://agenda.test/1")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Planning")).to_be_visible()


def fits(page: Page) -> bool:
    """Whether nothing sticks out sideways. The page renews itself: while it does there is nothing to measure."""
    try:
        page.wait_for_function("document.documentElement?.scrollWidth <= window.innerWidth", timeout=3000)
    except PlaywrightTimeoutError:
        return False
    return True


@pytest.mark.parametrize("size", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.slow)], ids=["desktop", "phone"])
def test_a_meeting_is_composed_and_its_answers_appear_by_themselves(
    browser: Browser, mail: tuple[str, Exchange], size: tuple[int, int]
) -> None:
    url, exchange = mail
    with open_page(browser, size) as (page, errors):
        page.goto(url)
        assert fits(page)
        page.get_by_role("link", name="Ada Ahlgren").click()
        page.get_by_role("link", name="New meeting").click()
        assert fits(page)
        compose(page)
        assert fits(page)
        expect(page.get_by_text("Tue 3 March, 10:00 \u2013 10:30")).to_be_visible()
        expect(page.get_by_text("3 no response")).to_be_visible()
        reply = Body('<p><a href="https://meet.test/j/1">Join the meeting</a></p>', "HTML")
        exchange.respond(VMR, exchange.items(VMR, "calendar")[0].id, "Accept", body=reply)
        exchange.respond(BO, exchange.items(BO, "calendar")[0].id, "Decline")
        expect(page.get_by_text("1 accepted, 1 declined, 1 no response")).to_be_visible(timeout=5000)
        expect(page.locator("[data-unread]")).to_contain_text("2")
        page.get_by_role("navigation", name="Folders").get_by_role("link", name="Inbox").click()
        page.get_by_role("link", name=re.compile("Virtual room")).click()
        link = page.frame_locator("iframe").get_by_role("link", name="Join the meeting")
        expect(link).to_be_visible()
        assert link.get_attribute("target") == "_blank"
        assert fits(page)
        if size == PHONE:
            page.get_by_role("link", name="Inbox").first.click()
            expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
        assert errors == []


def test_a_join_link_opens_in_a_new_tab_that_can_do_everything(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser) as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        compose(page)
        item = exchange.items(ADA, "calendar")[0]
        body = Body(f'<p><a href="{url}/">Join</a></p><script>document.body.textContent="hacked"</script>', "HTML")
        exchange.update_item(ADA, item.id, {"body": body})
        link = page.frame_locator("iframe").get_by_role("link", name="Join")
        with page.context.expect_page() as opened:
            link.click(timeout=5000)
        tab = opened.value
        tab.wait_for_load_state()
        assert tab.evaluate("window.origin") == url
        assert tab.evaluate("window.opener") is None


def test_a_meeting_is_edited_and_cancelled(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser) as (page, errors):
        page.goto(f"{url}/m/{ADA}/compose")
        compose(page)
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Start time").fill("14:00")
        page.get_by_label("Start time").blur()
        expect(page.get_by_label("End time")).to_have_value("14:30")
        page.get_by_role("button", name="Send update").click()
        expect(page.get_by_text("Tue 3 March, 14:00 \u2013 14:30")).to_be_visible()
        page.get_by_role("link", name="Cancel meeting").click()
        page.get_by_label("Message to everybody").fill("Another time")
        page.get_by_role("button", name="Cancel meeting").click()
        expect(page.get_by_text("cancelled and everybody told")).to_be_visible()
        assert exchange.items(BO, "inbox")[-1].item_class == "IPM.Schedule.Meeting.Canceled"
        assert errors == []


def test_an_invitation_is_answered_with_the_keyboard(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser) as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        compose(page)
        page.goto(f"{url}/m/{BO}/inbox")
        page.get_by_role("link", name=re.compile("Ada Ahlgren")).focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Accept").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("You answered: Accepted")).to_be_visible()
        assert exchange.items(ADA, "inbox")[-1].subject == "Accepted: Planning"


def test_times_are_in_the_browsers_zone_without_asking(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, _ = mail
    with open_page(browser, zone="America/New_York") as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")  # 08:15 UTC
        expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
        expect(page.get_by_label("Start time")).to_have_value("03:30")
        page.goto(f"{url}/m/{ADA}/inbox")
        expect(page.get_by_text("New York time")).to_be_visible()


@pytest.mark.slow
def test_a_message_being_typed_survives_the_live_refresh(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser) as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        compose(page)
        page.goto(f"{url}/m/{BO}/calendar?item={exchange.items(BO, 'calendar')[0].id.replace('+', '%2B')}")
        page.get_by_text("Add a message").click()
        page.get_by_label("Message to the organizer").fill("I will be la")
        exchange.update_item(
            ADA, exchange.items(ADA, "calendar")[0].id, {"subject": "New"}, send="SendToAllAndSaveCopy"
        )
        expect(page.locator(".entry").first).to_contain_text("New", timeout=5000)
        expect(page.get_by_label("Message to the organizer")).to_have_value("I will be la")


@pytest.mark.slow
def test_a_page_whose_mailbox_rests_is_left_alone(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, _ = mail
    with open_page(browser) as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        compose(page)
        page.evaluate("document.querySelectorAll('[data-region] > *').forEach((one) => { one.wasHere = true; })")
        with page.expect_response(re.compile("/live/.*v=")) as answer:
            pass
        assert answer.value.status == 204
        assert page.evaluate("[...document.querySelectorAll('[data-region] > *')].every((one) => one.wasHere)")


def test_everything_works_without_javascript(browser: Browser, mail: tuple[str, Exchange]) -> None:
    url, exchange = mail
    with open_page(browser, javascript=False) as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        page.get_by_label("End date").fill("2026-03-03")
        page.get_by_label("End time").fill("10:30")
        compose(page)
        assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
        assert len(exchange.items(BO, "inbox")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(browser: Browser, mail: tuple[str, Exchange], scheme: str) -> None:
    url, _ = mail
    with open_page(browser, scheme="dark" if scheme == "dark" else "light") as (page, _):
        page.goto(f"{url}/m/{ADA}/compose")
        compose(page)
        assert page.evaluate(_CONTRAST) == []


_CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => [0, 1, 2].map((i) => c[i] / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const c = parse(getComputedStyle(one).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest(".hidden, .skip, svg, option")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
