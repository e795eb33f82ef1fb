// Signing in, asking the server, keeping things for bad times.

import assert from "node:assert/strict";

import { createApi } from "../../../src/greenroom/addin/static/js/api.js";
import { createAuth } from "../../../src/greenroom/addin/static/js/auth/index.js";
import { Fault } from "../../../src/greenroom/addin/static/js/fault.js";
import { createLog } from "../../../src/greenroom/addin/static/js/log.js";
import { createOffice } from "../../../src/greenroom/addin/static/js/office.js";
import { createStore } from "../../../src/greenroom/addin/static/js/store.js";
import { CONFIG, NOW, memoryStorage, reservation, ticket } from "./desk.mjs";
import { fact, report } from "./facts.mjs";
import { fakeOutlook } from "./fake_office.mjs";

const NAA = { kind: "naa", client_id: "c", authority: "https://login.example/t", scopes: ["api://x/Alias.Request"] };
const OIDC = { kind: "oidc", page: "/addin/3/sign-in.html" };
const NESTED = { otherSets: { NestedAppAuth: "1.1" } };

function desk(methods, options = {}, library = null) {
  const { Office, runtime, state, alarm } = fakeOutlook({ otherSets: { IdentityAPI: "1.3" }, ...options });
  const log = createLog();
  const office = createOffice(Office, { log, runtime, alarm });
  const config = { ...CONFIG, sign_in: methods, msal: "/addin/static/1/vendor/msal-browser.min.js" };
  let now = NOW;
  const load = async (url) => {
    state.loaded = url;
    if (!library) throw new Error("no such file");
    return library;
  };
  const auth = createAuth({ config, office, log, clock: () => now, load, base: "https://add.example/addin/3/taskpane.html" });
  return { auth, state, log, office, config, later: (ms) => void (now += ms) };
}

/** Microsoft's library, as far as it is used. */
function library({ silent, popup }) {
  const asked = [];
  const answer = (name, what) => async (request) => {
    asked.push([name, request]);
    const said = typeof what === "function" ? what() : what;
    if (said instanceof Error || said?.errorCode !== undefined) throw said;
    return said;
  };
  return {
    asked,
    createNestablePublicClientApplication: async (settings) => {
      asked.push(["create", settings]);
      return { acquireTokenSilent: answer("silent", silent), acquireTokenPopup: answer("popup", popup) };
    },
  };
}

const token = (text, minutes = 60) => ({ accessToken: text, expiresOn: new Date(NOW + minutes * 60_000) });
const needsPerson = Object.assign(new Error("secret"), { name: "InteractionRequiredAuthError", errorCode: "interaction_required" });
const rejected = async (promise) => promise.then(() => assert.fail("it should have failed"), (error) => error);

fact("nested app authentication gives a token, which is kept until it ends", async () => {
  const msal = library({ silent: () => token("aaa", 10) });
  const { auth, later, state } = desk([NAA], NESTED, msal);
  assert.equal(await auth.header(), "Bearer aaa");
  assert.equal(await auth.header(), "Bearer aaa");
  assert.deepEqual(msal.asked.map(([name]) => name), ["create", "silent"]);
  assert.equal(state.loaded, "/addin/static/1/vendor/msal-browser.min.js");
  const [, settings] = msal.asked[0];
  assert.deepEqual(settings.auth, { clientId: "c", authority: "https://login.example/t" });
  later(9.5 * 60_000);
  await auth.header();
  await auth.header({ force: true });
  assert.deepEqual(msal.asked.map(([name, request]) => [name, request.forceRefresh]).slice(1), [["silent", false], ["silent", false], ["silent", true]]);
});

fact("a window opens only where it may", async () => {
  const msal = library({ silent: needsPerson, popup: token("bbb") });
  const { auth } = desk([NAA], NESTED, msal);
  const error = await rejected(auth.header({ interactive: false }));
  assert.deepEqual([error.code, error.retry], ["error.signInNeeded", true]);
  assert.equal(await auth.header({ interactive: true }), "Bearer bbb");
});

fact("the library is not loaded where it cannot help", async () => {
  const { auth, state } = desk([NAA, { kind: "exchange" }], {}, library({}));
  assert.equal(await auth.header(), "Exchange exchange-token");
  assert.equal(state.loaded, undefined);
  assert.deepEqual(auth.diagnostics(), ["naa: not-supported"]);
});

