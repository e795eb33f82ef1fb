"""The join page in a real Chromium: what people see, on a phone and on a desk."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from greenroom.meetings.rules import Weekly
from greenroom.web.app import create_app
from greenroom.web.contract import JoinRoom
from support.join_rooms import (
    AFTER,
    BEFORE,
    JOIN_ID,
    NOW,
    PEXIP,
    PEXIP_FEW,
    PLACES,
    Clock,
    RoomsInMemory,
    admission,
    room,
    series,
)
from support.served import served

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "locale": "de-DE", "timezone_id": "Europe/Berlin"}
DESK: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 800},
    "locale": "en-US",
    "timezone_id": "America/New_York",
}
NARROW: dict[str, Any] = PHONE | {"viewport": {"width": 320, "height": 640}, "timezone_id": "Pacific/Auckland"}
SOON = timedelta(minutes=20)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def weekly(starts: datetime = NOW) -> JoinRoom:
    """A series on the weekday of this start, at the same time in Berlin."""
    return room(admission=admission(series(Weekly(1, (starts.weekday(),)), starts)), pins=2)


CONTRAST = """() => {
  const parse = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!text || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""

LOOK = "() => { document.dispatchEvent(new Event('visibilitychange')); }"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, found: JoinRoom | None, clock: Clock | None = None, **how: Any) -> Iterator[Page]:
    """Open the page; at the end nothing may have gone wrong in it, and nothing been loaded from elsewhere."""
    rooms = RoomsInMemory(*([found] if found is not None else []))
    with served(create_app(rooms, clock or Clock(), PLACES)) as address:
        context = browser.new_context(**how)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend([] if request.url.startswith(address) else [request.url]))
        page.goto(f"{address}/j/{JOIN_ID}")
        yield page
        context.close()
        assert [text for text in complaints if found is not None or "404" not in text] == []


@pytest.mark.parametrize(
    ("how", "scheme"),
    [
        (PHONE, "light"),
        pytest.param(PHONE, "dark", marks=pytest.mark.slow),
        pytest.param(DESK, "light", marks=pytest.mark.slow),
        (DESK, "dark"),
    ],
    ids=["phone-light", "phone-dark", "desk-light", "desk-dark"],
)
@pytest.mark.parametrize(
    "found",
    [room(SOON), weekly(), room(retired_at=NOW), None, weekly(NOW - 48 * HOUR)],
    ids=["early", "open", "gone", "404", "between"],
)
def test_every_state_fits_the_screen_and_can_be_read(
    chromium: Browser, found: JoinRoom | None, how: dict[str, Any], scheme: str
) -> None:
    with visit(chromium, found, color_scheme=scheme, **how) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(CONTRAST) == []
        assert page.locator("html").get_attribute("lang") == "en"
        for landmark in ("header", "main", "footer", "h1"):
            assert page.locator(landmark).count() == 1
        assert page.evaluate("[...document.querySelectorAll('button, a')].every((e) => e.innerText.trim())")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_series_fits_the_narrowest_screen_with_both_clocks(chromium: Browser, scheme: str) -> None:
    for found in (weekly(NOW - 48 * HOUR), weekly()):
        with visit(chromium, found, color_scheme=scheme, **NARROW) as page:
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate(CONTRAST) == []
            expect(page.locator("dl.times")).to_contain_text("CET)")


def test_times_are_the_visitors_own(chromium: Browser) -> None:
    with visit(chromium, room(SOON), **PHONE) as page:
        expect(page.locator("main")).to_contain_text("Mo., 23. Nov. 2026, 14:50")
        expect(page.locator("main")).to_contain_text("Mitteleuropäische Normalzeit")
    with visit(chromium, room(SOON), **DESK) as page:
        expect(page.locator("main")).to_contain_text("Mon, Nov 23, 2026, 8:50 AM")
        expect(page.locator("main")).not_to_contain_text("UTC")


def test_the_page_counts_down_and_opens_by_itself(chromium: Browser) -> None:
    clock = Clock()
    with visit(chromium, room(timedelta(seconds=3)), clock, **PHONE) as page:
        expect(page.get_by_role("timer")).to_have_text("00:02")
        expect(page.get_by_text("Join now")).to_have_count(0)
        clock.now = NOW + timedelta(seconds=3)
        expect(page.get_by_role("link", name="Join now")).to_be_visible(timeout=10_000)
        expect(page.locator("main")).to_contain_text("Open now")


