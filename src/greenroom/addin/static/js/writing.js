/** @file Writing into the meeting: the body once, compared before and looked at afterwards; location; and what we note for ourselves. */

import { Fault, OfficeFault } from "./fault.js";
import { findBlocks, insertBlock, removeBlocks, replaceBlock, saysTheSame } from "./meeting.js";
import { writeLocation } from "./places.js";

/** @typedef {import("./types.js").OfficeHost} OfficeHost */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Reservation} Reservation */
/** @typedef {import("./types.js").TextKey} TextKey */
/** @typedef {{changed: boolean, warnings: TextKey[]}} Written */

const LONGEST_BODY = 1_000_000;
/** @type {Record<import("./places.js").LocationOutcome, TextKey[]>} */
const OF_LOCATION = {
  present: [],
  written: [],
  "too-long": ["warning.locationTooLong"],
  failed: ["warning.locationFailed"],
  unavailable: ["warning.locationUnavailable"],
};

/**
 * The body is read anew: the person may have gone on writing while a room was asked for.
 * @param {OfficeHost} office @param {Config} config @param {Reservation} reservation @param {string | null} replaces
 * @param {string[]} seen tickets that stood there when the room was asked for
 * @returns {Promise<Written & {isOvertaken?: boolean}>} overtaken: another page has put a room in meanwhile, and nothing was written
 */
export async function writeBlock(office, { prefix, place }, reservation, replaces, seen) {
  const type = await office.bodyType();
  const body = await office.getBody(type);
  const block = type === "text" ? reservation.text : reservation.html;
  const blocks = findBlocks(body, prefix, type);
  const own = blocks.find(({ ticket }) => ticket === reservation.ticket);
  const isThere = own !== undefined && (!own.span || saysTheSame(body.slice(own.span.start, own.span.end), block, type));
  if (isThere) return { changed: false, warnings: [] };
  const isAnothers = blocks.some(({ ticket, kind, isIssued }) => isIssued && kind === "vmr" && !seen.includes(ticket));
  if (!own && isAnothers && reservation.kind !== "personal") return { changed: false, warnings: [], isOvertaken: true };
  const old = own ? reservation.ticket : replaces;
  const edited = old ? replaceBlock(body, prefix, old, block, place, type) : { body: insertBlock(body, block, place, type), left: 0 };
  await writeBody(office, edited.body, type);
  await confirm(office, type, body, (now) => findBlocks(now, prefix, type).some(({ ticket }) => ticket === reservation.ticket));
  return { changed: true, warnings: edited.left > 0 ? ["warning.textLeft"] : [] };
}

/**
 * @param {OfficeHost} office @param {Config} config
 * @returns {Promise<Written>}
 */
export async function takeOutBlocks(office, { prefix }) {
  const type = await office.bodyType();
  const body = await office.getBody(type);
  const blocks = findBlocks(body, prefix, type).filter(({ isIssued, mark }) => isIssued || mark);
  const tickets = [...new Set(blocks.map(({ ticket }) => ticket))];
  const edited = removeBlocks(body, prefix, tickets, type);
  const changed = edited.body !== body;
  if (changed) {
    await writeBody(office, edited.body, type);
    await confirm(office, type, body, (now) => !findBlocks(now, prefix, type).some(({ ticket, span }) => span && tickets.includes(ticket)));
  }
  return { changed, warnings: edited.left > 0 ? ["warning.textLeft"] : [] };
}

/** @param {OfficeHost} office @param {string} text @param {string[]} old @returns {Promise<Written>} */
export async function writePlace(office, text, old) {
  const outcome = await writeLocation(office, text, old);
  const matters = text !== "" || outcome === "failed";
  return { changed: outcome === "written", warnings: matters ? OF_LOCATION[outcome] : [] };
}

/** Our note on the meeting is a help and no more. @param {OfficeHost} office @param {Record<string, unknown> | null} value */
export async function note(office, value) {
  try {
    await office.setProperty(value);
  } catch (error) {
    if (!(error instanceof OfficeFault)) throw error;
  }
}

/** @param {OfficeHost} office @param {string} body @param {import("./types.js").BodyType} type */
async function writeBody(office, body, type) {
  if (body.length > LONGEST_BODY) throw new Fault("error.bodyTooLong");
  await office.setBody(body, type);
}

/**
 * Some Outlooks cut off long bodies and say that it worked: then the person gets back what was there.
 * @param {OfficeHost} office @param {import("./types.js").BodyType} type @param {string} before @param {(body: string) => boolean} isGood
 */
async function confirm(office, type, before, isGood) {
  let now;
  try {
    now = await office.getBody(type);
  } catch (error) {
    if (error instanceof OfficeFault) return; // it was written, and cannot be looked at
    throw error;
  }
  if (isGood(now)) return;
  if (now !== before) await office.setBody(before, type);
  throw new OfficeFault("body.setAsync", "not-there");
}
