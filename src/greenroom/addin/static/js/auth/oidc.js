/**
 * @file Signing in at any OpenID Connect provider, in a window of its own that begins and ends on our pages (sign-in.js, signed-in.js).
 * The token stays in memory: the next page of Outlook asks again, and the provider mostly knows the person still.
 */

import { OfficeFault } from "../fault.js";
import { passedOver } from "./passed_over.js";

const CLOSED_BY_PERSON = 12006;
const MARGIN = 60_000;
const SHORT_LIFE = 300; // seconds, where the provider does not tell

/**
 * @param {{method: import("../types.js").OidcMethod, office: import("../types.js").OfficeHost, base?: string, clock?: () => number}} options
 * @returns {import("./passed_over.js").Method}
 */
export function createOidc({ method, office, base = globalThis.location?.href, clock = Date.now }) {
  /** @type {{header: string, until: number} | null} */
  let kept = null;
  return {
    kind: "oidc",
    isUsable: () => true,
    async token({ interactive, force }) {
      if (kept && !force && kept.until - MARGIN > clock()) return kept;
      kept = null;
      if (!interactive) throw passedOver("needs-person", "window");
      const message = await told(office, new URL(method.page, base).href);
      if (typeof message?.access_token !== "string" || !message.access_token) {
        const code = typeof message?.error === "string" ? message.error : "no-access-token";
        throw passedOver(code === "access-denied" ? "cancelled" : "failed", code);
      }
      const seconds = Number(message.expires_in) > 0 ? Number(message.expires_in) : SHORT_LIFE;
      kept = { header: `Bearer ${message.access_token}`, until: clock() + seconds * 1000 };
      return kept;
    },
  };
}

/** @param {import("../types.js").OfficeHost} office @param {string} url @returns {Promise<any>} */
async function told(office, url) {
  try {
    return JSON.parse(await office.dialog(url));
  } catch (error) {
    if (!(error instanceof OfficeFault)) throw passedOver("failed", "message-unreadable");
    const isClosed = error.reason === "closed" && error.code === CLOSED_BY_PERSON;
    throw passedOver(isClosed ? "cancelled" : "failed", `${error.reason}.${error.code ?? ""}`);
  }
}
