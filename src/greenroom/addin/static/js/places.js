/** @file The location of the meeting, written in the way that leaves its rooms alone: the newer list of places where it works, else one text. */

import { OfficeFault } from "./fault.js";
import { LONGEST_LOCATION, hasPart, withPart, withoutPart } from "./location.js";

/** @typedef {import("./types.js").OfficeHost} OfficeHost */
/** @typedef {import("./types.js").Place} Place */
/** @typedef {"present" | "written" | "too-long" | "failed" | "unavailable"} LocationOutcome */

const NOT_SUPPORTED = 5000;

/** Rooms and texts together, as one text; null where Outlook does not tell. @param {OfficeHost} office @returns {Promise<string | null>} */
export async function readLocation(office) {
  const places = await readPlaces(office);
  if (places) return places.map(nameOf).join("; ");
  return office.hasLocation() ? office.getLocation() : null;
}

/**
 * Take our old parts out and put the new one in.
 * @param {OfficeHost} office @param {string} text "" puts nothing in @param {string[]} old
 * @returns {Promise<LocationOutcome>}
 */
export async function writeLocation(office, text, old) {
  const olds = old.filter((one) => one && one !== text);
  try {
    const places = await readPlaces(office);
    const outcome = (places && (await writePlaces(office, places, text, olds))) ?? (await writeText(office, text, olds));
    return outcome === "written" && !(await isWritten(office, text, olds)) ? "failed" : outcome;
  } catch (error) {
    if (error instanceof OfficeFault) return "failed";
    throw error;
  }
}

/** Some Outlooks say that it worked and did nothing. @param {OfficeHost} office @param {string} text @param {string[]} olds */
async function isWritten(office, text, olds) {
  const now = await readLocation(office);
  return now === null || ((text === "" || hasPart(now, text)) && olds.every((one) => withoutPart(now, one) === now));
}

/** @param {OfficeHost} office @returns {Promise<Place[] | null>} null: this Outlook has no such list */
async function readPlaces(office) {
  if (!office.supports("1.8")) return null;
  try {
    return await office.getPlaces();
  } catch (error) {
    if (isUnsupported(error)) return null; // an Exchange Server behind a newer Outlook
    throw error;
  }
}

/**
 * @param {OfficeHost} office @param {Place[]} places @param {string} text @param {string[]} olds
 * @returns {Promise<LocationOutcome | null>} null: it turned out not to work here, and nothing was changed
 */
async function writePlaces(office, places, text, olds) {
  const changed = places
    .filter(({ type }) => type === "custom")
    .map((place) => ({ id: place.id || place.displayName, name: nameOf(place), rest: olds.reduce(withoutPart, nameOf(place)) }))
    .filter(({ name, rest }) => rest !== name);
  const gone = new Map(changed.map(({ id, rest }) => [id, rest]));
  const staying = places.map((place) => gone.get(place.id || place.displayName) ?? nameOf(place)).filter(Boolean);
  const isThere = text === "" || staying.some((name) => hasPart(name, text));
  const fits = isThere || [...staying, text].join("; ").length <= LONGEST_LOCATION;
  const added = [...changed.map(({ rest }) => rest), fits && !isThere ? text : ""].filter(Boolean);
  try {
    for (const { id } of changed) await office.removePlace(id);
    for (const one of added) await office.addPlace(one);
  } catch (error) {
    if (isUnsupported(error) && places.length === 0) return null;
    throw error;
  }
  if (!fits) return "too-long";
  return changed.length + added.length > 0 ? "written" : "present";
}

/** @param {OfficeHost} office @param {string} text @param {string[]} olds @returns {Promise<LocationOutcome>} */
async function writeText(office, text, olds) {
  if (!office.hasLocation()) return "unavailable";
  const before = await office.getLocation();
  const { location, fits } = withPart(olds.reduce(withoutPart, before), text);
  if (location !== before) await office.setLocation(location);
  if (!fits) return "too-long";
  return location === before ? "present" : "written";
}

/** @param {Place} place */
function nameOf({ displayName, id }) {
  return displayName || id;
}

/** @param {unknown} error */
function isUnsupported(error) {
  return error instanceof OfficeFault && error.code === NOT_SUPPORTED;
}
