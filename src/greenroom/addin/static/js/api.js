/**
 * @file Our server, as the page asks it. No cookies; a token in each request. What is sent says nothing of the meeting but hints
 * (a series, somebody else's calendar).
 */

import { Fault } from "./fault.js";

/** @typedef {import("./types.js").CallOptions} CallOptions */
/** @typedef {import("./keys.js").TextKey} TextKey */

const PATIENCE = 8_000;
const PAUSE = 400;
const LARGEST = 4_000_000; // characters of an answer

/** @type {Record<string, TextKey>} */
const TEXTS = {
  "token-missing": "error.tokenRefused",
  "token-refused": "error.tokenRefused",
  "not-allowed": "error.notAllowed",
  "invalid-request": "error.invalidRequest",
  "too-many": "error.tooMany",
  "too-many-unclaimed": "error.tooManyUnclaimed",
  "ticket-gone": "error.ticketGone",
  "no-such-room": "error.noSuchRoom",
  "no-such-integration": "error.noSuchIntegration",
};
/** @type {Record<number, TextKey>} */
const BY_STATUS = { 400: "error.invalidRequest", 401: "error.tokenRefused", 403: "error.notAllowed", 429: "error.tooMany" };

/**
 * @param {object} options
 * @param {import("./types.js").Config} options.config
 * @param {import("./types.js").Auth} options.auth
 * @param {import("./types.js").Log} options.log
 * @param {typeof globalThis.fetch} [options.fetch]
 * @param {(ms: number) => Promise<void>} [options.wait]
 * @param {number} [options.patience] milliseconds for each answer
 * @returns {import("./types.js").Api}
 */
