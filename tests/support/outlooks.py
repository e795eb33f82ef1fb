"""Outlooks to run the add-in's pages in: the real Office.js in Chromium, one set of parameters for each generation.

```
async with outlook(page, generation, server=app, item={"subject": "Plan"}) as window:
    await window.click_add()                  # the ribbon's button: runs the function of commands.html
    pane = await window.open_pane()           # a Playwright frame with taskpane.html in it
    assert (await window.item())["required"] == [...]
```

Host page and add-in live on one https name (`ORIGIN`), as Office.js trusts no other; nothing listens there: requests are
answered by this module. The add-in's own paths go to `server` (an ASGI application in this loop, or the address of one
on loopback), or to `pages` for tests that bring their own. Office.js comes out of node_modules, everything else that
is not of this origin is cut off and told in `foreign`.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Route, async_playwright
from starlette.types import ASGIApp

from greenroom.simulator.outlook.pages import HERE
from support.browser import CHROMIUM

ORIGIN = "https://outlook.test"
OFFICE_JS = "https://appsforoffice.microsoft.com/lib/1/hosted/office.js"
PROJECT = Path(__file__).parents[2]
_HERE = Path(__file__).parent / "office_host"
_STATIC = HERE / "static"
_OFFICE = PROJECT / "node_modules/@microsoft/office-js/dist"
_OFFICE_PATH = "/lib/1/hosted/"
_HOST_PATH = "/outlook-host/"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
_PATIENCE = 20.0  # seconds until a page must have begun
_NOISE = re.compile(r"telemetry|browser\.pipe\.aria\.microsoft\.com|ariatelemetry|otel\.officeapps", re.IGNORECASE)
"""What Office.js itself complains of where it cannot send telemetry: none of our doing."""

Item = dict[str, Any]  # see the typedef in static/office_answers.js
Source = str | Callable[[], str] | Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Generation:
    """One kind of Outlook. `quirks` are what it always does (see the typedef in static/office_host.js)."""

    name: str
    set: str  # highest requirement set "Mailbox"
    flavour: Literal["onprem", "online"]
    sets: Mapping[str, str] = field(default_factory=dict)
    quirks: Mapping[str, Any] = field(default_factory=dict)
    version: str = "16.0.0.0"

    def __str__(self) -> str:
        return self.name

    def has(self, wanted: str) -> bool:
        """Whether a set of "Mailbox" such as "1.8" is supported."""
        return tuple(map(int, self.set.split("."))) >= tuple(map(int, wanted.split(".")))


_CLASSIC: Mapping[str, Any] = {"organizerIncluded": True, "rewrite": "classic"}
_OWA: Mapping[str, Any] = {"rewrite": "owa"}
_NESTED = {"NestedAppAuth": "1.1", "IdentityAPI": "1.3"}
_PHONE = dict.fromkeys(
    ("notificationAdd", "notificationReplace", "notificationRemove", "notificationsGet", "organizerGet"), 5000
)
GENERATIONS: Sequence[Generation] = (
    Generation("classic-2016-onprem-1.3", "1.3", "onprem", quirks=_CLASSIC, version="16.0.4266.1001"),
    Generation("classic-2019-onprem-1.5", "1.5", "onprem", quirks=_CLASSIC, version="16.0.10396.20017"),
    Generation("owa-onprem-1.5", "1.5", "onprem", quirks=_OWA, version="15.2.1544.4"),
    Generation("ltsc2021-online-1.8", "1.8", "online", {"IdentityAPI": "1.3"}, _CLASSIC, "16.0.14332.20503"),
    Generation("new-outlook-online-1.14", "1.14", "online", _NESTED, _OWA, "20260605005.07"),
    Generation("phone-online-1.5", "1.5", "online", {"NestedAppAuth": "1.1"}, {"fail": _PHONE}, "4.2640.0"),
)
"""One or more of each requirement set that matters, on-premises and online."""


def generation(name: str) -> Generation:
    """A generation by its name."""
    return next(one for one in GENERATIONS if one.name == name)


@dataclass(frozen=True, slots=True)
class NestedAuth:
    """What the bridge of nested app authentication does. `silent` and `popup`: give the token, or fail with this status.

    Statuses are those of the bridge's protocol, such as USER_INTERACTION_REQUIRED, USER_CANCEL, NO_NETWORK, DISABLED,
    TRANSIENT_ERROR, PERSISTENT_ERROR, ACCOUNT_UNAVAILABLE. `missing`: Outlook claims the set, but there is no bridge.
    """

    token: Source = "nested.access.token"
    silent: str = "token"
    popup: str = "token"
    missing: bool = False
    username: str = "ann@example.com"
    oid: str = "11111111-1111-4111-8111-111111111111"
    tenant: str = "22222222-2222-4222-8222-222222222222"
    lasts: int = 3600


@dataclass(frozen=True, slots=True)
class User:
    """Whose Outlook it is. `accountType` is told from set 1.6 on."""

    name: str = "Ann Able"
    address: str = "ann@example.com"
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the add-in's pages are, and what the ribbon calls."""

    pane: str = "/addin/1/taskpane.html"
    commands: str = "/addin/1/commands.html"
    function: str = "addRoom"