fact("the next way is tried when one fails, and the reason is kept without what it said", async () => {
  for (const failure of [needsPerson, Object.assign(new Error("ann@example.org"), { name: "ServerError", errorCode: "" }), new TypeError("x of undefined")]) {
    const { auth, log } = desk([NAA, { kind: "sso" }, { kind: "exchange" }], { ...NESTED, sso: 13012, otherSets: { NestedAppAuth: "1.1", IdentityAPI: "1.3" } }, library({ silent: failure, popup: failure }));
    assert.equal(await auth.header(), "Exchange exchange-token");
    assert.equal(auth.diagnostics().length, 2);
    assert.doesNotMatch(`${auth.diagnostics()} ${log.toText()}`, /ann@|exchange-token|secret/i);
  }
});

fact("a library that cannot be loaded is tried again the next time", async () => {
  let msal = null;
  const { auth } = desk([NAA], NESTED, { createNestablePublicClientApplication: async () => (msal ?? Promise.reject(new Error("x"))) });
  assert.equal((await rejected(auth.header())).code, "error.signInFailed");
  msal = { acquireTokenSilent: async () => token("ccc") };
  assert.equal(await auth.header(), "Bearer ccc");
});

fact("the way that worked is tried first the next time", async () => {
  const { auth, state } = desk([{ kind: "sso" }, { kind: "exchange" }], { sso: 13001 });
  await auth.header();
  state.calls.length = 0;
  assert.equal(await auth.header({ force: true }), "Exchange exchange-token");
  assert.ok(!state.calls.includes("getAccessToken"));
});

fact("an older single sign-on gives a token", async () => {
  const { auth } = desk([{ kind: "sso" }]);
  assert.equal(await auth.header(), "Bearer sso-token");
});

fact("an empty identity token is none", async () => {
  for (const empty of ["", undefined]) {
    const { auth } = desk([{ kind: "exchange" }], { token: empty });
    assert.equal((await rejected(auth.header())).code, "error.signInFailed");
  }
});

fact("Exchange Online, which has no identity tokens, is passed over", async () => {
  const { auth } = desk([{ kind: "exchange" }, OIDC], { faults: { getUserIdentityTokenAsync: "fail" }, dialog: JSON.stringify({ access_token: "ddd", expires_in: 300 }) });
  assert.equal(await auth.header(), "Bearer ddd");
});

fact("the window of an OpenID Connect provider gives a token, which stays in memory", async () => {
  const { auth, state, later } = desk([OIDC], { dialog: JSON.stringify({ access_token: "eee", expires_in: 600 }) });
  assert.equal((await rejected(auth.header({ interactive: false }))).code, "error.signInNeeded");
  assert.equal(await auth.header(), "Bearer eee");
  assert.equal(state.opened, "https://add.example/addin/3/sign-in.html");
  later(8 * 60_000);
  assert.equal(await auth.header({ interactive: false }), "Bearer eee");
  later(2 * 60_000);
  assert.equal((await rejected(auth.header({ interactive: false }))).code, "error.signInNeeded");
});

fact("a window that was closed, or says nothing useful, gives none", async () => {
  const said = { "error.signInCancelled": [{ closed: 12006 }, JSON.stringify({ error: "access-denied" })] };
  said["error.signInFailed"] = [{ closed: 12002 }, "not json", "null", JSON.stringify({ error: "state-mismatch" }), JSON.stringify({ access_token: 5 })];
  for (const [code, dialogs] of Object.entries(said)) {
    for (const dialog of dialogs) {
      const { auth } = desk([OIDC], { dialog });
      assert.equal((await rejected(auth.header())).code, code, JSON.stringify(dialog));
    }
  }
});

fact("without any way to sign in that is what is said", async () => {
  assert.equal((await rejected(desk([]).auth.header())).code, "error.noSignIn");
  assert.equal((await rejected(desk([NAA]).auth.header())).code, "error.noSignIn");
});

fact("two who ask at once open one window", async () => {
  const { auth, state } = desk([OIDC], { dialog: JSON.stringify({ access_token: "fff", expires_in: 600 }) });
  assert.deepEqual(await Promise.all([auth.header(), auth.header()]), ["Bearer fff", "Bearer fff"]);
  assert.equal(state.calls.filter((name) => name === "displayDialogAsync").length, 1);
});

/* The server --------------------------------------------------------------------------------------------------------------- */

