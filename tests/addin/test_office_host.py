"""The tests' own Outlooks: the real Office.js and the real MSAL work in them, and the simulator's stand-in does the same."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Frame

from support.outlooks import (
    GENERATIONS,
    OFFICE_JS,
    ORIGIN,
    PROJECT,
    Generation,
    NestedAuth,
    OutlookWindow,
    chromium_async,
    generation,
    outlook,
    outlook_page,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PANE, COMMANDS, DIALOG = "/addin/1/taskpane.html", "/addin/1/commands.html", "/addin/signed-in.html"
MSAL = Path("node_modules/@azure/msal-browser/lib/msal-browser.min.js")
_PAGE = (
    '<!doctype html><meta charset="utf-8"><title>Add-in</title>{scripts}<script src="/addin/page.js"></script><p>Here'
)
_SCRIPT = f'<script src="{OFFICE_JS}"></script>'
PAGES = {
    PANE: _PAGE.format(scripts=_SCRIPT),
    COMMANDS: _PAGE.format(scripts=_SCRIPT),
    DIALOG: _PAGE.format(scripts=_SCRIPT),
    "/addin/page.js": (PROJECT / "tests/support/office_host/probe.js").read_text(),
}
ITEM = {
    "subject": "Plan",
    "body": {"type": "html", "content": "<p>Hello <b>all</b></p>"},
    "location": "Attic; Roof",
    "rooms": [{"name": "Blue room", "address": "blue@example.com"}],
    "required": [{"name": "Bo", "address": "bo@example.com"}],
}
SCRIPT: list[list[Any]] = [
    ["item.subject.getAsync"],
    ["item.body.getTypeAsync"],
    ["item.body.getAsync", "html"],
    ["item.body.getAsync", "text"],
    ["item.body.setAsync", '<p id="a" class="b">Join &amp; see</p>', {"coercionType": "html"}],
    ["item.body.prependAsync", "<p>First</p>", {"coercionType": "html"}],
    ["item.body.getAsync", "html"],
    ["item.body.setAsync", "x" * 1_000_001, {"coercionType": "html"}],
    ["item.location.getAsync"],
    ["item.location.setAsync", "Attic; https://meet.example.com/1"],
    ["item.location.setAsync", "x" * 256],
    ["item.enhancedLocation.addAsync", [{"id": "https://meet.example.com/2", "type": "custom"}]],
    ["item.enhancedLocation.getAsync"],
    ["item.enhancedLocation.removeAsync", [{"id": "Attic", "type": "custom"}]],
    ["item.requiredAttendees.getAsync"],
    ["item.requiredAttendees.addAsync", [{"displayName": "Room", "emailAddress": "vmr@example.com"}]],
    ["item.requiredAttendees.addAsync", ["cleo@example.com", "o'neil@example.com"]],
    ["item.requiredAttendees.getAsync"],
    ["item.requiredAttendees.addAsync", [f"p{n}@example.com" for n in range(101)]],
    ["item.optionalAttendees.setAsync", ["dan@example.com"]],
    ["item.start.getAsync"],
    ["item.organizer.getAsync"],
    ["item.recurrence.getAsync"],
    ["item.getItemIdAsync"],
    [
        "item.notificationMessages.addAsync",
        "note",
        {"type": "informationalMessage", "message": "Added", "icon": "icon", "persistent": False},
    ],
    ["item.notificationMessages.addAsync", "note", {"type": "errorMessage", "message": "Again"}],
    ["item.notificationMessages.replaceAsync", "note", {"type": "errorMessage", "message": "Failed"}],
    ["item.notificationMessages.replaceAsync", "note", {"type": "errorMessage", "message": "x" * 151}],
    ["item.notificationMessages.removeAsync", "other"],
    ["mailbox.getUserIdentityTokenAsync"],
    ["context.auth.getAccessTokenAsync", {}],
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium_async() as running:
        yield running


async def opened(window: OutlookWindow) -> Frame:
    pane = await window.open_pane()
    await pane.wait_for_function("window.info")
    return pane


async def one(pane: Frame, *call: Any) -> list[Any]:
    """The result of one call."""
    [found] = await pane.evaluate("(calls) => ask(calls)", [list(call)])
    return list(found)


async def spoken(browser: Browser, kind: Generation, *, stand_in: bool) -> dict[str, Any]:
    """What one script of calls gives in one Outlook, and what became of the meeting."""
    async with (
        outlook_page(browser) as page,
        outlook(
            page, kind, pages=PAGES, item=ITEM, stand_in=stand_in, access_token="sso.token", settings={"old": [1]}
        ) as window,
    ):
        pane = await opened(window)
        results = await pane.evaluate("(calls) => ask(calls)", SCRIPT)
        assert await pane.evaluate("remember({ ticket: 'T' })") == "succeeded"
        kept = await pane.evaluate("kept()")
        assert await pane.evaluate("roam('ahead', { n: 2 })") == "succeeded"
        seen = await pane.evaluate("described()")
        command = await window.click_add()
        item = await window.item()
        assert window.console_errors == []
        assert window.foreign == []
        calls = [call["operation"] for call in await window.calls()]
        return {
            "results": results, "kept": kept, "seen": seen, "command": command, "item": item, "calls": calls,
            "roaming": await window.roaming(),
        }  # fmt: skip


@pytest.mark.parametrize("kind", GENERATIONS, ids=str)
async def test_the_real_office_js_and_the_stand_in_do_the_same_in_every_generation(
    browser: Browser, kind: Generation
) -> None:
    real = await spoken(browser, kind, stand_in=False)
    results = dict(zip(range(len(SCRIPT)), real["results"], strict=True))
    at = {call[0]: number for number, call in reversed(list(enumerate(SCRIPT)))}
    item = real["item"]
    assert results[at["item.subject.getAsync"]] == ["succeeded", "Plan"]
    assert results[3] == ["succeeded", "Hello all"]
    assert "Join &amp; see" in item["body"]["content"]
    assert item["body"]["content"].index("First") < item["body"]["content"].index("Join")
    assert results[7] == ["threw", "Sys.ArgumentOutOfRange"]
    assert results[8] == ["succeeded", "Blue room; Attic; Roof"]
    assert results[10] == ["threw", "Sys.ArgumentOutOfRange"]
    assert (results[11][0] == "succeeded") == kind.has("1.8")
    assert kind.has("1.8") or results[11] == ["failed", 5000]
    names = [person["emailAddress"] for person in results[17][1]]
    organizer = ["ann@example.com"] if kind.quirks.get("organizerIncluded") else []
    assert names == [*organizer, "bo@example.com", "vmr@example.com", "cleo@example.com"]  # an apostrophe gets lost
    assert [person["address"] for person in item["optional"]] == ["dan@example.com"]
    assert results[at["item.getItemIdAsync"]] == ["failed", 9046 if kind.has("1.8") else 5000]
    assert (results[at["item.recurrence.getAsync"]] == ["succeeded", None]) == kind.has("1.7")
    assert results[29] == (["succeeded", "exchange.identity.token"] if kind.flavour == "onprem" else ["failed", 9018])
    assert results[30] == (["succeeded", "sso.token"] if "IdentityAPI" in kind.sets else ["failed", 13012])
    if "fail" not in kind.quirks:
        assert [(note["key"], note["message"]) for note in item["notifications"]] == [("note", "Failed")]
        assert results[25] == ["failed", 9023]
    assert real["kept"] == {"ticket": "T"}
    assert item["customProperties"] == {"greenroom": {"ticket": "T"}}
    assert real["roaming"] == {"old": [1], "ahead": {"n": 2}}
    assert real["seen"]["sets"] == [one for one in ("1.3", "1.5", "1.8", "1.14", "1.15") if kind.has(one)]
    assert real["seen"]["nested"] == ("NestedAppAuth" in kind.sets)
    assert real["seen"]["shared"] == "undefined"
    assert real["command"]["status"] == 0
    assert item["location"] == "Attic"  # written by the function
    assert "save" not in real["calls"]

    same = await spoken(browser, kind, stand_in=True)
    for call, theirs, ours in zip(SCRIPT, real.pop("results"), same.pop("results"), strict=True):
        assert (call[0], ours) == (call[0], theirs)
    assert same == real


@pytest.mark.parametrize("stand_in", [False, True], ids=["real", "stand-in"])
async def test_an_outlook_misbehaves_as_told(browser: Browser, *, stand_in: bool) -> None:
    async with (
        outlook_page(browser) as page,
        outlook(
            page,
            generation("owa-onprem-1.5"),
            pages=PAGES,
            stand_in=stand_in,
            item={"body": {"type": "text", "content": "Hi"}},
        ) as window,
    ):
        pane = await opened(window)
        room = {"displayName": "Room", "emailAddress": "vmr@example.com"}
        assert await one(pane, "item.body.getTypeAsync") == ["succeeded", "text"]
        assert await one(pane, "item.body.setAsync", "<p>x</p>", {"coercionType": "html"}) == ["failed", 9002]
        assert await one(pane, "item.body.setAsync", "Hello", {"coercionType": "text"}) == ["succeeded", None]
        await window.misbehave(addIgnored="objects")
        assert await one(pane, "item.requiredAttendees.addAsync", [room]) == ["succeeded", None]
        assert (await window.item())["required"] == []
        assert await one(pane, "item.requiredAttendees.addAsync", ["vmr@example.com"]) == ["succeeded", None]
        assert [one["address"] for one in (await window.item())["required"]] == ["vmr@example.com"]
        await window.misbehave(addIgnored="all", setIgnored=True)
        assert await one(pane, "item.requiredAttendees.addAsync", ["cleo@example.com"]) == ["succeeded", None]
        assert await one(pane, "item.requiredAttendees.setAsync", ["cleo@example.com"]) == ["succeeded", None]
        assert len((await window.item())["required"]) == 1
        await window.misbehave(emptyToken=True, fail={"locationGet": 9042}, silent=["subjectGet"], slow={"timeGet": 50})
        assert await one(pane, "mailbox.getUserIdentityTokenAsync") in (["succeeded", ""], ["succeeded", None])
        assert await one(pane, "item.location.getAsync") == ["failed", 9042]
        assert (await one(pane, "item.start.getAsync"))[0] == "succeeded"
        assert await pane.evaluate("within(300, ask([['item.subject.getAsync']]))") == "silence"


@pytest.mark.parametrize("stand_in", [False, True], ids=["real", "stand-in"])
async def test_an_item_may_lack_attendees_or_be_somebody_elses(browser: Browser, *, stand_in: bool) -> None:
    owner = {"owner": "boss@example.com", "delegatePermissions": 15}
    item = {"shared": owner, "seriesId": "series-1", "itemId": "item-1"}
    async with (
        outlook_page(browser) as page,
        outlook(
            page,
            generation("new-outlook-online-1.14"),
            pages=PAGES,
            item=item,
            quirks={"noAttendees": True},
            stand_in=stand_in,
        ) as window,
    ):
        pane = await opened(window)
        seen = await pane.evaluate("described()")
        assert [seen[name] for name in ("attendees", "location", "series", "shared")] == [
            "undefined",
            "undefined",
            "series-1",
            "function",
        ]
        assert await one(pane, "item.getSharedPropertiesAsync") == ["succeeded", owner]
        assert await one(pane, "item.getItemIdAsync") == ["succeeded", "item-1"]
        assert await one(pane, "item.body.getTypeAsync") == ["succeeded", "html"]


@pytest.mark.parametrize("stand_in", [False, True], ids=["real", "stand-in"])
async def test_a_dialog_tells_the_pane_what_it_learned(browser: Browser, *, stand_in: bool) -> None:
    async with (
        outlook_page(browser) as page,
        outlook(page, generation("owa-onprem-1.5"), pages=PAGES, stand_in=stand_in) as window,
    ):
        pane = await opened(window)
        assert await pane.evaluate("(address) => dialog(address)", ORIGIN + DIALOG) == "a code"


async def test_the_real_msal_gets_the_bridges_token(browser: Browser) -> None:
    scripts = f'{_SCRIPT}<script src="/addin/msal.js"></script>'
    pages = PAGES | {PANE: _PAGE.format(scripts=scripts), "/addin/msal.js": (PROJECT / MSAL).read_text()}
    asked: list[str] = []

    def token() -> str:
        asked.append("token")
        return "made.by.test"

    async with (
        outlook_page(browser) as page,
        outlook(
            page,
            generation("new-outlook-online-1.14"),
            pages=pages,
            nested=NestedAuth(token, silent="USER_INTERACTION_REQUIRED"),
        ) as window,
    ):
        pane = await opened(window)
        got = await pane.evaluate(
            """async () => {
              const authority = "https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222";
              const auth = { clientId: "33333333-3333-4333-8333-333333333333", authority };
              const client = await msal.createNestablePublicClientApplication({ auth });
              const request = { scopes: ["api://meet.example.com/Alias.Request"] };
              try { return [(await client.acquireTokenSilent(request)).accessToken]; }
              catch (error) { return [error.name, (await client.acquireTokenPopup(request)).accessToken]; }
            }"""
        )
        assert got == ["InteractionRequiredAuthError", "made.by.test"]
        assert asked == ["token"]
        assert window.foreign == []


async def test_requests_reach_the_server_unless_it_is_down(browser: Browser) -> None:
    async def server(scope: Any, receive: Any, send: Any) -> None:
        body = f"{scope['method']} {scope['path']} {dict(scope['headers'])[b'host'].decode()}".encode()
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})

    async with (
        outlook_page(browser) as page,
        outlook(page, generation("owa-onprem-1.5"), pages=PAGES, server=server) as window,
    ):
        pane = await opened(window)
        ask = "fetch('/addin/api/v1/x', { method: 'POST', body: '{}' }).then((answer) => answer.text(), () => 'down')"
        assert await pane.evaluate(ask) == "POST /addin/api/v1/x outlook.test"
        window.down = lambda path: path.startswith("/addin/api/")
        assert await pane.evaluate(ask) == "down"
        assert [(seen.method, seen.path, seen.status, seen.body) for seen in window.requests] == [
            ("POST", "/addin/api/v1/x", 201, b"{}"),
            ("POST", "/addin/api/v1/x", 0, b"{}"),
        ]