@dataclass(slots=True)
class Seen:
    """One request of the add-in's pages to their own server, and its answer; status 0: it was cut off."""

    method: str
    path: str
    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class OutlookWindow:
    """An Outlook with one meeting open in its composer."""

    def __init__(self, page: Page, generation: Generation, paths: Paths) -> None:
        self.page = page
        self.generation = generation
        self.paths = paths
        self.console_errors: list[str] = []  # of our pages: scripts, content security policy, missing files
        self.foreign: list[str] = []  # addresses elsewhere that were asked for (and cut off)
        self.requests: list[Seen] = []
        self.down: Callable[[str], bool] = lambda _: False
        """Which paths of the server are out of reach now: assign `lambda path: path.startswith("/addin/api/")`."""

    async def click_add(self, *, seconds: float = 30, function: str | None = None) -> Mapping[str, Any]:
        """Press the ribbon's button: load the function file in a hidden frame, run the function, wait for `completed()`.

        Gives {"status": 0, "data": ...}; any other status: Office.js found no such function. Raises TimeoutError.
        """
        await self._open("commands", self.paths.commands, hidden=True)
        run = self.page.evaluate("(name) => outlook.run('commands', name)", function or self.paths.function)
        result: Mapping[str, Any] = await asyncio.wait_for(run, seconds)
        await self.page.evaluate("outlook.close('commands')")
        return result

    async def open_pane(self, query: str = "", *, patient: bool = True) -> Frame:
        """Open the pane beside the form; `patient` waits until Office.js has begun."""
        return await self._open("pane", self.paths.pane + query, hidden=False, patient=patient)

    async def close_pane(self) -> None:
        """Close the pane, as the person does with its cross."""
        await self.page.evaluate("outlook.close('pane')")

    async def is_pane_open(self) -> bool:
        """Whether the pane is there (it may close itself)."""
        return bool(await self.page.evaluate("outlook.isOpen('pane')"))

    async def item(self) -> Item:
        """The meeting as it is now."""
        found: Item = await self.page.evaluate("outlook.item")
        return found

    async def change(self, **fields: object) -> None:
        """Change the meeting, as the person who composes it does."""
        await self.page.evaluate("(fields) => Object.assign(outlook.item, fields)", fields)

    async def misbehave(self, **quirks: object) -> None:
        """Change how this Outlook misbehaves from now on; None takes a quirk away."""
        await self.page.evaluate("(quirks) => Object.assign(outlook.quirks, quirks)", quirks)

    async def roaming(self) -> dict[str, Any]:
        """The roaming settings as they were saved last."""
        raw: dict[str, str] = await self.page.evaluate("outlook.settings")
        return {key: json.loads(value) for key, value in raw.items()}

    async def calls(self, *names: str) -> list[dict[str, Any]]:
        """What Office.js asked for, in order: {frame, operation, data}; only some operations when named."""
        made: list[dict[str, Any]] = await self.page.evaluate("outlook.calls")
        return [one for one in made if not names or one["operation"] in names]

    async def notifications(self) -> list[str]:
        """The messages in the bar above the form."""
        return [one["message"] for one in (await self.item())["notifications"]]

    async def _open(self, name: str, path: str, *, hidden: bool, patient: bool = True) -> Frame:
        given = [name, ORIGIN + path, hidden, patient]
        opening = self.page.evaluate(
            "([name, url, hidden, patient]) => outlook.open(name, url, hidden, patient)", given
        )
        await asyncio.wait_for(opening, _PATIENCE)
        element = await self.page.query_selector(f'iframe[data-name="{name}"]')
        frame = None if element is None else await element.content_frame()
        assert frame is not None, f"the frame of {name} is gone"
        return frame


