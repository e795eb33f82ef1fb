/** @file Which room a meeting gets: the one it has, a new one, one of the person's own, one that was kept, or a promise. */

import { Fault } from "./fault.js";
import { isCopy } from "./looking.js";

/** @typedef {import("./looking.js").Picture} Picture */
/** @typedef {import("./types.js").Reservation} Reservation */
/** @typedef {import("./types.js").TextKey} TextKey */

/**
 * What is to stand in the meeting. `reservation` null: what stands there already, which could not or need not be read anew.
 * @typedef {object} Choice
 * @property {Reservation | null} reservation
 * @property {string | null} replaces ticket of a block that goes
 * @property {string | null} releases ticket of a room that this meeting had and has no more
 * @property {TextKey[]} warnings
 */

/** @typedef {import("./looking.js").Parts & {api: import("./types.js").Api, now: () => number, requestId: () => Promise<string>}} Parts */

const REQUESTS_KEPT = 3600_000;

/** The id of a request that was begun and is to be gone on with, if it is not too old. @param {Picture} picture @param {number} now */
export function begunRequest({ property }, now) {
  const request = property?.request;
  return request && now - request.at < REQUESTS_KEPT && request.at <= now ? request.id : null;
}

/**
 * @param {Parts} parts @param {Picture} picture @param {import("./types.js").AddRequest} request
 * @param {(step: "token" | "reserve") => void} step
 * @returns {Promise<Choice>}
 */
export async function choose(parts, picture, request, step) {
  const options = { interactive: request.interactive ?? true };
  const { main } = picture;
  const old = main?.ticket ?? null;
  step("token");
  if (request.kind === "personal") {
    await parts.api.authorise(options);
    step("reserve");
    const reservation = await ofOwn(parts, request.roomId, options);
    return { reservation, replaces: old, releases: main?.kind === "vmr" && !isCopy(picture, parts) ? old : null, warnings: [] };
  }
  if (main?.kind === "vmr" && main.isIssued && !isCopy(picture, parts)) {
    const present = await refreshed(parts, picture, main.ticket, options, step);
    if (present) return present;
  }
  return { ...(await fresh(parts, picture, options, step)), replaces: old, releases: null };
}

/**
 * @param {Parts} parts @param {Picture} picture @param {string} ticket @param {{interactive: boolean}} options
 * @param {(step: "token" | "reserve") => void} step
 * @returns {Promise<Choice | null>} null: the meeting needs another room
 */
async function refreshed(parts, picture, ticket, options, step) {
  /** @type {Choice} */
  const asItIs = { reservation: null, replaces: null, releases: null, warnings: [] };
  try {
    await parts.api.authorise(options);
    step("reserve");
    const reservation = await parts.api.refresh(ticket, options);
    return isCopy(picture, parts, reservation) ? null : { ...asItIs, reservation };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Somebody else's room in a meeting that exists: a delegate is at work, and guests know that room.
    if (error.gone === "taken" && picture.isNew === false) return asItIs;
    if (error.gone) return null;
    if (await isDown(parts, error)) return { ...asItIs, warnings: ["warning.notRefreshed"] };
    throw error;
  }
}

/**
 * @param {Parts} parts @param {Picture} picture @param {{interactive: boolean}} options @param {(step: "token" | "reserve") => void} step
 * @returns {Promise<{reservation: Reservation | null, warnings: TextKey[]}>}
 */
async function fresh(parts, picture, options, step) {
  try {
    await parts.api.authorise(options);
    step("reserve");
    const requestId = await parts.requestId();
    const { office } = parts;
    const [delegate, series] = [(await quiet(office.shared())) !== null, (await quiet(office.isSeries())) === true];
    const client = { kind: office.platform(), version: office.version(), set: office.highestSet() };
    return { reservation: await parts.api.reserve({ requestId, delegate, series, client }, options), warnings: [] };
  } catch (error) {
    if (!(error instanceof Fault) || !(await isDown(parts, error))) throw error;
    step("reserve");
    return kept(parts, picture);
  }
}

/**
 * What helps while nobody answers.
 * @param {Parts} parts @param {Picture} picture
 * @returns {Promise<{reservation: Reservation | null, warnings: TextKey[]}>}
 */
async function kept({ store, now }, { main }) {
  const reservation = await store.take(now());
  if (reservation) return { reservation, warnings: ["warning.offlineReserved"] };
  if (main?.kind === "offline") return { reservation: null, warnings: ["warning.offlinePlaceholder"] };
  const promise = store.promise(now());
  if (promise) return { reservation: promise, warnings: ["warning.offlinePlaceholder"] };
  throw new Fault("error.unreachable", { retry: true, unreachable: true, detail: "nothing-kept" });
}

/** @param {Parts} parts @param {string | undefined} roomId @param {{interactive: boolean}} options */
async function ofOwn({ api }, roomId, options) {
  const rooms = roomId === undefined ? await api.personalRooms(options) : [];
  const only = rooms.length === 1 ? rooms[0]?.id : undefined;
  const id = roomId ?? only;
  if (id === undefined) throw new Fault("error.noSuchRoom");
  return api.personalInstructions(id, options);
}

/**
 * Whether the service does not answer: a sign-in may fail for the same reason, in whatever words, unless it waits for the person.
 * @param {Parts} parts @param {Fault} error
 */
async function isDown({ api }, error) {
  if (error.unreachable) return true;
  const isSignIn = error.code === "error.signInFailed" || error.code === "error.noSignIn" || error.code === "error.signInNeeded";
  return isSignIn && !(await api.isReachable());
}

/** A hint is no reason to fail. @template T @param {Promise<T>} promise @returns {Promise<T | null>} */
function quiet(promise) {
  return promise.catch(() => null);
}