function server(answers, tokens = ["one", "two"]) {
  const asked = [];
  const log = createLog();
  const forced = [];
  const auth = {
    header: async ({ force, interactive }) => {
      forced.push([Boolean(force), interactive]);
      return `Bearer ${force ? tokens[1] : tokens[0]}`;
    },
    diagnostics: () => [],
  };
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    const next = answers.shift() ?? 500;
    if (next === "network") throw new TypeError("Failed to fetch");
    if (next === "silence") return new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))));
    if (typeof next === "number") return new Response("<html>", { status: next, headers: { "Content-Type": "text/html" } });
    const { status = 200, body, headers = {}, type = "application/json" } = next;
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { "Content-Type": type, ...headers } });
  };
  const api = createApi({ config: CONFIG, auth, log, fetch, wait: async () => undefined, patience: 200 });
  return { api, asked, log, forced };
}

const REQUEST = { requestId: "r-1", delegate: false, series: true, client: { kind: "PC", version: "16", set: "1.8" } };
const problem = (status, code, more = {}, headers = {}) => ({ status, type: "application/problem+json", headers, body: { code, correlation_id: "c-9", ...more } });

fact("a reservation is asked for with a token and without cookies", async () => {
  const { api, asked } = server([{ status: 201, body: reservation(5) }]);
  assert.deepEqual(await api.reserve(REQUEST), reservation(5));
  const [{ url, method, credentials, redirect, headers, body }] = asked;
  assert.deepEqual([url, method, credentials, redirect], ["/addin/api/v1/reservations", "POST", "omit", "error"]);
  assert.deepEqual([headers.Authorization, headers["Content-Type"]], ["Bearer one", "application/json"]);
  assert.deepEqual(JSON.parse(body), { integration: 3, request_id: "r-1", delegate: false, series: true, client: REQUEST.client });
});

fact("a token that is refused is renewed once", async () => {
  const { api, asked, forced } = server([problem(401, "token-refused"), { body: reservation(5) }]);
  await api.refresh(ticket(5), { interactive: false });
  assert.deepEqual(asked.map(({ headers }) => headers.Authorization), ["Bearer one", "Bearer two"]);
  assert.deepEqual(forced, [[false, false], [true, false]]);
  const twice = server([problem(401, "token-refused"), problem(401, "token-refused"), { body: reservation(5) }]);
  const error = await rejected(twice.api.refresh(ticket(5)));
  assert.deepEqual([error.code, error.correlationId, twice.asked.length], ["error.tokenRefused", "c-9", 2]);
});

fact("a network that fails is tried once more with the same request", async () => {
  for (const first of ["network", problem(503, "unavailable")]) {
    const { api, asked } = server([first, { status: 200, body: reservation(5) }]);
    assert.equal((await api.reserve(REQUEST)).ticket, ticket(5));
    assert.equal(asked[0].body, asked[1].body);
  }
});

fact("nobody answering is told apart from being refused", async () => {
  const down = [["network", "network"], [problem(503, "unavailable"), 503], [502], [500], ["silence"], [{ type: "text/html", body: "<html>a network's own page" }]];
  for (const answers of down) {
    const error = await rejected(server([...answers]).api.reserve(REQUEST));
    assert.ok(error instanceof Fault && error.unreachable, JSON.stringify(answers));
    assert.equal(error.code, "error.unreachable");
  }
  const refused = { 403: ["not-allowed", "error.notAllowed"], 409: ["too-many-unclaimed", "error.tooManyUnclaimed"], 422: ["invalid-request", "error.invalidRequest"], 404: ["no-such-integration", "error.noSuchIntegration"] };
  for (const [status, [code, text]] of Object.entries(refused)) {
    const error = await rejected(server([problem(Number(status), code)]).api.reserve(REQUEST));
    assert.deepEqual([error.code, error.unreachable, error.correlationId], [text, false, "c-9"]);
  }
});

fact("the server's wish for patience and its reasons come through", async () => {
  const busy = await rejected(server([problem(429, "too-many", {}, { "Retry-After": "17" })]).api.reserve(REQUEST));
  assert.deepEqual([busy.code, busy.retryAfter, busy.retry], ["error.tooMany", 17, true]);
  const gone = await rejected(server([problem(410, "ticket-gone", { reason: "released" })]).api.refresh(ticket(5)));
  assert.deepEqual([gone.code, gone.gone], ["error.ticketGone", "released"]);
});