@asynccontextmanager
async def chromium_async() -> AsyncIterator[Browser]:
    """A browser for tests that run in an event loop; skips where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: set GREENROOM_CHROMIUM to a Chromium or Chrome")
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--headless", "--disable-dev-shm-usage"]
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def outlook_page(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A page in a fresh profile; options are those of Playwright's `new_context`."""
    context = await browser.new_context(**({"service_workers": "block"} | options))
    context.set_default_timeout(15_000)
    try:
        yield await context.new_page()
    finally:
        await context.close()


@asynccontextmanager
async def outlook(
    page: Page,
    generation: Generation,
    *,
    item: Item | None = None,
    quirks: Mapping[str, Any] | None = None,
    server: ASGIApp | str | None = None,
    pages: Mapping[str, str] | None = None,
    user: User | None = None,
    paths: Paths | None = None,
    settings: Mapping[str, object] | None = None,
    identity_token: Source | None = "exchange.identity.token",
    access_token: Source | None = None,
    nested: NestedAuth | None = None,
    locale: str = "en-US",
    theme: Mapping[str, Any] | None = None,
    stand_in: bool = False,
) -> AsyncIterator[OutlookWindow]:
    """Open an Outlook of a generation with a meeting in its composer.

    Args:
        page: A page of a fresh profile (`outlook_page`), whose context is this Outlook's alone.
        generation: Which Outlook.
        item: Fields of the meeting that differ from a new, empty one.
        quirks: How it misbehaves besides what its generation always does.
        server: Where the add-in's paths are answered.
        pages: Pages of a test's own by path, before `server`.
        user: Whose Outlook it is.
        paths: Where the add-in's pages are.
        settings: Roaming settings that were saved in earlier sessions.
        identity_token: What Exchange's identity token is; online ones have none whatever is given.
        access_token: What Office's single sign-on gives; None: it fails with 13012.
        nested: The bridge of nested app authentication; without one and where the generation has it, one that gives a
            made-up token.
        locale: Language of the user interface.
        theme: Colours of the Office theme; the real Office.js of npm does not tell them to pages.
        stand_in: Give the simulator's stand-in instead of the real Office.js.

    """
    if not _OFFICE.exists():
        pytest.skip("no node_modules: run `npm ci` in the project's folder")
    user, paths = user or User(), paths or Paths()
    window = OutlookWindow(page, generation, paths)
    allowed = {**generation.quirks, **(quirks or {})}
    if "fail" in generation.quirks and quirks and "fail" in quirks:
        allowed["fail"] = {**generation.quirks["fail"], **quirks["fail"]}
    context = page.context
    identity = identity_token if generation.flavour == "onprem" else None
    plan = nested or (NestedAuth() if "NestedAppAuth" in generation.sets else None)
    await _expose(page, "outlookIdentityToken", identity)
    await _expose(page, "outlookAccessToken", access_token)
    if plan is not None:
        await _expose(context, "outlookNestedToken", plan.token)
        told = {name: value for name, value in asdict(plan).items() if name != "token"}
        await context.add_init_script(f"{(_HERE / 'nested_auth.js').read_text().strip()}({json.dumps(told)});")
    _listen(context, page, window)
    async with _upstream(server) as client:
        answers = _Answers(
            window, client, dict(pages or {}), stand_in=stand_in, spoilt=bool(allowed.get("noAttendees"))
        )
        await context.route("**/*", answers.answer)
        await page.goto(f"{ORIGIN}{_HOST_PATH}host.html")
        await page.wait_for_function("window.outlook")
        account = "enterprise" if generation.flavour == "onprem" else "office365"
        setup = {
            "item": item or {},
            "quirks": allowed,
            "set": generation.set,
            "sets": dict(generation.sets),
            "version": generation.version,
            "locale": locale,
            "theme": theme,
            "user": {"name": user.name, "address": user.address, "timeZone": user.time_zone, "accountType": account},
            "settings": {key: json.dumps(value) for key, value in (settings or {}).items()},
            "hasIdentityToken": identity is not None,
            "hasAccessToken": access_token is not None,
        }
        await page.evaluate("(setup) => outlook.begin(setup)", setup)
        try:
            yield window
        finally:
            with contextlib.suppress(Exception):  # the page may be gone; the context is closed after us either way
                await context.unroute_all(behavior="ignoreErrors")


