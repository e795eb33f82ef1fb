/**
 * What Office.js asks a host to do, by the number it sends, and from which requirement set on Outlook does it.
 * Source: the dispatch ids in outlook-web-16.01.js of @microsoft/office-js 1.1.110; the sets of the API reference.
 */

/** Operations by dispatch id: [name, requirement set of "Mailbox"]. */
export const OPERATIONS = Object.freeze({
  2: ["identityToken", "1.1"],
  3: ["customPropertiesLoad", "1.1"],
  4: ["customPropertiesSave", "1.1"],
  13: ["bodyInsert", "1.1"],
  14: ["bodyType", "1.1"],
  15: ["recipientsGet", "1.1"],
  17: ["subjectSet", "1.1"],
  18: ["subjectGet", "1.1"],
  21: ["recipientsSet", "1.1"],
  22: ["recipientsAdd", "1.1"],
  23: ["bodyPrepend", "1.1"],
  24: ["timeGet", "1.1"],
  25: ["timeSet", "1.1"],
  26: ["locationGet", "1.1"],
  27: ["locationSet", "1.1"],
  32: ["save", "1.3"],
  33: ["notificationAdd", "1.3"],
  34: ["notificationsGet", "1.3"],
  35: ["notificationReplace", "1.3"],
  36: ["notificationRemove", "1.3"],
  37: ["bodyGet", "1.3"],
  38: ["bodySet", "1.3"],
  103: ["recurrenceGet", "1.7"],
  107: ["organizerGet", "1.7"],
  108: ["sharedProperties", "1.8"],
  154: ["placesGet", "1.8"],
  155: ["placesAdd", "1.8"],
  156: ["placesRemove", "1.8"],
  164: ["itemId", "1.8"],
  404: ["settingsSave", "1.1"],
});

/** Calls of the other kind (`executeMethod`), by dispatch id. */
export const METHODS = Object.freeze({ 94: "commandCompleted", 97: "closeContainer", 98: "accessToken" });

/** Codes with which Office.js is told that something did not work. */
export const CODES = Object.freeze({
  notSupported: 5000,
  internal: 5001,
  format: 9002,
  token: 9018,
  tokenRestricted: 9017,
  duplicateNotification: 9023,
  noSuchNotification: 9024,
  tooManyNotifications: 9025,
  notSaved: 9046,
  ssoPlatform: 13012,
});

/** Whether a set such as "1.8" is within what a host offers, such as "1.14". */
export function isWithin(wanted, offered) {
  const [major, minor] = wanted.split(".").map(Number);
  const [ourMajor, ourMinor] = offered.split(".").map(Number);
  return ourMajor > major || (ourMajor === major && ourMinor >= minor);
}

/** The requirement matrix as Office.js wants it: names of sets and their versions, as JSON. */
export function matrix(mailbox, others = {}) {
  return JSON.stringify({ Mailbox: mailbox, ...others });
}
