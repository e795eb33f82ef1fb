/** @file What is asked of the opened meeting: body, location, attendees, custom property, and what kind of meeting it is. */

import { OfficeFault } from "./fault.js";

/** @typedef {import("./types.js").OfficeHost} OfficeHost */
/** @typedef {import("./types.js").AttendeeField} AttendeeField */

const PROPERTY = "greenroom";
const NOT_SUPPORTED = 5000;
const TELLS_NOTHING = new Set([NOT_SUPPORTED, 5001, 9020, 9040, 9041, 9042, 9055]); // internal, network, server, not in shared folders

/** @param {any} Office @param {import("./office_calls.js").Call} call @param {(set: string) => boolean} supports */
export function createItem(Office, call, supports) {
  /** @returns {any} */
  const item = () => Office.context?.mailbox?.item ?? null;

  /**
   * An object of the item that some Outlooks leave out, such as the attendees of a meeting made from a message.
   * @param {string} name @param {string} method
   */
  const part = (name, method) => {
    const object = item()?.[name];
    return object && typeof object[method] === "function" ? object : null;
  };

  /** @param {string} name @param {string} method @param {unknown[]} given @returns {Promise<any>} */
  const ask = (name, method, ...given) => {
    const object = part(name, method);
    if (!object) return Promise.reject(new OfficeFault(`${name}.${method}`, "missing"));
    return call(`${name}.${method}`, (done) => object[method](...given, done));
  };

  // An answer of nothing is no answer: what is written back after it would be lost.
  /** @param {string} name @param {unknown[]} given @returns {Promise<string>} */
  const askText = async (name, ...given) => {
    const text = await ask(name, "getAsync", ...given);
    if (typeof text !== "string") throw new OfficeFault(`${name}.getAsync`, "empty");
    return text;
  };
  /** @param {string} name @returns {Promise<any[]>} */
  const askList = async (name) => {
    const list = await ask(name, "getAsync");
    if (!Array.isArray(list)) throw new OfficeFault(`${name}.getAsync`, "empty");
    return list;
  };

  /** @param {AttendeeField} field */
  const fieldName = (field) => (field === "required" ? "requiredAttendees" : "optionalAttendees");

  /** @returns {Promise<any>} */
  const properties = () => call("loadCustomPropertiesAsync", (done) => item().loadCustomPropertiesAsync(done));

  return {
    /** @returns {import("./types.js").ItemKind} */
    itemKind() {
      const type = item()?.itemType;
      if (type !== "appointment" && type !== "message") return "none";
      const writes = typeof item().subject !== "string" && part("body", "getAsync") !== null;
      if (type === "message") return writes ? "message-compose" : "message-read";
      return writes ? "appointment-compose" : "appointment-read";
    },

    bodyType: async () => ((await ask("body", "getTypeAsync")) === "text" ? /** @type {const} */ ("text") : /** @type {const} */ ("html")),

    /** @param {string} type */
    getBody: (type) => askText("body", type),

    /** @param {string} content @param {string} type */
    setBody: (content, type) => ask("body", "setAsync", content, { coercionType: type }),

    hasLocation: () => part("location", "setAsync") !== null,
    getLocation: () => askText("location"),
    /** @param {string} text */
    setLocation: (text) => ask("location", "setAsync", text),

    async getPlaces() {
      return (await askList("enhancedLocation")).map((place) => ({
        id: String(place?.locationIdentifier?.id ?? ""),
        type: place?.locationIdentifier?.type === "room" ? /** @type {const} */ ("room") : /** @type {const} */ ("custom"),
        displayName: String(place?.displayName ?? ""),
        emailAddress: String(place?.emailAddress ?? ""),
      }));
    },
    /** @param {string} text */
    addPlace: (text) => ask("enhancedLocation", "addAsync", [{ id: text, type: "custom" }]),
    /** @param {string} text */
    removePlace: (text) => ask("enhancedLocation", "removeAsync", [{ id: text, type: "custom" }]),

    hasAttendees: () => part("requiredAttendees", "getAsync") !== null,
    /** @param {AttendeeField} field */
    async getAttendees(field) {
      return (await askList(fieldName(field))).map((one) => ({
        displayName: String(one?.displayName ?? ""),
        emailAddress: String(one?.emailAddress ?? ""),
      }));
    },
    /** @param {AttendeeField} field @param {unknown[]} who */
    addAttendees: (field, who) => ask(fieldName(field), "addAsync", who),
    /** @param {AttendeeField} field @param {unknown[]} who */
    setAttendees: (field, who) => ask(fieldName(field), "setAsync", who),

    async getProperty() {
      const value = (await properties())?.get(PROPERTY);
      try {
        const read = typeof value === "string" ? JSON.parse(value) : value;
        return read && typeof read === "object" ? read : null;
      } catch {
        return null; // written by something else: as good as none
      }
    },
    /** @param {Record<string, unknown> | null} value */
    async setProperty(value) {
      const all = await properties();
      await call("customProperties.saveAsync", (done) => {
        if (value) all.set(PROPERTY, JSON.stringify(value));
        else all.remove(PROPERTY);
        all.saveAsync(done);
      });
    },

    async isNewItem() {
      if (!supports("1.8") || typeof item()?.getItemIdAsync !== "function") return null;
      try {
        return !(await call("getItemIdAsync", (done) => item().getItemIdAsync(done)));
      } catch (error) {
        return error instanceof OfficeFault && error.reason === "failed" && !TELLS_NOTHING.has(error.code ?? NOT_SUPPORTED) ? true : null;
      }
    },
    isOccurrence: () => supports("1.7") && typeof item()?.seriesId === "string" && item().seriesId !== "",
    async isSeries() {
      if (!supports("1.7") || !part("recurrence", "getAsync")) return false;
      return Boolean(await ask("recurrence", "getAsync"));
    },
    async organizerAddress() {
      if (!supports("1.7") || !part("organizer", "getAsync")) return "";
      return String((await ask("organizer", "getAsync"))?.emailAddress ?? "").toLowerCase();
    },
    async shared() {
      // There only on an item of a shared calendar: the one method whose presence tells something.
      if (typeof item()?.getSharedPropertiesAsync !== "function") return null;
      /** @type {any} */
      const shared = await call("getSharedPropertiesAsync", (done) => item().getSharedPropertiesAsync(done));
      return shared?.owner ? { owner: String(shared.owner).toLowerCase() } : null;
    },
  };
}