def test_a_series_opens_and_closes_by_itself_and_the_page_is_never_loaded_again(chromium: Browser) -> None:
    opens, closes = NOW + WEEK - BEFORE, NOW + WEEK + HOUR + AFTER
    clock = Clock(opens - timedelta(seconds=3))
    with visit(chromium, weekly(), clock, **PHONE) as page:
        page.evaluate("window.kept = true")
        expect(page.locator("main")).to_contain_text("Closed now")
        expect(page.locator("main")).to_contain_text("The room opens again in")
        expect(page.get_by_role("timer")).to_have_text("00:02")
        expect(page.get_by_text("482915306")).to_have_count(0)

        clock.now = opens
        expect(page.get_by_role("link", name="Join now")).to_be_visible(timeout=10_000)
        expect(page.get_by_role("status")).to_have_text("Open now")
        expect(page.locator("main")).to_contain_text("sip:meet482915306@video.example.org")
        expect(page.get_by_role("timer")).to_have_count(0)
        expect(page.get_by_role("button", name="Copy Meeting number")).to_be_visible()
        assert "Open now" in page.title()

        clock.now = closes - timedelta(seconds=2)
        page.evaluate(LOOK)  # the clock was moved by hours: as if the computer had slept
        expect(page.locator("body")).to_have_attribute("data-closes", closes.isoformat())
        clock.now = closes
        expect(page.locator("main")).to_contain_text("Closed now", timeout=10_000)
        expect(page.get_by_text("482915306")).to_have_count(0)
        expect(page.get_by_role("timer")).to_contain_text("6 days")
        expect(page.locator("main")).to_contain_text("Mo., 7. Dez. 2026, 14:00")
        assert page.evaluate("window.kept") is True
        assert page.evaluate("document.querySelectorAll('h1').length") == 1


def test_a_page_that_opens_for_a_single_meeting_says_at_its_end_that_it_is_over(chromium: Browser) -> None:
    clock = Clock()
    with visit(chromium, room(), clock, **PHONE) as page:
        clock.now = NOW + 10 * HOUR
        page.evaluate(LOOK)
        expect(page.locator("main")).to_contain_text("This meeting is over.")
        expect(page.get_by_text("482915306")).to_have_count(0)


def test_the_organizers_time_is_beside_the_visitors_where_their_clocks_differ(chromium: Browser) -> None:
    with visit(chromium, weekly(NOW - 48 * HOUR), **DESK) as page:
        expect(page.locator("dl.times")).to_contain_text("Sat, Nov 28, 2026, 8:00 AM (14:00 CET)")
        expect(page.locator("dl.times")).to_contain_text("9:00 AM (15:00 CET)")
        expect(page.locator("main")).to_contain_text("Eastern Standard Time (the organizer's in brackets)")
    with visit(chromium, weekly(NOW - 48 * HOUR), **PHONE | {"timezone_id": "Pacific/Auckland"}) as page:
        expect(page.locator("dl.times")).to_contain_text("So., 29. Nov. 2026, 2:00 (Sat 28 Nov 2026, 14:00 CET)")
    with visit(chromium, weekly(NOW - 48 * HOUR), **PHONE) as page:
        expect(page.locator("dl.times")).to_contain_text("Sa., 28. Nov. 2026, 14:00")
        expect(page.locator("main")).not_to_contain_text("CET")


def test_a_dial_string_can_be_copied(chromium: Browser) -> None:
    with visit(chromium, room(), **DESK, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.get_by_role("button", name="Copy Video system (SIP)").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "sip:meet482915306@video.example.org"


def test_the_keyboard_reaches_the_button_and_shows_where_it_is(chromium: Browser) -> None:
    with visit(chromium, room(), **DESK) as page:
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        expect(focused).to_have_text("Join now")
        assert focused.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def test_without_a_script_everything_is_said_in_utc_and_in_the_organizers_zone(chromium: Browser) -> None:
    with visit(chromium, room(SOON), **PHONE, java_script_enabled=False) as page:
        expect(page.locator("main")).to_contain_text("Mon 23 Nov 2026, 13:50 UTC (Mon 23 Nov 2026, 14:50 CET)")
        expect(page.get_by_role("timer")).to_have_count(0)
        expect(page.locator("main noscript p")).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize(
    ("how", "scheme"),
    [
        pytest.param(
            how, scheme, marks=[] if (how, scheme) in ((NARROW, "light"), (DESK, "dark")) else [pytest.mark.slow]
        )
        for how in (PHONE, DESK, NARROW)
        for scheme in ("light", "dark")
    ],
    ids=["phone-light", "phone-dark", "desk-light", "desk-dark", "narrow-light", "narrow-dark"],
)
def test_all_ways_into_a_room_on_pexip_fit_and_can_be_read(chromium: Browser, how: dict[str, Any], scheme: str) -> None:
    with visit(chromium, room(integration=PEXIP, pins=2), color_scheme=scheme, **how) as page:
        expect(page.get_by_role("link", name="Join now")).to_have_attribute("href", re.compile("/webapp3/m/"))
        expect(page.get_by_text("+47 23 45 67 89")).to_be_hidden()
        page.get_by_text("Telephone numbers (4)").click()
        number = page.get_by_role("link", name="+47 23 45 67 89")
        expect(number).to_be_visible()
        assert number.evaluate("(e) => e.getClientRects().length") == 1, "a number is not broken"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize(("touch", "shown"), [(True, True), (False, False)], ids=["phone", "desk"])
def test_the_app_is_offered_where_people_have_it(chromium: Browser, touch: bool, shown: bool) -> None:
    how = PHONE | {"is_mobile": True, "has_touch": True} if touch else DESK
    with visit(chromium, room(integration=PEXIP_FEW), **how) as page:
        expect(page.get_by_role("link", name="Open in the app")).to_be_visible(visible=shown)
        expect(page.get_by_role("button", name="Copy Telephone, Norway")).to_be_visible()
        assert page.locator("details").count() == 0
