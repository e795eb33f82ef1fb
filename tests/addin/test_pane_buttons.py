"""The buttons that open no pane: what they say in the meeting, and that they always come to an end."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.addin_pages import PLAIN, pages_app
from support.addin_pane import outlook, with_fake_flow
from support.browser import chromium
from support.served import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Like Outlook: calls the function, and waits for nothing but the event's completion.
RUN = """async (name) => {
  const completed = await new Promise((done) => {
    window.__actions[name]({ completed: (options) => done([options ?? null]) });
  });
  return { completed, notices: window.__notices ?? [], calls: window.__calls ?? [] };
}"""


def failed(code: str) -> dict[str, Any]:
    return {"ok": False, "step": "token", "error": {"code": code, "retry": True}}


def done(state: str, *warnings: str) -> dict[str, Any]:
    return {"ok": True, "state": state, "warnings": list(warnings), "reservation": None}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    assets = with_fake_flow(tmp_path_factory.mktemp("static"))
    with chromium() as browser, served(pages_app({1: PLAIN}, assets)) as address:
        yield browser, f"{address}/addin/1/commands.html"


def press(house: tuple[Browser, str], plan: dict[str, Any], name: str = "addRoom", **known: Any) -> dict[str, Any]:
    browser, address = house
    with outlook(browser, {"plan": plan} | known) as (page, complaints):
        page.goto(address)
        expect(page.locator("html[data-add-room-mobile]")).to_have_count(1)
        told: dict[str, Any] = page.evaluate(RUN, name)
        assert complaints == []
        return told


@pytest.mark.parametrize(
    ("outcome", "kind", "text"),
    [
        (done("added"), "informationalMessage", "The video room is added. Send the invitation as usual."),
        (done("already", "warning.notRefreshed"), "informationalMessage", "This meeting already has a video room."),
        (
            done("added", "warning.addMailboxYourself"),
            "errorMessage",
            "Please invite greenroom@example.org yourself: without it, the meeting has no room.",
        ),
        (
            done("placeholder"),
            "informationalMessage",
            "The joining details follow later. Send the invitation as usual.",
        ),
        (failed("error.signInNeeded"), "errorMessage", "You have to sign in. Open “Room settings” to do that."),
        (
            failed("error.occurrence"),
            "errorMessage",
            "This is one meeting of a series. Open the series, or “Room settings”.",
        ),
        (failed("error.notAllowed"), "errorMessage", "The video room was not added. Open “Room settings” to see why."),
    ],
    ids=["added", "already", "mailbox", "placeholder", "sign-in", "occurrence", "failed"],
)
def test_the_meeting_says_how_it_went(
    house: tuple[Browser, str], outcome: dict[str, Any], kind: str, text: str
) -> None:
    told = press(house, {"outcomes": [outcome]})
    (notice,) = told["notices"]
    assert (notice["type"], notice["message"]) == (kind, text)
    assert told["completed"] == [None]
    assert told["calls"][0] == ["add", {"kind": "vmr", "interactive": False}]


def test_on_a_phone_a_window_may_open_nothing_is_notified_and_the_event_is_allowed(house: tuple[Browser, str]) -> None:
    told = press(house, {}, "addRoomMobile", platform="iOS")
    assert told == {
        "completed": [{"allowEvent": True}],
        "notices": [],
        "calls": [["add", {"kind": "vmr", "interactive": True}]],
    }


def test_one_of_the_persons_own_rooms_stays(house: tuple[Browser, str]) -> None:
    told = press(house, {"status": {"state": "personal", "missing": ["location"]}})
    assert told["calls"] == []
    assert told["notices"][0]["message"] == "This meeting already has a video room."


def test_without_a_configuration_the_event_is_completed_and_the_page_has_words_left(house: tuple[Browser, str]) -> None:
    browser, address = house
    with outlook(browser) as (page, _):
        page.route("**/config.json*", lambda route: route.abort())
        page.goto(address)
        expect(page.locator("html[data-add-room]")).to_have_count(1)
        told = page.evaluate(RUN, "addRoom")
        assert told["completed"] == [None]
        assert told["notices"][0]["message"] == "The video room was not added. Open “Room settings” to see why."
        expect(page.locator("body")).to_be_empty()
