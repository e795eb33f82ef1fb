/** @file What both pages of the sign-in window do: speak to the person, and to the page that opened the window. */

/** Where the secrets of one try are kept while the window is at the provider: in this window alone. */
export const KEPT = "greenroom.sign-in";

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {string} selector */
const pick = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** Put the page's own words in, in the person's language. @param {import("./strings.js").Say} say */
export function tell(say) {
  document.title = say("signIn.title");
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = say(element.getAttribute("data-text") ?? "");
  }
}

/** @param {Record<string, unknown>} message */
export function toParent(message) {
  const told = JSON.stringify(message);
  if (Office.context.requirements.isSetSupported("DialogOrigin", "1.1")) {
    Office.context.ui.messageParent(told, { targetOrigin: location.origin });
  } else {
    Office.context.ui.messageParent(told);
  }
}

/** @param {string} code for the page that opened the window @param {string} [text] for the person */
export function failed(code, text) {
  const shown = pick("[data-failed]");
  if (text) shown.textContent = text;
  shown.hidden = false;
  pick("[data-said]").hidden = true;
  pick("[data-waiting]").hidden = true;
  try {
    toParent({ error: code });
  } catch {
    // Nobody opened this window, or it cannot be reached any more: the person reads what happened, and closes it.
  }
}
