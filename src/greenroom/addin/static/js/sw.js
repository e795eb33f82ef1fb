/**
 * @file The service worker: keeps the pages, so that they help when Greenroom does not answer.
 *
 * Pages and configuration come from the network where it answers within three seconds, else from what was kept; files whose
 * address tells their version come from what was kept. Answers of the API and other origins are none of its business. The server
 * writes one line in front: `var GREENROOM_WORKER = {"integration": "1", "version": "...", "shell": ["...", ...]};`
 */

const worker = /** @type {any} */ (self);
/** @type {{integration: string, version: string, shell: string[]}} */
const known = worker.GREENROOM_WORKER;
const FAMILY = `greenroom-addin-${known.integration}-`;
const CACHE = FAMILY + known.version;
const FOLDER = `/addin/${known.integration}/`;
const CONFIG = `${FOLDER}config.json`;
const PAGES = ["taskpane.html", "commands.html", "launchevent.html", "launchevent.js"].map((page) => FOLDER + page);
const PATIENCE = 3_000;
const SERVER_FAULT = 500;

/** The address under which an answer is kept: pages without the queries of Outlook, the configuration with its language. */
const keyOf = (/** @type {URL} */ url) => (PAGES.includes(url.pathname) ? url.origin + url.pathname : url.href);

/** A server that is not replaced yet answers for files of the next version with its own, and says that nobody may keep them. */
const isToKeep = (/** @type {Response} */ answer) =>
  answer.ok && answer.type === "basic" && !/no-store/i.test(answer.headers.get("Cache-Control") ?? "");

/** All of it or nothing: files of two versions do not work together. @param {string[]} addresses */
async function keepAll(addresses) {
  const answers = await Promise.all(addresses.map((address) => fetch(address)));
  if (!answers.every(isToKeep)) throw new Error("not all of this version"); // the next page that opens tries again
  const cache = await caches.open(CACHE);
  await Promise.all(answers.map((answer, at) => cache.put(addresses[at] ?? "", answer)));
}

/** @param {Request} request @param {string} key */
async function fromNetwork(request, key) {
  const answer = await fetch(request);
  if (isToKeep(answer)) {
    const cache = await caches.open(CACHE);
    await cache.put(key, answer.clone());
  }
  return answer;
}

/** @param {string} key */
async function kept(key) {
  return (await caches.match(key, { ignoreVary: true })) ?? caches.match(key, { ignoreVary: true, ignoreSearch: true });
}

/** @param {any} event @param {URL} url */
async function networkFirst(event, url) {
  const key = keyOf(url);
  const network = fromNetwork(event.request, key);
  event.waitUntil(network.catch(() => undefined));
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const soon = await Promise.race([network.catch(() => undefined), patience]);
  if (soon && soon.status < SERVER_FAULT) return soon;
  return (await kept(key)) ?? network;
}

/** @param {any} event @param {URL} url */
async function keptFirst(event, url) {
  return (await caches.match(url.href)) ?? fromNetwork(event.request, url.href);
}

worker.addEventListener("install", (/** @type {any} */ event) => {
  const language = new URL(worker.location.href).searchParams.get("lang");
  const config = language ? `${CONFIG}?lang=${encodeURIComponent(language)}` : CONFIG;
  event.waitUntil(keepAll([...known.shell, config]).then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(FAMILY) && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (PAGES.includes(url.pathname) || url.pathname === CONFIG) event.respondWith(networkFirst(event, url));
  else if (/^\/addin\/(static|icons)\//.test(url.pathname)) event.respondWith(keptFirst(event, url));
});