fact("an answer that is no reservation goes into nobody's meeting", async () => {
  const bad = [null, {}, [], { ...reservation(5), ticket: "OTHER-12345" }, { ...reservation(5), html: 5 }, { ...reservation(5), kind: "x" }];
  for (const body of bad) {
    const error = await rejected(server([{ body }, { body }]).api.reserve(REQUEST));
    assert.ok(["error.unexpectedAnswer", "error.unreachable"].includes(error.code), JSON.stringify(body));
  }
});

fact("giving back says nothing and wants nothing", async () => {
  const { api, asked } = server([{ status: 204 }]);
  assert.equal(await api.release(ticket(5)), undefined);
  assert.equal(asked[0].url, "/addin/api/v1/reservations/release");
});

fact("rooms of one's own are listed and read", async () => {
  const { api, asked } = server([{ body: { rooms: [{ id: "a", name: "Ann", description: null }] } }, { body: reservation(7, "personal") }]);
  assert.deepEqual(await api.personalRooms(), [{ id: "a", name: "Ann", description: "" }]);
  assert.equal((await api.personalInstructions("a")).mailbox, null);
  assert.equal(asked[0].url, "/addin/api/v1/personal-rooms?integration=3");
  assert.equal(asked[0].body, undefined);
});

fact("whether the service answers is asked without a token", async () => {
  const { api, asked } = server([{ body: {} }]);
  assert.equal(await api.isReachable(), true);
  assert.equal(asked[0].headers.Authorization, undefined);
  assert.equal(await server(["network"]).api.isReachable(), false);
  assert.equal(await server([503]).api.isReachable(), false);
  assert.equal(await server([404]).api.isReachable(), true);
});

fact("no token and no ticket comes into the log of requests", async () => {
  const { api, log } = server([problem(403, "not-allowed")], ["secret-token"]);
  await rejected(api.refresh(ticket(5)));
  assert.match(log.toText(), /api\.reservations not-allowed/);
  assert.doesNotMatch(log.toText(), /secret|GRM/);
});

/* What is kept ------------------------------------------------------------------------------------------------------------- */

function keeping(options = {}, storage = memoryStorage()) {
  const { Office, state, alarm } = fakeOutlook(options);
  const office = createOffice(Office, { alarm });
  const newStore = () => createStore({ office, integration: 3, storage, clock: () => NOW });
  return { store: newStore(), newStore, state, storage };
}

const AHEAD = { reservations: [reservation(1), reservation(2)], offline: reservation(9, "offline") };

fact("what is kept is in the person's own mailbox, and in the browser only where that is missing", async () => {
  const { store, state, storage } = keeping();
  await store.keep(AHEAD, NOW);
  assert.equal(store.count(NOW), 2);
  assert.ok(state.settings["greenroom.3"] && !storage.kept.has("greenroom.3"));
  const other = keeping({ hasSettings: false });
  await other.store.keep(AHEAD, NOW);
  assert.ok(other.storage.kept.has("greenroom.3"));
  assert.deepEqual(await other.store.take(NOW), reservation(1));
});

fact("a kept room is given out once, also by a page that holds older settings", async () => {
  const { store, newStore, state } = keeping();
  await store.keep(AHEAD, NOW);
  const older = state.settings["greenroom.3"];
  assert.equal((await store.take(NOW)).ticket, ticket(1));
  state.settings["greenroom.3"] = older;
  assert.equal((await newStore().take(NOW)).ticket, ticket(2));
  assert.equal(await store.take(NOW), null);
});

fact("a kept room that cannot be forgotten for sure is not given out", async () => {
  const { store, state } = keeping({ faults: {} }, null);
  await store.keep(AHEAD, NOW);
  state.faults["roamingSettings.saveAsync"] = "fail";
  assert.equal(await store.take(NOW), null);
});

fact("what ends soon is dropped, and what was written by others is not believed", async () => {
  const { store, state } = keeping();
  await store.keep({ reservations: [reservation(1, "vmr", { expires_at: "2026-11-21T12:30:00Z" }), reservation(2)], offline: reservation(9, "offline", { expires_at: "2026-11-21T11:00:00Z" }) }, NOW);
  assert.equal(store.count(NOW), 1);
  assert.equal(store.promise(NOW), null);
  for (const other of ["", "{", "null", "[]", '{"v":2}', '{"v":1,"reservations":[null,{}],"offline":{}}', 5, null]) {
    state.settings["greenroom.3"] = other;
    assert.equal(store.count(NOW), 0);
    assert.equal(store.promise(NOW), null);
  }
});

