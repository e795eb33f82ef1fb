/** @file The identity token of an Exchange Server. Exchange Online has none any more: it fails there, and the next way is tried. */

import { OfficeFault } from "../fault.js";
import { passedOver } from "./passed_over.js";

/** @param {{office: import("../types.js").OfficeHost}} options @returns {import("./passed_over.js").Method} */
export function createExchange({ office }) {
  return {
    kind: "exchange",
    isUsable: () => true,
    async token() {
      try {
        return { header: `Exchange ${await office.exchangeToken()}`, until: null };
      } catch (error) {
        throw passedOver("failed", error instanceof OfficeFault ? `${error.reason}.${error.code ?? ""}` : "unknown");
      }
    },
  };
}