async def _expose(where: Page | BrowserContext, name: str, source: Source | None) -> None:
    async def give(*_: object) -> str:
        made = source() if callable(source) else source or ""
        return made if isinstance(made, str) else await made

    await where.expose_function(name, give)


def _listen(context: BrowserContext, page: Page, window: OutlookWindow) -> None:
    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not _NOISE.search(f"{message.text} {message.location.get('url', '')}"):
            window.console_errors.append(message.text)

    def follow(one: Page) -> None:
        one.on("pageerror", lambda error: window.console_errors.append(str(error)))

    context.on("console", heard)
    context.on("page", follow)
    follow(page)


@asynccontextmanager
async def _upstream(server: ASGIApp | str | None) -> AsyncIterator[httpx2.AsyncClient | None]:
    if server is None:
        yield None
    elif isinstance(server, str):
        async with httpx2.AsyncClient(base_url=server, timeout=30) as client:
            yield client
    else:
        transport = httpx2.ASGITransport(app=server)
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, timeout=30) as client:
            yield client


class _Answers:
    """Whatever the browser asks for."""

    def __init__(
        self,
        window: OutlookWindow,
        client: httpx2.AsyncClient | None,
        pages: Mapping[str, str],
        *,
        stand_in: bool,
        spoilt: bool,
    ) -> None:
        self._window = window
        self._client = client
        self._pages = pages
        self._stand_in = stand_in
        self._spoilt = spoilt

    async def answer(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        host = parts.hostname
        if f"{parts.scheme}://{parts.netloc}" == ORIGIN:
            await self._own(route, parts.path, parts.query)
        elif host == "appsforoffice.microsoft.com" and parts.path.startswith(_OFFICE_PATH):
            await self._office(route, parts.path.removeprefix(_OFFICE_PATH))
        elif host == "ajax.aspnetcdn.com":
            await _file(route, _HERE / "microsoft_ajax.js")
        else:
            if not _NOISE.search(route.request.url):
                self._window.foreign.append(route.request.url)
            await route.abort()

    async def _own(self, route: Route, path: str, query: str) -> None:
        if path.startswith(f"{_HOST_PATH}static/"):
            await _file(route, _STATIC / path.removeprefix(f"{_HOST_PATH}static/"))
        elif path.startswith(_HOST_PATH):
            await _file(route, _HERE / path.removeprefix(_HOST_PATH))
        elif path in self._pages:
            kind = _TYPES.get(Path(path).suffix, "text/html")
            await route.fulfill(body=self._pages[path], content_type=f"{kind}; charset=utf-8")
        elif path == "/favicon.ico":
            await route.fulfill(status=204)
        else:
            await self._forward(route, path, query)

    async def _forward(self, route: Route, path: str, query: str) -> None:
        asked = route.request
        body = asked.post_data_buffer or b""
        if self._client is None or self._window.down(path):
            self._window.requests.append(Seen(asked.method, path, 0, body, asked.headers))
            await route.abort("connectionrefused")
            return
        headers = {
            name: value for name, value in asked.headers.items() if name.lower() not in {"host", "content-length"}
        }
        url = path + (f"?{query}" if query else "")
        host = {"host": urlsplit(ORIGIN).netloc}
        got = await self._client.request(asked.method, url, content=body, headers=headers | host)
        self._window.requests.append(Seen(asked.method, path, got.status_code, body, asked.headers))
        kept = {
            name: value
            for name, value in got.headers.items()
            if name.lower() not in {"content-encoding", "content-length", "transfer-encoding"}
        }
        await route.fulfill(status=got.status_code, headers=kept, body=got.content)

    async def _office(self, route: Route, name: str) -> None:
        if self._stand_in and name == "office.js":
            await _file(route, _STATIC / "office_standin.js")
        elif self._spoilt and name.startswith("outlook-web-"):
            tail = (_HERE / "no_attendees.js").read_text()
            await route.fulfill(body=(_OFFICE / name).read_text("utf-8-sig") + tail, content_type="text/javascript")
        elif name.startswith("telemetry") or "aria" in name:
            await route.abort()
        else:
            await _file(route, _OFFICE / name)


async def _file(route: Route, path: Path) -> None:
    body = None if ".." in path.parts else _content(path)
    if body is None:
        await route.fulfill(status=404)
        return
    await route.fulfill(body=body, content_type=f"{_TYPES.get(path.suffix, 'text/plain')}; charset=utf-8")


@cache
def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
