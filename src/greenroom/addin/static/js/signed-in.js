/** @file The last page of the sign-in window: takes the provider's code, has the server trade it for a token, and hands that over. */

import { whereAmI } from "./boot.js";
import { failed, KEPT, toParent } from "./sign-in-window.js";

const PATIENCE = 30_000;

async function finish() {
  await whereAmI();
  const answer = new URLSearchParams(location.search);
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT); // a code is good for one try
  const tried = kept ? JSON.parse(kept) : null;
  if (!tried || !answer.get("state") || answer.get("state") !== tried.state) {
    failed("state-mismatch");
    return;
  }
  const code = answer.get("code");
  if (!code) {
    failed(answer.get("error") === "access_denied" ? "access-denied" : "provider-refused");
    return;
  }
  const reply = await fetch(`${tried.api}/sign-in`, {
    method: "POST",
    credentials: "omit",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      integration: tried.integration,
      code,
      verifier: tried.verifier,
      redirect_uri: tried.redirect_uri,
    }),
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!reply.ok) {
    failed("exchange-refused");
    return;
  }
  const { access_token, expires_in } = await reply.json();
  toParent({ access_token, expires_in });
}

finish().catch(() => failed("sign-in-failed"));
