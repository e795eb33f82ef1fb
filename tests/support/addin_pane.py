"""The add-in's pane in a real Chromium, with an Office.js and a flow that say what a test wants.

`Office.js` is a stand-in of a few lines; the flow (all that changes a meeting) is replaced, so that every state can be reached. The
page, its other scripts, its policy and its texts are those that are served.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Route

from greenroom.addin.assets import Assets
from support.addin_pages import OFFICE_JS, STATIC

OFFICE_STUB = """
window.Office = {
  HostType: { Outlook: "Outlook" },
  onReady: (then) => Promise.resolve({ host: window.__host === undefined ? "Outlook" : window.__host, platform: "OfficeOnline" })
    .then((info) => { if (then) then(info); return info; }),
  actions: { associate: (name, run) => {
    (window.__actions ??= {})[name] = run;
    document.documentElement.dataset[name] = "";
  } },
  context: {
    displayLanguage: window.__language ?? "en-US",
    officeTheme: window.__theme,
    platform: window.__platform ?? "OfficeOnline",
    requirements: { isSetSupported: (name, version) => name === "Mailbox" ? Number((version ?? "1.1").split(".")[1]) <= 14 : true },
    mailbox: {
      diagnostics: { hostName: "OutlookWebApp", hostVersion: "16.0.1" },
      addHandlerAsync: (event, handler, done) => { window.__themeChanged = handler; done?.({ status: "succeeded" }); },
      item: { notificationMessages: { replaceAsync: (key, notice, done) => {
        (window.__notices ??= []).push(notice); done({ status: "succeeded" });
      } } },
    },
    ui: { messageParent: (text, options) => {
      (window.__told ??= []).push([text, options]);
      document.documentElement.dataset.told = "";
    } },
  },
};
Office.context.mailbox.item.itemType = "appointment";
"""

FAKE_FLOW = """
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const status = (more) => ({
  state: "none", ticket: null, kind: null, missing: [], isSeries: false, isDelegate: false, error: null, ...more,
});
export function createFlow() {
  const plan = window.__plan ?? {};
  const calls = (window.__calls ??= []);
  const run = async (name, request) => {
    calls.push([name, JSON.parse(JSON.stringify(request ?? {}))]);
    for (const step of plan.steps ?? []) { request.onStep?.(step); await wait(plan.pause ?? 0); }
    if (plan.hang) await new Promise(() => undefined);
    const state = name === "add" ? "added" : "removed";
    const outcome = (plan.outcomes ?? []).shift() ?? { ok: true, state, warnings: [], reservation: null };
    if (outcome.ok) plan.status = { state: outcome.state === "removed" ? "none" : "present" };
    return outcome;
  };
  return {
    inspect: async () => { if (plan.lingers) await wait(plan.lingers); return status(plan.status); },
    add: (request) => run("add", request),
    remove: (request = {}) => run("remove", request),
    personalRooms: async (options) => {
      calls.push(["rooms", options]);
      const next = (plan.rooms ?? []).shift() ?? [];
      if (next.code) throw next;
      return next;
    },
    topUp: async () => { calls.push(["topUp", {}]); },
  };
}
"""

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"


def with_fake_flow(folder: Path) -> Assets:
    """The served tree with a flow that does as `window.__plan` says and writes down its calls."""
    shutil.copytree(STATIC, folder, dirs_exist_ok=True)
    (folder / "js/flow.js").write_text(FAKE_FLOW)
    return Assets(folder)


@contextmanager
def outlook(
    browser: Browser, known: Mapping[str, Any] | None = None, *, office: bool = True, width: int = 320, **how: Any
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a pane of Outlook's width, and what went wrong in it. `known` are variables of the window."""
    context = browser.new_context(viewport={"width": width, "height": 640}, **({"service_workers": "block"} | how))
    context.set_default_timeout(10_000)
    complaints = _watch(context)
    context.route("https://appsforoffice.microsoft.com/**", lambda route: _office_js(route, there=office))
    variables = "".join(f"window.__{name} = {json.dumps(value)};" for name, value in (known or {}).items())
    context.add_init_script(variables)
    try:
        yield context.new_page(), complaints
    finally:
        context.close()


def _office_js(route: Route, *, there: bool) -> None:
    assert route.request.url == OFFICE_JS
    if there:
        route.fulfill(body=OFFICE_STUB, content_type="text/javascript")
    else:
        route.abort()


def _watch(context: BrowserContext) -> list[str]:
    complaints: list[str] = []
    ours = "Service Worker registration blocked by Playwright"
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in {"error", "warning"} and said.text != ours else None,
    )
    return complaints


def axe(page: Page) -> list[str]:
    """Let axe-core look at the page; what it finds, each with the elements. Needs a context that bypasses the policy."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        """async () => {
          const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
          const result = await axe.run(document, { runOnly: tags });
          return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
        }"""
    )
    return [str(one) for one in found]