export function createApi({ config, auth, log, fetch = globalThis.fetch.bind(globalThis), wait = pause, patience = PATIENCE }) {
  /** @param {string} method @param {string} path @param {unknown} body @param {string | null} authorization @returns {Promise<any>} */
  async function once(method, path, body, authorization) {
    const start = Date.now();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), patience);
    const name = `api.${path.replace(/^\//, "").replace(/[/?].*$/, "") || "root"}`;
    try {
      const answer = await fetch(`${config.api}${path}`, {
        method,
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: stop.signal,
        headers: {
          Accept: "application/json",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(authorization ? { Authorization: authorization } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const result = await read(answer);
      log.add(name, String(answer.status), Date.now() - start);
      return result;
    } catch (error) {
      const fault = error instanceof Fault ? error : unreachable(stop.signal.aborted ? "timeout" : "network");
      log.add(name, fault.detail ?? String(fault.status), Date.now() - start);
      throw fault;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {string} method @param {string} path @param {unknown} body @param {string | null} authorization @returns {Promise<any>} */
  async function patiently(method, path, body, authorization) {
    try {
      return await once(method, path, body, authorization);
    } catch (error) {
      // What is repeated is safe to repeat: a reservation has its request's id.
      if (!(error instanceof Fault) || !(error.detail === "network" || error.status === 503)) throw error;
      await wait(PAUSE);
      return once(method, path, body, authorization);
    }
  }

  /** @param {string} method @param {string} path @param {unknown} body @param {CallOptions} [options] @returns {Promise<any>} */
  async function request(method, path, body, { interactive = true } = {}) {
    const authorization = await auth.header({ interactive });
    try {
      return await patiently(method, path, body, authorization);
    } catch (error) {
      if (!(error instanceof Fault) || error.status !== 401) throw error;
      return patiently(method, path, body, await auth.header({ interactive, force: true })); // pages live for days, tokens do not
    }
  }

  const { integration } = config;
  return {
    async authorise({ interactive = true } = {}) {
      await auth.header({ interactive });
    },
    async reserve({ requestId, delegate, series, client }, options) {
      const body = { integration, request_id: requestId, delegate, series, client };
      return reservation(await request("POST", "/reservations", body, options), config.prefix);
    },
    async refresh(ticket, options) {
      return reservation(await request("POST", "/reservations/refresh", { integration, ticket }, options), config.prefix);
    },
    async release(ticket, options) {
      await request("POST", "/reservations/release", { integration, ticket }, options);
    },
    async ahead(count, options) {
      const { reservations, offline } = (await request("POST", "/reservations/ahead", { integration, count }, options)) ?? {};
      if (!Array.isArray(reservations)) throw unexpected("ahead");
      return { reservations: reservations.map((one) => reservation(one, config.prefix)), offline: reservation(offline, config.prefix) };
    },
    async personalRooms(options) {
      const { rooms } = (await request("GET", `/personal-rooms?integration=${integration}`, undefined, options)) ?? {};
      if (!Array.isArray(rooms)) throw unexpected("rooms");
      return rooms.map((room) => ({ id: String(room?.id), name: String(room?.name ?? ""), description: String(room?.description ?? "") }));
    },
    async personalInstructions(id, options) {
      return reservation(await request("POST", "/personal-rooms/instructions", { integration, id }, options), config.prefix);
    },
    async isReachable() {
      try {
        await once("GET", "/openapi.json", undefined, null);
        return true;
      } catch (error) {
        return error instanceof Fault && !error.unreachable;
      }
    },
  };
}

/** @param {Response} answer @returns {Promise<any>} */
async function read(answer) {
  if (answer.status === 204) return null;
  const isJson = /\bjson\b/i.test(answer.headers.get("Content-Type") ?? "");
  const text = await answer.text();
  const correlationId = answer.headers.get("X-Correlation-Id") ?? undefined;
  let body = null;
  try {
    body = isJson && text.length <= LARGEST ? JSON.parse(text) : null;
  } catch {
    body = null; // cut off on its way: as good as no answer
  }
  if (answer.ok && body) return body;
  if (answer.ok) throw unreachable("not-json"); // the sign-in page of a network, most likely
  throw problem(answer, body && typeof body === "object" ? body : {}, correlationId);
}

/** @param {Response} answer @param {any} body @param {string | undefined} correlationId @returns {Fault} */
function problem(answer, body, correlationId) {
  const code = typeof body.code === "string" ? body.code : "";
  const { status } = answer;
  const isDown = status >= 500 || status === 408;
  const text = TEXTS[code] ?? BY_STATUS[status] ?? (isDown ? "error.unreachable" : "error.unexpectedAnswer");
  const retryAfter = Number(answer.headers.get("Retry-After"));
  return new Fault(text, {
    status,
    unreachable: isDown,
    retry: isDown || status === 401 || status === 429 || status === 409,
    detail: code || `status-${status}`,
    correlationId: typeof body.correlation_id === "string" ? body.correlation_id : correlationId,
    ...(retryAfter > 0 ? { retryAfter } : {}),
    ...(status === 410 ? { gone: typeof body.reason === "string" ? body.reason : "invalid" } : {}),
  });
}

/**
 * What the server says, looked at before it goes into anybody's meeting.
 * @param {any} said @param {string} prefix @returns {import("./types.js").Reservation}
 */
function reservation(said, prefix) {
  const texts = [said?.ticket, said?.html, said?.text, said?.location];
  if (!texts.every((text) => typeof text === "string") || !said.ticket.startsWith(`${prefix.toUpperCase()}-`)) throw unexpected("reservation");
  if (!["vmr", "personal", "offline"].includes(said.kind)) throw unexpected("kind");
  return {
    kind: said.kind,
    ticket: said.ticket,
    html: said.html,
    text: said.text,
    location: said.location,
    join_url: String(said.join_url ?? ""),
    alias: String(said.alias ?? ""),
    numeric_alias: String(said.numeric_alias ?? ""),
    expires_at: typeof said.expires_at === "string" ? said.expires_at : null,
    claimed: said.claimed === true,
    asked: said.asked === true,
    mailbox: typeof said.mailbox?.address === "string" ? { address: said.mailbox.address, name: String(said.mailbox.name ?? "") } : null,
  };
}

/** @param {string} detail */
const unreachable = (detail) => new Fault("error.unreachable", { unreachable: true, retry: true, detail });
/** @param {string} detail */
const unexpected = (detail) => new Fault("error.unexpectedAnswer", { retry: true, detail });
/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
