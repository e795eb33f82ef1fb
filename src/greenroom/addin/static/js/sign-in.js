/**
 * @file The first page of the window in which people sign in at an OpenID Connect provider: makes the secrets of this one try
 * (PKCE, RFC 7636) and goes to the provider, which sends the person back to signed-in.html in the same window.
 */

import { loadConfig, whereAmI } from "./boot.js";
import { wordsOf } from "./strings.js";
import { base64url, failed, KEPT, tell } from "./sign-in-window.js";

const RANDOM_BYTES = 32;

const random = () => base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));

/** @param {string} verifier */
async function challengeOf(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

async function start() {
  await whereAmI(); // Office.js notes here which window opened this one, and finds it again on the last page
  const config = await loadConfig("config.json");
  const { say } = wordsOf(config);
  tell(say);
  const { oidc } = config;
  if (!oidc?.authorize_url || !/^https?:\/\//.test(oidc.authorize_url)) {
    failed("provider-unknown", say("signIn.unavailable"));
    return;
  }
  const verifier = random();
  const state = `${config.integration}.${random()}`;
  const tried = { state, verifier, integration: config.integration, redirect_uri: oidc.redirect_uri, api: config.api };
  sessionStorage.setItem(KEPT, JSON.stringify(tried));
  const url = new URL(oidc.authorize_url);
  const asked = {
    response_type: "code",
    client_id: oidc.client_id,
    redirect_uri: oidc.redirect_uri,
    scope: oidc.scopes.join(" "),
    state,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
    ...(oidc.resource ? { resource: oidc.resource } : {}),
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  location.replace(url.href);
}

start().catch(() => failed("sign-in-failed"));
