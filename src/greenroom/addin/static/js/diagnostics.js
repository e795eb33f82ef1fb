/** @file The foot of the pane: help, and what somebody who helps wants to know. Codes alone, nothing of the meeting. */

import { copy, el, sign } from "./dom.js";
import { announce } from "./pane-view.js";

/**
 * @param {object} parts
 * @param {import("./strings.js").Say} parts.say
 * @param {import("./types.js").Config} parts.config
 * @param {import("./types.js").OfficeHost} parts.office
 * @param {import("./types.js").Auth} parts.auth
 * @param {import("./types.js").Log} parts.log
 * @returns {HTMLElement[]}
 */
export function diagnostics({ say, config, office, auth, log }) {
  const text = () =>
    [
      `Greenroom ${config.version} / ${config.integration}`,
      `Outlook ${office.platform() || "?"} ${office.version() || "?"} Mailbox ${office.highestSet() || "?"}`,
      `sign-in ${config.sign_in.map((way) => way.kind).join(", ")}${auth.diagnostics().map((code) => `\n  ${code}`).join("")}`,
      log.toText(),
    ].join("\n");
  const shown = el("pre", { tabindex: "0", role: "region", "aria-label": say("details.summary") });
  const word = el("span", {}, say("details.copy"));
  const onCopy = async () => {
    const copied = await copy(String(shown.textContent), shown);
    word.textContent = say(copied ? "details.copied" : "details.copy");
    announce(say(copied ? "details.copied" : "details.selected"));
    setTimeout(() => (word.textContent = say("details.copy")), 2_000);
  };
  const details = el(
    "details",
    { ontoggle: () => (shown.textContent = text()) },
    el("summary", {}, say("details.summary")),
    el("p.note", {}, say("details.about")),
    shown,
    el("button.plain", { type: "button", onclick: () => void onCopy() }, sign("copy"), word),
  );
  const help = config.help && el("p.help", {}, el("a", { href: config.help, target: "_blank", rel: "noopener noreferrer" }, say("pane.help")));
  return help ? [help, details] : [details];
}
