// A desk for the flow: a small Outlook, a small server, and tickets that look like real ones.

import { createFlow } from "../../../src/greenroom/addin/static/js/flow.js";
import { Fault } from "../../../src/greenroom/addin/static/js/fault.js";
import { createLog } from "../../../src/greenroom/addin/static/js/log.js";
import { createOffice } from "../../../src/greenroom/addin/static/js/office.js";
import { createStore } from "../../../src/greenroom/addin/static/js/store.js";
import { markOf } from "../../../src/greenroom/addin/static/js/meeting.js";
import { fakeOutlook } from "./fake_office.mjs";

export const MAILBOX = { address: "video@example.org", name: "Video room" };
export const NOW = Date.UTC(2026, 10, 21, 12);
const RULE = "_".repeat(64);
const OPTIONS = { vmr: "00", offline: "04", personal: "08" }; // eight bits from the 81st on: signs 17 and 18, by fours

/** A ticket with the build of a real one. */
export function ticket(number, kind = "vmr") {
  const payload = `20006${"0".repeat(8)}${String(number).padStart(3, "0")}${OPTIONS[kind]}${"7".repeat(17)}${String(10000 + number)}`;
  return ["GRM", ...payload.match(/.{5}/g)].join("-");
}

export function reservation(number, kind = "vmr", more = {}) {
  const one = ticket(number, kind);
  const join = `https://meet.example.org/j/${number}`;
  const said = kind === "offline" ? "A video room follows." : `Join: <a href="${join}">${join}</a>`;
  return {
    kind,
    ticket: one,
    html:
      '<table role="presentation" border="0"><tbody><tr><td>\r\n' +
      `<p style="font-size:9px;">${markOf(one)}</p>\r\n<p><b>Video meeting</b></p><p>${said}</p><p>Meeting reference: ${one}</p>\r\n</td></tr></tbody></table>`,
    text: `${RULE}\n${markOf(one)}\nVideo meeting\n${said.replace(/<[^<>]*>/g, "")}\n\nMeeting reference: ${one}\n${RULE}`,
    location: kind === "offline" ? "" : join,
    join_url: kind === "offline" ? "" : join,
    alias: `room${number}@example.org`,
    numeric_alias: String(number),
    expires_at: "2026-12-05T12:00:00Z",
    claimed: false,
    asked: true,
    mailbox: kind === "personal" ? null : MAILBOX,
    ...more,
  };
}

export const CONFIG = {
  integration: 3,
  name: "Greenroom",
  version: "1",
  mailbox: MAILBOX,
  prefix: "GRM",
  place: "end",
  ahead: 2,
  personal_rooms: true,
  api: "/addin/api/v1",
  sign_in: [],
  msal: null,
  help: null,
  languages: ["en"],
  texts: {},
};

/** A server that keeps its books: what was reserved for which request, and what was given back. */
export function fakeServer() {
  const server = {
    down: false,
    signIn: null, // a fault with which signing in fails
    refusal: null, // a fault with which everything fails
    byRequest: new Map(),
    known: new Map(),
    released: [],
    asked: [],
    gone: {},
    claimed: new Set(),
    releaseFails: false,
    rooms: [{ id: "own", name: "Ann's room", description: "" }],
  };
  const answering = (name, details) => {
    server.asked.push([name, details]);
    if (server.down) throw new Fault("error.unreachable", { unreachable: true, retry: true });
    if (server.refusal) throw server.refusal;
  };
  const api = {
    async authorise() {
      if (server.signIn) throw server.signIn;
    },
    async reserve(request) {
      answering("reserve", request);
      if (!server.byRequest.has(request.requestId)) {
        const made = reservation(server.byRequest.size + 100);
        server.byRequest.set(request.requestId, made);
        server.known.set(made.ticket, made);
      }
      return { ...server.byRequest.get(request.requestId) };
    },
    async refresh(one) {
      answering("refresh", one);
      if (server.gone[one]) throw new Fault("error.ticketGone", { gone: server.gone[one], status: 410 });
      const known = server.known.get(one);
      if (!known) throw new Fault("error.ticketGone", { gone: "invalid", status: 410 });
      return { ...known, claimed: server.claimed.has(one) };
    },
    async release(one) {
      answering("release", one);
      if (server.releaseFails) throw new Fault("error.unreachable", { unreachable: true });
      server.released.push(one);
    },
    async ahead(count) {
      answering("ahead", count);
      return { reservations: Array.from({ length: count }, (_, i) => reservation(500 + i)), offline: reservation(900, "offline") };
    },
    async personalRooms() {
      answering("rooms");
      return server.rooms;
    },
    async personalInstructions(id) {
      answering("personal", id);
      return reservation(700, "personal");
    },
    isReachable: async () => !server.down,
  };
  return { server, api };
}

/** Everything together. `options` go to the small Outlook. */
export function desk(options = {}, { config = {} } = {}) {
  const { Office, state, runtime, alarm } = fakeOutlook(options);
  const { server, api } = fakeServer();
  const log = createLog(() => new Date(NOW));
  const settings = { ...CONFIG, ...config };
  const storage = memoryStorage();
  const office = createOffice(Office, { log, runtime, alarm });
  const newFlow = () => {
    const store = createStore({ office, integration: 3, storage, clock: () => NOW });
    let count = 0;
    const uuid = () => `request-${(state.uuids = (state.uuids ?? 0) + 1)}-${(count += 1)}`;
    return { store, flow: createFlow({ office, config: settings, api, store, log, now: () => NOW, wait: async () => undefined, uuid }) };
  };
  return { state, server, api, log, office, storage, newFlow, ...newFlow() };
}

export function memoryStorage() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, String(text)), kept };
}
