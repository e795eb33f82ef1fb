// The service worker, run with a small browser around it: what it keeps, and what it gives out again.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import vm from "node:vm";

import { fact, report } from "./facts.mjs";

const SCRIPT = readFileSync(new URL("../../../src/greenroom/addin/static/js/sw.js", import.meta.url), "utf8");
const ORIGIN = "https://rooms.example.org";
const PAGE = `${ORIGIN}/addin/1/taskpane.html`;
const FILE = `${ORIGIN}/addin/static/v2/js/pane.js`;

/** `answers` are {address: [status, text, Cache-Control]}; what is not there is no network. */
function browser(answers) {
  const caches = new Map();
  const keyOf = (asked) => new URL(typeof asked === "string" ? asked : asked.url, `${ORIGIN}/addin/1/sw.js`).href;
  const cacheOf = (name) => {
    if (!caches.has(name)) caches.set(name, new Map());
    return { put: async (asked, answer) => void caches.get(name).set(keyOf(asked), answer) };
  };
  const handlers = {};
  const fetched = async (asked) => {
    const said = answers[keyOf(asked)];
    if (!said) throw new TypeError("no network");
    const [status, text, control = "no-cache"] = said;
    const answer = { ok: status < 400, status, type: "basic", text, headers: new Headers({ "Cache-Control": control }) };
    return { ...answer, clone: () => answer };
  };
  const self = {
    GREENROOM_WORKER: { integration: "1", version: "v2", shell: ["/addin/1/taskpane.html", "/addin/static/v2/js/pane.js"] },
    location: { href: `${ORIGIN}/addin/1/sw.js?lang=en-US`, origin: ORIGIN },
    addEventListener: (name, run) => void (handlers[name] = run),
    skipWaiting: async () => undefined,
    clients: { claim: async () => undefined },
  };
  const shared = {
    open: async (name) => cacheOf(name),
    keys: async () => [...caches.keys()],
    delete: async (name) => caches.delete(name),
    match: async (asked) => [...caches.values()].map((cache) => cache.get(keyOf(asked))).find(Boolean),
  };
  vm.runInContext(SCRIPT, vm.createContext({ self, caches: shared, fetch: fetched, URL, setTimeout, Promise }));
  const event = (more) => {
    const waits = [];
    let answer;
    return { ...more, waitUntil: (one) => waits.push(one), respondWith: (one) => void (answer = one), all: () => Promise.all(waits), answer: () => answer };
  };
  return {
    caches,
    async install() {
      const one = event({});
      handlers.install(one);
      await one.all();
    },
    async get(url) {
      const one = event({ request: { url, method: "GET" } });
      handlers.fetch(one);
      return one.answer() && (await one.answer()).text;
    },
  };
}

const whole = () => ({
  [PAGE]: [200, "page 2"],
  [`${ORIGIN}/addin/1/config.json?lang=en-US`]: [200, "{}"],
  [FILE]: [200, "pane 2", "public, max-age=31536000, immutable"],
});

fact("what was kept comes while nobody answers, and other addresses are let alone", async () => {
  const answers = whole();
  const { install, get } = browser(answers);
  await install();
  for (const address of Object.keys(answers)) delete answers[address];
  assert.equal(await get(`${PAGE}?_host_Info=x`), "page 2");
  assert.equal(await get(FILE), "pane 2");
  assert.equal(await get(`${ORIGIN}/addin/api/v1/personal-rooms`), undefined);
  assert.equal(await get("https://elsewhere.example.org/addin/static/v2/js/pane.js"), undefined);
});

fact("a file that an older server gives for one of this version is not kept", async () => {
  const answers = { ...whole(), [FILE]: [200, "pane 1", "no-store"] };
  const { get } = browser(answers);
  assert.equal(await get(FILE), "pane 1");
  answers[FILE] = [200, "pane 2"];
  assert.equal(await get(FILE), "pane 2");
});

fact("nothing is kept of a version that does not come as a whole", async () => {
  for (const said of [[200, "pane 1", "no-store"], [503, "later"]]) {
    const answers = { ...whole(), [FILE]: said };
    const { install, caches } = browser(answers);
    await assert.rejects(install());
    assert.deepEqual([...caches.values()].flatMap((cache) => [...cache.keys()]), []);
  }
});

await report();
