/** @file Office's older single sign-on, for Outlooks without nested app authentication (LTSC 2021). */

import { OfficeFault } from "../fault.js";
import { passedOver } from "./passed_over.js";

const CANCELLED = new Set([13002]);
const NEEDS_A_PERSON = new Set([13001, 13003, 13007]); // not signed in, no work account, no consent yet
const NO_NETWORK = new Set([13006, 13008]); // could not be had now, another one is under way

/** @param {{office: import("../types.js").OfficeHost}} options @returns {import("./passed_over.js").Method} */
export function createSso({ office }) {
  return {
    kind: "sso",
    isUsable: () => office.supports("1.3", "IdentityAPI"),
    async token({ interactive }) {
      try {
        return { header: `Bearer ${await office.ssoToken({ interactive })}`, until: null };
      } catch (error) {
        const code = error instanceof OfficeFault ? error.code ?? 0 : 0;
        const detail = error instanceof OfficeFault ? `${error.reason}.${code}` : "unknown";
        if (CANCELLED.has(code)) throw passedOver("cancelled", detail);
        if (NEEDS_A_PERSON.has(code) && !interactive) throw passedOver("needs-person", detail);
        throw passedOver(NO_NETWORK.has(code) ? "no-network" : "failed", detail);
      }
    },
  };
}
