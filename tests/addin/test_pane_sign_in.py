"""The window in which people sign in at an OpenID Connect provider: from our page to the provider and back, with PKCE."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.addin_pages import RICH, changed, pages_app
from support.addin_pane import axe, outlook
from support.browser import chromium
from support.served import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AUTHORIZE = "https://fs.example.org/adfs/oauth2/authorize"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    async def unknown() -> str | None:
        return None

    assert RICH.oidc is not None
    lost = type(RICH.oidc)(unknown, "x", ("openid",), "https://meet.example.org/addin/signed-in.html")
    with served(pages_app({7: RICH, 8: changed(RICH, oidc=lost)})) as found:
        yield found


class Provider:
    """Plays the provider and our API: sends the browser back with what a test wants, and writes down what it is sent."""

    def __init__(self, address: str, answer: dict[str, str] | None = None, status: int = 200) -> None:
        self.address = address
        self.answer = {"code": "the-code"} if answer is None else answer
        self.status = status
        self.asked: dict[str, str] = {}
        self.posted: list[Any] = []

    def authorize(self, route: Route) -> None:
        self.asked = {name: one for name, (one,) in parse_qs(urlsplit(route.request.url).query).items()}
        query = urlencode({"state": self.asked["state"]} | self.answer)
        back = f"{self.address}/addin/signed-in.html?{query}"
        route.fulfill(status=302, headers={"Location": back})

    def exchange(self, route: Route) -> None:
        self.posted.append(json.loads(route.request.post_data or ""))
        told = {"access_token": "a.b.c", "expires_in": 3600} if self.status == 200 else {"code": "unavailable"}
        route.fulfill(status=self.status, json=told)


@contextmanager
def signing_in(browser: Browser, provider: Provider, page_of: str = "7/sign-in.html", **how: Any) -> Iterator[Page]:
    with outlook(browser, **how) as (page, complaints):
        page.route(f"{AUTHORIZE}*", provider.authorize)
        page.route("**/addin/api/v1/sign-in", provider.exchange)
        page.goto(f"{provider.address}/addin/{page_of}")
        yield page
        assert [text for text in complaints if "status of 503" not in text] == []


def told(page: Page) -> Any:
    expect(page.locator("html[data-told]")).to_have_count(1)
    ((text, options),) = page.evaluate("window.__told")
    assert options == {"targetOrigin": page.evaluate("location.origin")}
    return json.loads(text)


def test_the_token_comes_back_to_the_page_that_opened_the_window(browser: Browser, address: str) -> None:
    provider = Provider(address)
    with signing_in(browser, provider) as page:
        assert told(page) == {"access_token": "a.b.c", "expires_in": 3600}
        assert page.evaluate("sessionStorage.length") == 0
    (posted,) = provider.posted
    asked = provider.asked
    digest = hashlib.sha256(posted["verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert len(posted["verifier"]) == 43
    assert posted["code"] == "the-code"
    assert posted["integration"] == 7
    assert posted["redirect_uri"] == asked["redirect_uri"] == "https://meet.example.org/addin/signed-in.html"
    assert asked["state"].startswith("7.")
    assert {
        name: asked[name] for name in ("response_type", "client_id", "scope", "resource", "code_challenge_method")
    } == {
        "response_type": "code",
        "client_id": "greenroom-addin",
        "scope": "openid profile",
        "resource": "https://r",
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"code": "x", "state": "7.forged"}, 200, "state-mismatch"),
        ({"error": "access_denied"}, 200, "access-denied"),
        ({"error": "server_error", "error_description": "<b>secret</b>"}, 200, "provider-refused"),
        ({"code": "x"}, 503, "exchange-refused"),
    ],
    ids=["forged", "denied", "refused", "no-exchange"],
)
def test_what_goes_wrong_is_told_to_both(
    browser: Browser, address: str, answer: dict[str, str], status: int, code: str
) -> None:
    provider = Provider(address, answer, status)
    with signing_in(browser, provider, bypass_csp=True) as page:
        assert told(page) == {"error": code}
        expect(page.get_by_role("alert")).to_contain_text("Signing in did not work")
        assert "secret" not in page.locator("body").inner_text()
        assert axe(page) == []
    assert len(provider.posted) == (1 if code == "exchange-refused" else 0)


def test_a_code_that_nobody_asked_for_is_not_traded(browser: Browser, address: str) -> None:
    provider = Provider(address)
    with signing_in(browser, provider, "signed-in.html?code=x&state=7.y") as page:
        assert told(page) == {"error": "state-mismatch"}
    assert provider.posted == []


def test_a_provider_that_cannot_be_found_is_told(browser: Browser, address: str) -> None:
    provider = Provider(address)
    with signing_in(browser, provider, "8/sign-in.html", locale="de-DE") as page:
        assert told(page) == {"error": "provider-unknown"}
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached now")
