// The bridge by which nested app authentication reaches the host; installed in the add-in's pages before their own scripts.
// `plan` is tests/support/outlooks.py: NestedAuth as JSON.
((plan) => {
  if (!location.pathname.startsWith("/addin/") || plan.missing) return;
  const listeners = new Set();
  const account = {
    homeAccountId: `${plan.oid}.${plan.tenant}`, environment: "login.microsoftonline.com", tenantId: plan.tenant,
    username: plan.username, localAccountId: plan.oid, name: plan.username,
  };
  const encoded = (value) => btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const now = Math.floor(Date.now() / 1000);
  const idToken = `${encoded({ alg: "none", typ: "JWT" })}.${encoded({
    oid: plan.oid, tid: plan.tenant, preferred_username: plan.username, sub: plan.oid, aud: "client", exp: now + 3600, iat: now,
    iss: `https://login.microsoftonline.com/${plan.tenant}/v2.0`, ver: "2.0",
  })}.`;
  const failure = (status) => ({ success: false, error: { status, code: status, description: status } });
  const token = async (request, manner) => {
    if (manner !== "token") return failure(manner);
    const scope = request.tokenParams?.scope ?? "";
    return {
      success: true, account,
      token: { access_token: await window.outlookNestedToken(scope), id_token: idToken, expires_in: plan.lasts, scope },
    };
  };
  const answer = async (request) => {
    switch (request.method) {
      case "GetInitContext":
        return { success: true, initContext: { capabilities: { queryAccount: true }, sdkName: "outlook", sdkVersion: "1", accountContext: account } };
      case "GetToken": return token(request, plan.silent);
      case "GetTokenPopup": return token(request, plan.popup);
      default: return failure("DISABLED");
    }
  };
  window.nestedAppAuthBridge = {
    addEventListener: (_name, listener) => listeners.add(listener),
    removeEventListener: (_name, listener) => listeners.delete(listener),
    postMessage: async (message) => {
      const request = JSON.parse(message);
      const response = JSON.stringify({ messageType: "NestedAppAuthResponse", requestId: request.requestId, ...(await answer(request)) });
      listeners.forEach((listener) => listener(response));
    },
  };
})
