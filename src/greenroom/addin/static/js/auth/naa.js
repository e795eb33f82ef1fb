/**
 * @file Signing in through Outlook itself (nested app authentication): an access token of Entra for our own scope.
 *
 * The library is loaded only when it is used. What it keeps, it keeps in memory: storage is cut off in frames of Outlook on the web.
 */

import { passedOver } from "./passed_over.js";

/** @typedef {import("../types.js").OfficeHost} OfficeHost */
/** @typedef {import("./passed_over.js").Method} Method */

const LOAD_PATIENCE = 15_000;
const SILENT_PATIENCE = 20_000;
const POPUP_PATIENCE = 120_000;
const NEEDS_A_PERSON = /interaction_required|consent_required|login_required|no_tokens_found|monitor_window|UserInteractionRequired|ui_required|InteractionRequired/i;
const CANCELLED = /user_cancel/i;
const NO_NETWORK = /network|no_network_connectivity|post_request_failed|endpoints_resolution/i;

/**
 * @param {{method: import("../types.js").NaaMethod, msal: string | null, office: OfficeHost, load?: (url: string) => Promise<any>}} options
 *   `load` gives the library
 * @returns {Method}
 */
export function createNaa({ method, msal, office, load = loadLibrary }) {
  /** @type {Promise<any> | null} */
  let client = null;

  async function start() {
    const library = await within(load(msal ?? ""), LOAD_PATIENCE, "library-timeout");
    return library.createNestablePublicClientApplication({
      auth: { clientId: method.client_id, authority: method.authority },
      cache: { cacheLocation: "memoryStorage" },
      system: { loggerOptions: { piiLoggingEnabled: false, loggerCallback: () => undefined } },
    });
  }

  async function application() {
    client ??= start();
    try {
      return await within(client, SILENT_PATIENCE, "bridge-timeout");
    } catch (error) {
      client = null; // the next try starts anew
      throw error;
    }
  }

  return {
    kind: "naa",
    isUsable: () => msal !== null && office.supports("1.1", "NestedAppAuth"),
    async token({ interactive, force }) {
      const asked = { scopes: method.scopes };
      try {
        const app = await application();
        try {
          return tokenOf(await within(app.acquireTokenSilent({ ...asked, forceRefresh: force }), SILENT_PATIENCE, "silent-timeout"));
        } catch (error) {
          if (!interactive) throw error;
          return tokenOf(await within(app.acquireTokenPopup(asked), POPUP_PATIENCE, "popup-timeout"));
        }
      } catch (error) {
        throw reasonOf(error);
      }
    },
  };
}

/** @param {any} result */
function tokenOf(result) {
  if (typeof result?.accessToken !== "string" || !result.accessToken) throw passedOver("failed", "no-access-token");
  const until = result.expiresOn instanceof Date ? result.expiresOn.getTime() : null;
  return { header: `Bearer ${result.accessToken}`, until };
}

/** Codes alone: messages of the library may tell who the person is. @param {any} error */
function reasonOf(error) {
  const code = String(error?.errorCode || error?.name || "unknown").slice(0, 60);
  const detail = error?.subError ? `${code}.${error.subError}` : code;
  const more = { correlationId: typeof error?.correlationId === "string" ? error.correlationId : undefined };
  if (error?.outcome) return error;
  if (CANCELLED.test(detail)) return passedOver("cancelled", detail, more);
  if (NEEDS_A_PERSON.test(detail) || NEEDS_A_PERSON.test(String(error?.name))) return passedOver("needs-person", detail, more);
  return passedOver(NO_NETWORK.test(detail) ? "no-network" : "failed", detail, more);
}

/** @template T @param {Promise<T>} promise @param {number} ms @param {string} code @returns {Promise<T>} */
function within(promise, ms, code) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(passedOver("failed", code)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @param {string} url @returns {Promise<any>} */
function loadLibrary(url) {
  const there = () => /** @type {any} */ (globalThis).msal;
  if (there()) return Promise.resolve(there());
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (there() ? resolve(there()) : reject(passedOver("failed", "library-empty")));
    script.onerror = () => reject(passedOver("no-network", "library-unreachable"));
    document.head.append(script);
  });
}
