/**
 * @file The work itself: see what is there, get a room, invite its mailbox, write text and location; and all that back again.
 *
 * Failures of what a meeting cannot do without (a room, its text) end the work; trying again goes on with the same room. Everything
 * else that fails is told as a warning. The service is the guarantee: it repairs what it can when the invitation arrives.
 */

import { begunRequest, choose } from "./choosing.js";
import { Fault, OfficeFault } from "./fault.js";
import { guard, isCopy, look, missingOf, notedParts, ownParts } from "./looking.js";
import { kindOf } from "./meeting.js";
import { invite, uninvite } from "./recipients.js";
import { note, takeOutBlocks, writeBlock, writePlace } from "./writing.js";

/** @typedef {import("./types.js").AddRequest} AddRequest */
/** @typedef {import("./types.js").DoneState} DoneState */
/** @typedef {import("./types.js").MeetingStatus} MeetingStatus */
/** @typedef {import("./types.js").Outcome} Outcome */
/** @typedef {import("./types.js").StepName} StepName */
/** @typedef {import("./types.js").TextKey} TextKey */
/** @typedef {import("./choosing.js").Choice} Choice */
/** @typedef {import("./looking.js").Picture} Picture */

/** What was begun and not finished; `seen`: tickets that stood there then. @typedef {{wanted: string, choice: Choice, oldParts: string[], seen: string[], state: DoneState}} Begun */

/**
 * @param {object} options
 * @param {import("./types.js").OfficeHost} options.office
 * @param {import("./types.js").Config} options.config
 * @param {import("./types.js").Api} options.api
 * @param {import("./types.js").Store} options.store
 * @param {import("./types.js").Log} options.log
 * @param {() => number} [options.now]
 * @param {(ms: number) => Promise<void>} [options.wait]
 * @param {() => string} [options.uuid]
 * @returns {import("./types.js").Flow}
 */
