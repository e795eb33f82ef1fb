/** @file What stands in the opened meeting, read without changing anything and without the network. */

import { Fault, OfficeFault } from "./fault.js";
import { findBlocks, hasPart, isCopied, mainBlock, partsSaidIn } from "./meeting.js";
import { readLocation } from "./places.js";
import { isInvited, readAttendees } from "./recipients.js";

/** @typedef {import("./blocks.js").Block} Block */
/** @typedef {import("./types.js").OfficeHost} OfficeHost */
/** @typedef {import("./types.js").Part} Part */

/**
 * What we wrote down on the meeting itself. It may vanish.
 * @typedef {object} Property
 * @property {string | null} ticket
 * @property {string | null} location
 * @property {{id: string, at: number} | null} request one that was begun and not finished
 */

/**
 * @typedef {object} Picture
 * @property {import("./types.js").BodyType} type
 * @property {string} body
 * @property {Block[]} blocks
 * @property {Block | null} main
 * @property {Property | null} property null: could not be read
 * @property {boolean | null} isNew
 * @property {boolean} isOccurrence
 * @property {string | null} location
 * @property {boolean | null} isInvited
 */

/** @typedef {{office: OfficeHost, config: import("./types.js").Config, store: import("./types.js").Store}} Parts */

/** Throws a `Fault` unless a meeting is being written. @param {OfficeHost} office */
export function guard(office) {
  const kind = office.itemKind();
  if (kind === "appointment-read") throw new Fault("error.readOnly");
  if (kind !== "appointment-compose") throw new Fault("error.notAppointment");
}

/** Rejects only where the body cannot be read: all else may be missing. @param {Parts} parts @returns {Promise<Picture>} */
export async function look({ office, config }) {
  const type = await office.bodyType();
  const body = await office.getBody(type);
  const blocks = findBlocks(body, config.prefix, type);
  const attendees = office.hasAttendees() ? await orNull(() => readAttendees(office)) : null;
  return {
    type,
    body,
    blocks,
    main: mainBlock(blocks),
    property: await orNull(async () => propertyOf(await office.getProperty())),
    isNew: await office.isNewItem(),
    isOccurrence: office.isOccurrence(),
    location: await orNull(() => readLocation(office)),
    isInvited: attendees && isInvited(attendees, config.mailbox.address),
  };
}

/**
 * @param {Picture} picture @param {Parts} parts @param {{claimed: boolean, asked: boolean} | null} [said] by the server, of the ticket that stands there
 * @returns {boolean}
 */
export function isCopy({ main, property, isNew }, { store }, said = null) {
  if (!main || main.kind !== "vmr") return false;
  return isCopied({
    ticket: main.ticket,
    propertyTicket: property?.ticket ?? null,
    propertyKnown: property !== null,
    isNew,
    isOwn: store.isOwn(main.ticket),
    claimed: said && said.claimed,
    asked: said?.asked ?? true,
  });
}

/** What of our doing is not there. What cannot be seen is not called missing. @param {Picture} picture @returns {Part[]} */
export function missingOf({ main, isInvited, property, location }) {
  /** @type {Part[]} */
  const missing = [];
  if (!main) return isInvited ? ["text"] : [];
  if (!main.isIssued) missing.push("text");
  if (main.kind !== "personal" && isInvited === false) missing.push("mailbox");
  const ours = property?.ticket === main.ticket ? property.location : null;
  if (ours && location !== null && !hasPart(location, ours)) missing.push("location");
  return missing;
}

/** What we put into the location of this very room: what it says may have changed since. @param {Picture} picture @returns {string[]} */
export function notedParts({ main, property }) {
  return main && property?.location && property.ticket === main.ticket ? [property.location] : [];
}

/** The parts of the location that are ours, as far as the meeting itself tells. @param {Picture} picture @returns {string[]} */
export function ownParts({ main, body, property, location }) {
  const noted = property?.location ? [property.location] : [];
  if (!main || location === null) return noted;
  const span = main.span ?? { start: main.mark?.start ?? main.place.start, end: main.place.end };
  return [...new Set([...noted, ...partsSaidIn(location, body.slice(span.start, span.end))])];
}

/** @param {Record<string, unknown> | null} value @returns {Property} */
function propertyOf(value) {
  const request = /** @type {any} */ (value?.request);
  return {
    ticket: typeof value?.ticket === "string" ? value.ticket : null,
    location: typeof value?.location === "string" ? value.location : null,
    request: typeof request?.id === "string" && typeof request.at === "number" ? { id: request.id, at: request.at } : null,
  };
}

/** @template T @param {() => Promise<T>} read @returns {Promise<T | null>} */
async function orNull(read) {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OfficeFault) return null;
    throw error;
  }
}
