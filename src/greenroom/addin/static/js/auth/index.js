/**
 * @file Who asks: the ways of signing in, in the order of the configuration. The first that gives a token is used from then on.
 * Tokens are kept in memory alone, and never logged.
 */

import { Fault } from "../fault.js";
import { createExchange } from "./exchange.js";
import { createNaa } from "./naa.js";
import { createOidc } from "./oidc.js";
import { PassedOver } from "./passed_over.js";
import { createSso } from "./sso.js";

/** @typedef {import("./passed_over.js").Method} Method */
/** @typedef {import("./passed_over.js").Token} Token */

const MARGIN = 60_000;
const LIFE_UNKNOWN = 240_000;

/**
 * @param {object} options
 * @param {import("../types.js").Config} options.config
 * @param {import("../types.js").OfficeHost} options.office
 * @param {import("../types.js").Log} options.log
 * @param {() => number} [options.clock]
 * @param {(url: string) => Promise<any>} [options.load] gives Microsoft's library
 * @param {string} [options.base] address that the configuration's are relative to
 * @returns {import("../types.js").Auth}
 */
export function createAuth({ config, office, log, clock = Date.now, load, base }) {
  const methods = config.sign_in.map((method) => {
    if (method.kind === "naa") return createNaa({ method, msal: config.msal, office, load });
    if (method.kind === "sso") return createSso({ office });
    return method.kind === "exchange" ? createExchange({ office }) : createOidc({ method, office, base, clock });
  });
  /** @type {{method: Method, token: Token, until: number} | null} */
  let kept = null;
  /** @type {string[]} */
  let notes = [];
  /** @type {Promise<string> | null} */
  let going = null;

  /** @param {Method} method @param {{interactive: boolean, force: boolean}} asked */
  async function tryOne(method, asked) {
    const start = clock();
    const token = await method.token(asked);
    log.add(`auth.${method.kind}`, "ok", clock() - start);
    kept = { method, token, until: token.until === null ? start + LIFE_UNKNOWN : token.until - MARGIN };
    return token.header;
  }

  /** @param {{interactive: boolean, force: boolean}} asked */
  async function find(asked) {
    notes = [];
    /** @type {PassedOver[]} */
    const reasons = [];
    const worked = kept?.method;
    kept = null;
    for (const method of [...methods].sort((a, b) => Number(b === worked) - Number(a === worked))) {
      if (!method.isUsable()) {
        notes.push(`${method.kind}: not-supported`);
        continue;
      }
      try {
        return await tryOne(method, asked);
      } catch (error) {
        const reason = error instanceof PassedOver ? error : new PassedOver("failed", "unknown");
        notes.push(`${method.kind}: ${reason.code}`);
        log.add(`auth.${method.kind}`, reason.code);
        reasons.push(reason);
      }
    }
    throw faultOf(reasons);
  }

  return {
    async header({ interactive = true, force = false } = {}) {
      while (going) await going.catch(() => undefined); // one window at a time
      if (kept && !force && kept.until > clock()) return kept.token.header;
      going = find({ interactive, force }).finally(() => {
        going = null;
      });
      return going;
    },
    diagnostics: () => [...notes],
  };
}

/** What the person is told when no way worked: the one that they can do something about. @param {PassedOver[]} reasons @returns {Fault} */
function faultOf(reasons) {
  const of = (/** @type {string} */ outcome) => reasons.find((reason) => reason.outcome === outcome);
  const [person, cancelled, network, failed] = [of("needs-person"), of("cancelled"), of("no-network"), of("failed")];
  if (person) return new Fault("error.signInNeeded", { retry: true, detail: person.code });
  if (cancelled) return new Fault("error.signInCancelled", { retry: true, detail: cancelled.code });
  if (network) return new Fault("error.signInFailed", { retry: true, detail: network.code, unreachable: true, correlationId: network.correlationId });
  if (failed) return new Fault("error.signInFailed", { retry: true, detail: failed.code, correlationId: failed.correlationId });
  return new Fault("error.noSignIn", { detail: "no-method" });
}