export function createFlow({ office, config, api, store, log, now = Date.now, wait = pause, uuid = randomId }) {
  /** @type {Begun | null} */
  let begun = null;
  /** @type {string | null} */
  let requestId = null;
  /** Tickets that a removal has taken out and not given back yet. @type {Set<string>} */
  const takenOut = new Set();
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();

  /** @template T @param {() => Promise<T>} run @returns {Promise<T>} */
  function inTurn(run) {
    const result = last.then(run);
    last = result.catch(() => undefined);
    return result;
  }

  /**
   * @param {import("./types.js").OnStep | undefined} onStep
   * @param {(step: (name: StepName) => void) => Promise<Outcome>} run
   * @returns {Promise<Outcome>}
   */
  async function stepwise(onStep, run) {
    /** @type {StepName} */
    let current = "guard";
    const start = now();
    try {
      const outcome = await run((name) => {
        current = name;
        onStep?.(name);
      });
      log.add("flow", outcome.ok ? outcome.state : outcome.error.code, now() - start);
      return outcome;
    } catch (error) {
      const told = errorOf(error);
      log.add(`flow.${current}`, told.code, now() - start);
      return { ok: false, step: current, error: told };
    }
  }

  /** The same id until a room stands in the meeting, also for another page of the add-in. @param {Picture} picture */
  async function idOfRequest(picture) {
    requestId ??= begunRequest(picture, now());
    if (requestId === null) {
      requestId = uuid();
      await note(office, { ...notedBefore(picture), request: { id: requestId, at: now() } });
    }
    return requestId;
  }

  /** @param {AddRequest} request @param {(name: StepName) => void} step @returns {Promise<Outcome>} */
  async function add(request, step) {
    step("guard");
    guard(office);
    step("look");
    const picture = await look({ office, config, store });
    if (picture.isOccurrence && !picture.main && !request.occurrence) {
      step("guard");
      throw new Fault("error.occurrence");
    }
    const wanted = `${request.kind} ${request.roomId ?? ""}`;
    if (!begun || begun.wanted !== wanted) {
      const parts = { office, config, store, api, now, requestId: () => idOfRequest(picture) };
      const choice = await choose(parts, picture, request, step);
      const given = begun?.choice.reservation ?? null;
      if (given?.kind === "vmr" && given.ticket !== choice.reservation?.ticket) choice.releases ??= given.ticket;
      const oldParts = choice.replaces ? ownParts(picture) : notedParts(picture);
      begun = { wanted, choice, oldParts, seen: picture.blocks.map(({ ticket }) => ticket), state: stateOf(choice, picture) };
    }
    return carryOut(begun, picture, request, step);
  }

  /** @param {Begun} work @param {Picture} picture @param {AddRequest} request @param {(name: StepName) => void} step @returns {Promise<Outcome>} */
  async function carryOut({ choice, oldParts, seen, state }, picture, request, step) {
    const { reservation, replaces, releases } = choice;
    const warnings = [...choice.warnings];
    let isRepaired = false;
    step("invite");
    if ((reservation?.kind ?? picture.main?.kind) === "personal") {
      if (replaces && kindOf(replaces) !== "personal" && (await uninvite(office, config.mailbox.address)) === "failed") warnings.push("warning.removeMailboxYourself");
    } else {
      const invited = await invite(office, reservation?.mailbox ?? config.mailbox, wait);
      isRepaired = invited === "invited";
      if (invited === "failed") warnings.push("warning.addMailboxYourself");
      if (invited === "unavailable") warnings.push("warning.attendeesUnavailable");
    }
    if (reservation) {
      step("text");
      const text = await writeBlock(office, config, reservation, replaces, seen);
      if (text.isOvertaken) return giveWay(reservation, warnings, request);
      store.remember(reservation.ticket);
      step("location");
      const place = await writePlace(office, reservation.location, oldParts);
      warnings.push(...text.warnings, ...place.warnings);
      isRepaired ||= text.changed || place.changed;
      step("property");
      const isPlaced = !place.warnings.length;
      await note(office, { ticket: reservation.ticket, kind: reservation.kind, location: isPlaced ? reservation.location : "" });
    }
    begun = null;
    requestId = null;
    if (releases && !(await release(releases, request.interactive))) warnings.push("warning.notReleased");
    return { ok: true, state: state === "already" && isRepaired ? "repaired" : state, warnings: [...new Set(warnings)], reservation };
  }

  /**
   * The button and the pane were at work at once: the meeting has its room, and this one is not needed.
   * @param {import("./types.js").Reservation} reservation @param {TextKey[]} warnings @param {AddRequest} request @returns {Promise<Outcome>}
   */
  async function giveWay({ ticket, kind }, warnings, request) {
    begun = null;
    requestId = null;
    if (kind === "vmr" && !(await release(ticket, request.interactive))) warnings.push("warning.notReleased");
    return { ok: true, state: "already", warnings, reservation: null };
  }

  /** @param {import("./types.js").RemoveRequest} request @param {(name: StepName) => void} step @returns {Promise<Outcome>} */
  async function remove(request, step) {
    step("guard");
    guard(office);
    step("look");
    const picture = await look({ office, config, store });
    const isCopied = isCopy(picture, { office, config, store });
    const parts = ownParts(picture);
    step("text");
    if (!isCopied) picture.blocks.filter(({ isIssued }) => isIssued).forEach(({ ticket }) => takenOut.add(ticket));
    const { warnings } = await takeOutBlocks(office, config);
    step("location");
    const place = await writePlace(office, "", parts);
    step("invite");
    const uninvited = await uninvite(office, config.mailbox.address);
    step("property");
    await note(office, place.warnings.length && parts[0] ? { location: parts[0] } : null); // for the next try
    warnings.push(...place.warnings);
    if (uninvited === "failed") warnings.push("warning.removeMailboxYourself");
    step("release");
    const given = begun?.choice.reservation?.ticket ?? null;
    if (given) takenOut.add(given);
    for (const ticket of [...takenOut].filter((one) => kindOf(one) === "vmr")) {
      if (!(await release(ticket, request.interactive))) warnings.push("warning.notReleased");
    }
    takenOut.clear();
    begun = null;
    requestId = null;
    return { ok: true, state: "removed", warnings: [...new Set(warnings)], reservation: null };
  }

  /** @param {string} ticket @param {boolean | undefined} interactive */
  async function release(ticket, interactive) {
    try {
      await api.release(ticket, { interactive: interactive ?? true });
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return error.gone !== null; // what is gone need not be given back
    }
  }

  /** @returns {Promise<MeetingStatus>} */
  async function inspect() {
    /** @type {MeetingStatus} */
    const status = { state: "unsupported", ticket: null, kind: null, missing: [], isSeries: false, isDelegate: false, error: null };
    try {
      guard(office);
      const picture = await look({ office, config, store });
      const { main } = picture;
      status.missing = missingOf(picture);
      status.ticket = main?.ticket ?? null;
      status.kind = main?.kind ?? null;
      status.isSeries = await office.isSeries().catch(() => false);
      status.isDelegate = (await office.shared().catch(() => null)) !== null;
      status.state = stateOfPicture(picture, status.missing.length > 0, isCopy(picture, { office, config, store }));
    } catch (error) {
      status.error = errorOf(error);
      log.add("flow.inspect", status.error.code);
    }
    return status;
  }

  return {
    inspect: () => inTurn(inspect),
    add: (request) => inTurn(() => stepwise(request.onStep, (step) => add(request, step))),
    remove: (request = {}) => inTurn(() => stepwise(request.onStep, (step) => remove(request, step))),
    personalRooms: (options) => api.personalRooms(options),
    async topUp() {
      const lacking = config.ahead - store.count(now());
      if (config.ahead <= 0 || (lacking <= 0 && store.promise(now()))) return;
      try {
        await store.keep(await api.ahead(Math.max(lacking, 0), { interactive: false }), now());
      } catch (error) {
        log.add("flow.topUp", errorOf(error).code); // the next page tries again
      }
    },
  };
}

