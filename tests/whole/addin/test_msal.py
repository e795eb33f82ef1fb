"""Signing in through Outlook itself: the real MSAL in the page, the bridge of Outlook, and a server that checks Entra's tokens."""

from collections.abc import Callable

import pytest
from playwright.async_api import Browser

from support.addin_at_work import OFFICE_CLIENT, Person, Site
from support.addin_forms import Pane, meeting
from support.addin_turns import over
from support.outlooks import NestedAuth, OutlookWindow, generation

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

NEW = generation("new-outlook-online-1.14")
ADD = "Add video room"
ADDED = "The video room is added. Send the invitation as usual."
SIGN_IN = "You have to sign in. Open “Room settings” to do that."
NEEDED = "USER_INTERACTION_REQUIRED"


def counted(make: Callable[[], str]) -> tuple[Callable[[], str], list[str]]:
    """Whoever gives tokens, and the tokens that it gave."""
    given: list[str] = []

    def give() -> str:
        given.append(make())
        return given[-1]

    return give, given


def shown(window: OutlookWindow) -> list[str]:
    """The Authorization headers that the server got, in order, each once."""
    headers = [one.headers.get("authorization", "") for one in window.requests if one.path.startswith("/addin/api/")]
    return list(dict.fromkeys(one for one in headers if one))


def fallback(site: Site, person: Person) -> str:
    """What Office's older single sign-on gives."""
    return site.entra_token(person, azp=OFFICE_CLIENT)


@over(NEW)
async def test_the_server_takes_the_token_that_the_real_msal_gets(site: Site, browser: Browser, kind: object) -> None:
    olga = site.person()
    give, given = counted(lambda: site.entra_token(olga))
    async with site.outlook(browser, NEW, olga, item=meeting(), nested=NestedAuth(give)) as window:
        await window.click_add()
        assert await window.notifications() == [ADDED]
        assert len(given) == 1
        assert shown(window) == [f"Bearer {given[0]}"]
        assert [one.status for one in window.requests if one.path.endswith("/msal-browser.min.js")] == [200]
        sent = site.send(olga, await window.item())
    await site.takes_its_room(sent)


@over(NEW)
async def test_where_the_person_is_needed_the_pane_opens_the_window(site: Site, browser: Browser, kind: object) -> None:
    olga = site.person()
    give, given = counted(lambda: site.entra_token(olga))
    nested = NestedAuth(give, silent=NEEDED)
    async with site.outlook(browser, NEW, olga, item=meeting(), nested=nested, access_token=None) as window:
        await window.click_add()
        assert await window.notifications() == [SIGN_IN]
        assert given == []
        assert (await window.item())["body"] == meeting()["body"]
        pane = await Pane.of(window)
        await pane.shows("none")
        await pane.does(ADD, "added")
        assert shown(window) == [f"Bearer {given[0]}"]
        sent = site.send(olga, await window.item())
    await site.takes_its_room(sent)


@over(NEW, status=("PERSISTENT_ERROR", "DISABLED", "TRANSIENT_ERROR", "ACCOUNT_UNAVAILABLE", "missing"))
async def test_a_bridge_that_refuses_is_passed_over_for_the_next_way(
    site: Site, browser: Browser, kind: object, status: str
) -> None:
    olga = site.person()
    token = fallback(site, olga)
    nested = NestedAuth(missing=True) if status == "missing" else NestedAuth(silent=status, popup=status)
    async with site.outlook(browser, NEW, olga, item=meeting(), nested=nested, access_token=token) as window:
        await window.click_add()
        assert await window.notifications() == [ADDED]
        assert shown(window) == [f"Bearer {token}"]


TOLD = {
    "PERSISTENT_ERROR": "Signing in did not work.",
    "DISABLED": "Signing in did not work.",
    "USER_CANCEL": "The sign-in window was closed before you were signed in.",
    NEEDED: "Sign in so that a room can be set aside for you.",
    "missing": "Signing in did not work.",
}


@over(NEW, status=tuple(TOLD))
async def test_where_no_way_is_left_the_person_is_told_and_nothing_is_changed(
    site: Site, browser: Browser, kind: object, status: str
) -> None:
    olga = site.person()
    nested = NestedAuth(missing=True) if status == "missing" else NestedAuth(silent=status, popup=status)
    async with site.outlook(browser, NEW, olga, item=meeting(), nested=nested, access_token=None) as window:
        before = await window.item()
        pane = await Pane.of(window)
        await pane.shows("none")
        assert TOLD[status] in await pane.does(ADD, "signIn")
        assert [one.path for one in window.requests if one.method == "POST"] == []
        after = await window.item()
        assert [after[name] for name in ("body", "location", "required")] == [
            before[name] for name in ("body", "location", "required")
        ]


@over(NEW)
async def test_a_token_that_has_expired_is_asked_for_once_more(site: Site, browser: Browser, kind: object) -> None:
    olga = site.person()
    tokens = iter([site.entra_token(olga, iat=1_000, nbf=1_000, exp=2_000)])
    give, given = counted(lambda: next(tokens, site.entra_token(olga)))
    nested = NestedAuth(give)
    async with site.outlook(browser, NEW, olga, item=meeting(), nested=nested, fetches=True) as window:
        await window.click_add()
        assert await window.notifications() == [ADDED]
        assert shown(window) == [f"Bearer {one}" for one in given]
        assert len(given) == 2
        answers = [one.status for one in window.requests if one.path.endswith("/reservations")]
        assert answers == [401, 201]


@over(NEW)
async def test_where_outlook_has_no_network_the_person_is_told_so(site: Site, browser: Browser, kind: object) -> None:
    olga = site.person()
    nested = NestedAuth(silent="NO_NETWORK", popup="NO_NETWORK")
    async with site.outlook(browser, NEW, olga, item=meeting(), nested=nested, access_token=None) as window:
        pane = await Pane.of(window)
        await pane.shows("none")
        assert "The service cannot be reached." in await pane.does(ADD, "failed")
