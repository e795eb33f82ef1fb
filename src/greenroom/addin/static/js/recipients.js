/**
 * @file Inviting the mailbox, and making sure: some Outlooks say that it worked and did nothing. There is no way to add a resource, so
 * it is a required attendee; one whom the person has invited as optional is as good.
 */

import { OfficeFault } from "./fault.js";

/** @typedef {import("./types.js").Attendee} Attendee */
/** @typedef {import("./types.js").AttendeeField} AttendeeField */
/** @typedef {import("./types.js").OfficeHost} OfficeHost */
/** @typedef {(ms: number) => Promise<void>} Wait */
/** @typedef {Record<AttendeeField, Attendee[]>} Attendees */

const LOOKS = 4;
const PAUSE = 250;
const MOST_UNSEEN = 2;
const MOST_AT_ONCE = 100;
/** @type {AttendeeField[]} */
const FIELDS = ["required", "optional"];

/** @param {OfficeHost} office @returns {Promise<Attendees>} */
export async function readAttendees(office) {
  const required = await office.getAttendees("required");
  return { required, optional: await office.getAttendees("optional").catch(noneIfMissing) };
}

/** @param {unknown} error @returns {Attendee[]} */
function noneIfMissing(error) {
  if (error instanceof OfficeFault && error.reason === "missing") return [];
  throw error;
}

/** @param {Attendee[]} people @param {string} address */
export function includes(people, address) {
  return people.some((one) => same(one, address));
}

/** @param {Attendees} attendees @param {string} address */
export function isInvited({ required, optional }, address) {
  return includes(required, address) || includes(optional, address);
}

/**
 * @param {OfficeHost} office @param {import("./types.js").Mailbox} mailbox @param {Wait} wait
 * @returns {Promise<"present" | "invited" | "failed" | "unavailable">}
 */
export async function invite(office, mailbox, wait) {
  if (!office.hasAttendees()) return "unavailable";
  const before = (await quietly(() => readAttendees(office))) ?? (await quietly(() => readAttendees(office)));
  if (before && isInvited(before, mailbox.address)) return "present";
  const asPerson = { displayName: mailbox.name || mailbox.address, emailAddress: mailbox.address };
  const ways = [
    () => office.addAttendees("required", [asPerson]),
    () => office.addAttendees("required", [mailbox.address]),
    () => rewrite(office, before, asPerson),
  ];
  for (const way of ways) {
    await quietly(way);
    const arrived = await hasArrived(office, mailbox.address, wait);
    if (arrived) return "invited";
    if (arrived === null) break; // adding once more without seeing would invite it twice
  }
  return "failed";
}

/**
 * @param {OfficeHost} office @param {string} address
 * @returns {Promise<"absent" | "removed" | "failed">}
 */
export async function uninvite(office, address) {
  if (!office.hasAttendees()) return "absent";
  const before = await quietly(() => readAttendees(office));
  if (!before) return "failed";
  const fields = FIELDS.filter((field) => includes(before[field], address));
  for (const field of fields) {
    const others = await withoutOrganizer(office, before[field].filter((one) => !same(one, address)));
    if (others) await quietly(() => writeAnew(office, field, others));
  }
  if (fields.length === 0) return "absent";
  const after = await quietly(() => readAttendees(office));
  return after && !isInvited(after, address) ? "removed" : "failed";
}

/**
 * The last resort: all attendees anew, with ours. Only where two looks saw the same, and every one can be written back.
 * @param {OfficeHost} office @param {Attendees | null} before @param {Attendee} mailbox
 */
async function rewrite(office, before, mailbox) {
  const now = await office.getAttendees("required");
  if (!before || addresses(before.required) !== addresses(now)) return;
  const others = await withoutOrganizer(office, now);
  if (!others) return;
  await writeAnew(office, "required", [...others, mailbox], others);
}

/**
 * Nobody may get lost on the way.
 * @param {OfficeHost} office @param {AttendeeField} field @param {Attendee[]} people @param {Attendee[]} [others] those who were there
 */
async function writeAnew(office, field, people, others = people) {
  await quietly(() => office.setAttendees(field, people));
  const after = (await quietly(() => office.getAttendees(field))) ?? others;
  const lost = others.filter(({ emailAddress }) => !includes(after, emailAddress));
  if (lost.length > 0) await office.addAttendees(field, lost);
}

/**
 * Attendees as they may be written back: classic Outlook reads out the organizer among them, who must not become one.
 * @param {OfficeHost} office @param {Attendee[]} people
 * @returns {Promise<Attendee[] | null>} null: it is not safe to write them
 */
async function withoutOrganizer(office, people) {
  // Outlook drops an address with an apostrophe, and says that it worked.
  const isSafe = (/** @type {Attendee} */ { emailAddress }) => emailAddress.includes("@") && !emailAddress.includes("'");
  if (people.length >= MOST_AT_ONCE || !people.every(isSafe)) return null;
  const shared = await quietly(() => office.shared());
  const organizer = (await quietly(() => office.organizerAddress())) || shared?.owner || office.userAddress();
  if (!organizer) return null;
  return people.filter((one) => !same(one, organizer));
}

/**
 * @param {OfficeHost} office @param {string} address @param {Wait} wait
 * @returns {Promise<boolean | null>} null: it cannot be seen
 */
async function hasArrived(office, address, wait) {
  let unseen = 0;
  for (let look = 0; look < LOOKS; look += 1) {
    if (look > 0) await wait(PAUSE);
    const attendees = await quietly(() => readAttendees(office));
    if (attendees && isInvited(attendees, address)) return true;
    unseen = attendees ? 0 : unseen + 1;
    if (unseen === MOST_UNSEEN) break; // each look that is not answered takes its whole time
  }
  return unseen > 0 ? null : false;
}

/** @param {Attendee} one @param {string} address */
function same({ emailAddress }, address) {
  return emailAddress.trim().toLowerCase() === address.trim().toLowerCase();
}

/** @param {Attendee[]} people */
function addresses(people) {
  return JSON.stringify(people.map(({ emailAddress }) => emailAddress.toLowerCase()).sort());
}

/** What Outlook refuses is in the log already. @template T @param {() => Promise<T>} run @returns {Promise<T | null>} */
async function quietly(run) {
  try {
    return await run();
  } catch (error) {
    if (error instanceof OfficeFault) return null;
    throw error;
  }
}
