"""The add-in's modules with the real Office.js and the real MSAL, in every generation of Outlook."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from greenroom.meetings.instructions import instructions_block, text_block
from greenroom.meetings.plain_text import as_text
from greenroom.meetings.templates import Texts
from greenroom.meetings.ticket import KeyRing
from support.addin_js import FACTS, MODULES, ROOT
from support.outlooks import (
    GENERATIONS,
    OFFICE_JS,
    Generation,
    NestedAuth,
    chromium_async,
    generation,
    outlook,
    outlook_page,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PANE = "/addin/1/taskpane.html"
MSAL = "/addin/static/1/vendor/msal-browser.min.js"
MAILBOX = {"name": "Video room", "address": "video@example.org"}
TICKET = KeyRing("GRM", 7, {3: bytes(range(32))}).issue(111, datetime(2026, 8, 1, tzinfo=UTC))
JOIN = "https://meet.example.org/j/111"
BOB = {"name": "Bob", "address": "bob@example.org"}
_MAKE = """
import { createAuth } from "/src/greenroom/addin/static/js/auth/index.js";
import { createFlow } from "/src/greenroom/addin/static/js/flow.js";
import { createLog } from "/src/greenroom/addin/static/js/log.js";
import { createOffice } from "/src/greenroom/addin/static/js/office.js";
import { createStore } from "/src/greenroom/addin/static/js/store.js";
import { CONFIG, fakeServer } from "/tests/addin/js/desk.js";
await Office.onReady();
const log = createLog();
const office = createOffice(Office, { log });
const { server, api } = fakeServer();
const given = RESERVATION;
api.reserve = async ({ requestId }) => { server.byRequest.set(requestId, given); return given; };
api.refresh = async () => given;
const config = { ...CONFIG, sign_in: [NAA, { kind: "exchange" }], msal: "MSAL" };
const store = createStore({ office, integration: 3 });
const auth = createAuth({ config, office, log });
window.made = { flow: createFlow({ office, config, api, store, log }), office, server, auth, log, store };
"""


def _block() -> tuple[str, str]:
    said = {"alias": "vc1@example.org", "numeric_alias": "1", "join_url": JOIN, "ticket": TICKET}
    rendered = Texts().render("joining_instructions", said)
    return instructions_block(rendered, TICKET), text_block(as_text(rendered), TICKET)


def _pages() -> dict[str, str]:
    html, text = _block()
    given: dict[str, Any] = {
        "kind": "vmr",
        "ticket": TICKET,
        "html": html,
        "text": text,
        "location": JOIN,
        "join_url": JOIN,
    }
    given |= {"alias": "vc1", "numeric_alias": "1", "expires_at": None, "claimed": False, "mailbox": MAILBOX}
    naa: dict[str, Any] = {
        "kind": "naa",
        "client_id": "33333333-3333-4333-8333-333333333333",
        "scopes": ["api://x/Alias.Request"],
    }
    naa["authority"] = "https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222"
    make = _MAKE.replace("RESERVATION", json.dumps(given)).replace("NAA", json.dumps(naa)).replace("MSAL", MSAL)
    pages = {
        PANE: f'<!doctype html><script src="{OFFICE_JS}"></script><script type="module" src="/made.js"></script>',
        "/made.js": make,
        MSAL: (ROOT / "node_modules/@azure/msal-browser/lib/msal-browser.min.js").read_text("utf-8"),
    }
    for path in MODULES.rglob("*.js"):
        pages[f"/{path.relative_to(ROOT).as_posix()}"] = path.read_text("utf-8")
    for name in ("desk", "fake_office"):
        path = FACTS / f"{name}.mjs"
        pages[f"/{Path(path).relative_to(ROOT).with_suffix('.js').as_posix()}"] = path.read_text("utf-8").replace(
            ".mjs", ".js"
        )
    return pages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium_async() as running:
        yield running


def _item(kind: str) -> dict[str, Any]:
    content = "<html><body><p>Agenda <b>first</b></p></body></html>" if kind == "html" else "Agenda\nfirst"
    return {"body": {"type": kind, "content": content}, "location": "Attic", "required": [BOB]}


@pytest.mark.parametrize("kind", ["html", "text"])
@pytest.mark.parametrize("which", GENERATIONS, ids=str)
async def test_a_room_comes_in_stays_itself_and_goes_out_again(browser: Browser, which: Generation, kind: str) -> None:
    async with outlook_page(browser) as page, outlook(page, which, pages=_pages(), item=_item(kind)) as window:
        pane = await window.open_pane()
        await pane.wait_for_function("window.made")
        before = await window.item()
        added = await pane.evaluate("made.flow.add({ kind: 'vmr' })")
        assert (added["ok"], added.get("state"), added.get("warnings")) == (True, "added", []), added
        item = await window.item()
        assert [one["address"] for one in item["required"]] == [BOB["address"], MAILBOX["address"]]
        assert TICKET in item["body"]["content"]
        assert "Agenda" in item["body"]["content"]
        status = await pane.evaluate("made.flow.inspect()")
        assert (status["state"], status["missing"], status["ticket"]) == ("present", [], TICKET)
        again = await pane.evaluate("made.flow.add({ kind: 'vmr' })")
        assert (again["ok"], again["state"], again["warnings"]) == (True, "already", [])
        assert (await window.item())["body"] == item["body"]
        removed = await pane.evaluate("made.flow.remove()")
        assert (removed["ok"], removed["state"], removed["warnings"]) == (True, "removed", []), removed
        after = await window.item()
        assert [one["address"] for one in after["required"]] == [BOB["address"]]
        assert "GRM" not in after["body"]["content"]
        assert JOIN not in json.dumps(after["location"])
        if "rewrite" not in which.quirks or kind == "text":
            assert after["body"] == before["body"]
        assert await pane.evaluate("[...made.server.byRequest.keys()].length") == 1
        assert await pane.evaluate("made.server.released") == [TICKET]
        assert "example.org" not in await pane.evaluate("made.log.toText()")
        assert window.console_errors == []


async def test_the_real_msal_signs_in_through_the_bridge(browser: Browser) -> None:
    nested = NestedAuth("made.by.test", silent="USER_INTERACTION_REQUIRED")
    which = generation("new-outlook-online-1.14")
    async with outlook_page(browser) as page, outlook(page, which, pages=_pages(), nested=nested) as window:
        pane = await window.open_pane()
        await pane.wait_for_function("window.made")
        quiet = "made.auth.header({ interactive: false }).catch((error) => error.code)"
        assert await pane.evaluate(quiet) == "error.signInNeeded"
        assert await pane.evaluate("made.auth.header()") == "Bearer made.by.test"
        assert await pane.evaluate("made.auth.header({ interactive: false })") == "Bearer made.by.test"
        assert "made.by.test" not in await pane.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
        assert window.foreign == []


@pytest.mark.parametrize("silent", ["token", "DISABLED", "NO_NETWORK", "PERSISTENT_ERROR", "USER_CANCEL"])
async def test_whatever_the_bridge_says_there_is_a_token_or_a_reason(browser: Browser, silent: str) -> None:
    nested = NestedAuth("made.by.test", silent=silent, popup=silent)
    which = generation("new-outlook-online-1.14")
    async with outlook_page(browser) as page, outlook(page, which, pages=_pages(), nested=nested) as window:
        pane = await window.open_pane()
        await pane.wait_for_function("window.made")
        said = await pane.evaluate("made.auth.header().catch((error) => error.code)")
        if silent == "token":
            assert said == "Bearer made.by.test"
            return
        assert said.startswith("error.signIn")
        assert [note.partition(":")[0] for note in await pane.evaluate("made.auth.diagnostics()")] == [
            "naa",
            "exchange",
        ]


async def test_a_claimed_bridge_that_is_missing_gives_way_to_the_next(browser: Browser) -> None:
    which = generation("new-outlook-online-1.14")
    async with (
        outlook_page(browser) as page,
        outlook(page, which, pages=_pages(), nested=NestedAuth(missing=True)) as window,
    ):
        pane = await window.open_pane()
        await pane.wait_for_function("window.made")
        said = await pane.evaluate("made.auth.header({ interactive: false }).catch((error) => error.code)")
        assert said.startswith("error.signIn")
