/** @file How every page begins: wait for Office.js, then fetch the configuration in the person's language. */

/** @typedef {import("./types.js").Config} Config */

const OFFICE_PATIENCE = 20_000;
const CONFIG_PATIENCE = 15_000;

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T>}
 */
export function within(promise, ms) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("timeout")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Whether this page runs in Outlook: "missing" where Office.js could not be loaded or is never ready.
 * @returns {Promise<"outlook" | "outside" | "missing">}
 */
export async function whereAmI() {
  if (typeof Office === "undefined" || !Office.onReady) return "missing";
  try {
    const info = await within(Office.onReady(), OFFICE_PATIENCE);
    return info?.host === Office.HostType.Outlook ? "outlook" : "outside";
  } catch {
    return "missing";
  }
}

/** @returns {string} the language that Outlook shows itself in, else the browser's */
export function displayLanguage() {
  try {
    return Office.context.displayLanguage || navigator.language;
  } catch {
    return navigator.language;
  }
}

/**
 * @param {string} address of config.json
 * @returns {Promise<Config>}
 */
export async function loadConfig(address) {
  const url = `${address}?lang=${encodeURIComponent(displayLanguage())}`;
  const answer = await fetch(url, { credentials: "omit", signal: AbortSignal.timeout(CONFIG_PATIENCE) });
  if (!answer.ok) throw new Error(`config-${answer.status}`);
  return answer.json();
}

/** The service worker is a comfort: where a browser lets no framed page have one, the pages work without. */
export function keepForBadTimes() {
  const language = encodeURIComponent(displayLanguage());
  navigator.serviceWorker?.register(`sw.js?lang=${language}`, { scope: "./" }).catch(() => undefined);
}
