/** @file What can be said about a meeting from its texts alone; the pure half of the flow. */

export { findBlocks, insertBlock, mainBlock, removeBlocks, replaceBlock, visibleText } from "./blocks.js";
export { LONGEST_LOCATION, hasPart, partsSaidIn, withPart, withoutPart } from "./location.js";
export { kindOf, locateTickets, markOf } from "./tickets.js";

import { visibleText } from "./blocks.js";
import { kindOf } from "./tickets.js";

/** @typedef {import("./types.js").BodyType} BodyType */

/**
 * Whether a block says what it should, however Outlook has marked it up meanwhile.
 * @param {string} present @param {string} wanted @param {BodyType} type
 */
export function saysTheSame(present, wanted, type) {
  return visibleText(present, type) === visibleText(wanted, type);
}

/**
 * Whether the text came along from another meeting, with its ticket.
 *
 * A meeting that Outlook knows already is never taken for a copy: its custom property may have vanished, and a room that its
 * guests have been told of must not change. One that is new and whose ticket an invitation has brought is one for certain. Where
 * Outlook does not tell whether it is new, nothing follows from a missing note beside a ticket that the service made itself.
 * @param {{ticket: string, propertyTicket: string | null, propertyKnown: boolean, isNew: boolean | null, isOwn: boolean, claimed: boolean | null, asked: boolean}} facts
 *   `claimed` null: not asked; `isOwn`: this browser put that ticket in lately; `asked`: a page asked for that ticket
 */
export function isCopied({ ticket, propertyTicket, propertyKnown, isNew, isOwn, claimed, asked }) {
  if (isNew === false) return false;
  if (isNew && claimed) return true;
  if (!propertyKnown || propertyTicket === ticket || isOwn) return false;
  if (isNew) return true;
  const wasPromised = propertyTicket !== null && kindOf(propertyTicket) === "offline"; // the service has kept the promise
  return claimed === true && asked && !wasPromised;
}