/** @param {Picture} picture @param {boolean} isMissing @param {boolean} isCopied @returns {import("./types.js").MeetingState} */
function stateOfPicture({ main, isOccurrence }, isMissing, isCopied) {
  if (!main && isOccurrence) return "occurrence";
  if (!main) return isMissing ? "incomplete" : "none";
  if (isCopied) return "copied";
  if (main.kind === "offline") return "placeholder";
  if (main.kind === "personal") return "personal";
  return isMissing ? "incomplete" : "present";
}

/** @param {Choice} choice @param {Picture} picture @returns {DoneState} */
function stateOf({ reservation, replaces }, { main }) {
  if (reservation?.kind === "personal") return "personal";
  if ((reservation?.kind ?? main?.kind) === "offline") return "placeholder";
  if (replaces) return "replaced";
  return main ? "already" : "added";
}

/** @param {Picture} picture */
function notedBefore({ property }) {
  return property?.ticket ? { ticket: property.ticket, kind: kindOf(property.ticket), location: property.location ?? "" } : {};
}

/** @param {unknown} error @returns {import("./types.js").AddinError} */
function errorOf(error) {
  if (error instanceof Fault) {
    const { code, retry, correlationId, retryAfter, detail } = error;
    return { code, retry, correlationId, retryAfter, detail };
  }
  if (error instanceof OfficeFault) return { code: "error.outlookFailed", retry: true, detail: error.message };
  return { code: "error.unexpectedAnswer", retry: true, detail: error instanceof Error ? error.name : "unknown" };
}

/** A random UUID (RFC 9562, version 4), also where `randomUUID` is missing. @returns {string} */
function randomId() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