fact("what another site says in the sign-in window is not heard", async () => {
  const url = "https://add.example/addin/3/sign-in.html";
  for (const dialogOrigin of ["https://add.example", "https://add.example/", "", undefined]) {
    const { Office } = fakeOutlook({ dialog: "ours", dialogOrigin });
    assert.equal(await createOffice(Office).dialog(url), "ours");
  }
  const { Office } = fakeOutlook({ dialog: "theirs", dialogOrigin: "https://evil.example" });
  await assert.rejects(createOffice(Office).dialog(url, { timeout: 30 }), /timeout/);
});

fact("what is kept fits into the mailbox's 32 kilobytes", async () => {
  for (const html of ["x".repeat(5000), '<p style="ä">'.repeat(400)]) {
    const { store, state } = keeping();
    const many = Array.from({ length: 50 }, (_, i) => reservation(i, "vmr", { html }));
    await store.keep({ reservations: many, offline: AHEAD.offline }, NOW);
    assert.ok(Buffer.byteLength(JSON.stringify(state.settings)) <= 32_000);
    assert.ok(store.count(NOW) >= 3 && store.promise(NOW));
  }
});

fact("a browser that keeps nothing is no reason to fail", async () => {
  const broken = { getItem: () => { throw new Error("SecurityError"); }, setItem: () => { throw new Error("QuotaExceededError"); } };
  const { store } = keeping({}, broken);
  await store.keep(AHEAD, NOW);
  store.remember(ticket(5));
  assert.ok(store.isOwn(ticket(5)) && !store.isOwn(ticket(6)));
  assert.equal((await store.take(NOW)).ticket, ticket(1));
  assert.equal((await store.take(NOW)).ticket, ticket(2));
});

fact("what this browser put in is remembered for half a day, by its end alone", () => {
  const storage = memoryStorage();
  const { Office } = fakeOutlook();
  let now = NOW;
  const store = createStore({ office: createOffice(Office), integration: 3, storage, clock: () => now });
  for (let i = 0; i < 300; i += 1) store.remember(ticket(i));
  assert.ok(store.isOwn(ticket(299)));
  assert.ok(storage.kept.get("greenroom.3.own").length < 5000);
  assert.ok(!storage.kept.get("greenroom.3.own").includes("GRM"));
  now += 13 * 3600_000;
  assert.ok(!store.isOwn(ticket(299)));
});

/* Outlook ------------------------------------------------------------------------------------------------------------------ */

fact("notifications keep Outlook's rules, and there are none on phones", async () => {
  const { Office, state, alarm } = fakeOutlook();
  const office = createOffice(Office, { alarm });
  await office.notify("information", "x".repeat(400));
  assert.equal(state.notices.greenroom.message.length, 150);
  assert.equal(state.notices.greenroom.icon, "icon.16");
  await office.notify("error", "short");
  await office.notify("progress", "short");
  assert.equal(state.notices.greenroom.icon, undefined);
  await office.clearNotice();
  assert.deepEqual(state.notices, {});
  for (const platform of ["iOS", "Android"]) {
    const phone = fakeOutlook({ platform });
    const there = createOffice(phone.Office, { alarm: phone.alarm });
    assert.ok(there.isMobile() && !there.canNotify());
    await there.notify("error", "short");
    assert.deepEqual(phone.state.calls, []);
  }
});

fact("an Office.js without a mailbox is survived", () => {
  for (const Office of [{}, { context: null }, { context: {} }, { context: { mailbox: {} } }]) {
    const office = createOffice(Office);
    assert.deepEqual([office.itemKind(), office.supports("1.1"), office.platform(), office.displayLanguage()], ["none", false, "", "en-US"]);
    assert.deepEqual([office.canNotify(), office.hasSettings(), office.userAddress(), office.theme()], [false, false, "", null]);
  }
});

fact("a call that never answers is given up, and the next goes on", async () => {
  const { Office, state, alarm } = fakeOutlook({ faults: { "body.getTypeAsync": "never" } });
  const office = createOffice(Office, { alarm });
  const [first, second] = await Promise.allSettled([office.bodyType(), office.getBody("html")]);
  assert.equal(first.reason.message, "body.getTypeAsync:timeout");
  assert.equal(second.value, state.body);
});

fact("the highest set and the theme are those of this Outlook", () => {
  for (const [set, theme] of [["1.3", null], ["1.14", { isDarkTheme: true }]]) {
    const office = createOffice(fakeOutlook({ set }).Office);
    assert.equal(office.highestSet(), set);
    assert.deepEqual(office.theme(), theme);
  }
});

await report();
