/**
 * What a host answers to each operation, read from and written to a plain item.
 *
 * @typedef {{name: string, address: string}} Person
 * @typedef {object} Item A meeting that is being composed. Whoever owns it may read and write it at any time; the host
 *   only ever assigns whole values, so properties can be accessors over a form.
 * @property {string} subject
 * @property {{type: "html"|"text", content: string}} body
 * @property {string} location text of the place, without the rooms
 * @property {Person[]} rooms
 * @property {Person[]} required
 * @property {Person[]} optional
 * @property {string} start ISO 8601, UTC
 * @property {string} end
 * @property {object|null} recurrence as Office.js gives it, without `seriesTime`
 * @property {string|null} seriesId set for an occurrence of a series
 * @property {string|null} itemId null until the meeting was saved
 * @property {Person} [organizer] without it: the user
 * @property {object|null} [shared] what `getSharedPropertiesAsync` gives in somebody else's calendar
 * @property {Record<string, unknown>} customProperties
 * @property {{key: string, type: number, message: string}[]} notifications
 */

import { CODES } from "./office_sets.js";
import { htmlOf, prepended, rewritten, textOf } from "./office_text.js";

const HTML = 3;
const FIELDS = ["required", "optional"];
const TIMES = ["start", "end"];
const MAX_NOTIFICATIONS = 5;
const USER = 2; // the kind of a recipient: a person or mailbox of the organisation
const KINDS = ["informationalMessage", "progressIndicator", "errorMessage", "insightMessage"];

const done = (data) => ({ wasSuccessful: true, ...(data === undefined ? {} : { data }) });
export const failed = (errorCode) => ({ error: true, errorCode, wasSuccessful: false });
const same = (one, other) => one.toLowerCase() === other.toLowerCase();

/** Answers by the name of the operation: (params, world) => answer. `world` is {item, user, quirks, tokens, roaming}. */
export const ANSWERS = {
  identityToken: async (_, { tokens, quirks }) => {
    if (!tokens.identity) return { wasSuccessful: false, errorCode: CODES.token, errorMessage: "", errorName: "GenericTokenError" };
    return { wasSuccessful: true, token: quirks.emptyToken ? "" : await tokens.identity() };
  },

  customPropertiesLoad: (_, { item }) => ({ wasSuccessful: true, customProperties: JSON.stringify(item.customProperties) }),
  customPropertiesSave: ({ customProperties }, { item, quirks }) => {
    if (!quirks.forgetful) item.customProperties = customProperties;
    return done();
  },
  settingsSave: async ([settings], { roaming }) => {
    await roaming.save(settings);
    return done();
  },

  bodyType: (_, { item }) => done(item.body.type),
  bodyGet: ({ coercionType }, { item }) => {
    const { type, content } = item.body;
    if (coercionType === HTML) return done(type === "html" ? content : htmlOf(content));
    return done(type === "html" ? textOf(content) : content);
  },
  bodySet: ({ data, coercionType }, { item, quirks }) => {
    const { type } = item.body;
    if (type === "text") {
      if (coercionType === HTML) return failed(CODES.format);
      item.body = { type, content: data };
    } else {
      item.body = { type, content: rewritten(coercionType === HTML ? data : htmlOf(data), quirks.rewrite) };
    }
    return done();
  },
  bodyPrepend: ({ data, coercionType }, { item, quirks }) => {
    const { type } = item.body;
    if (type === "text" && coercionType === HTML) return failed(CODES.format);
    const addition = type === "html" && coercionType !== HTML ? htmlOf(data) : data;
    const content = prepended(item.body, addition);
    item.body = { type, content: type === "html" ? rewritten(content, quirks.rewrite) : content };
    return done();
  },

  recipientsGet: ({ recipientField }, { item, user, quirks }) => {
    const people = item[FIELDS[recipientField]].filter((one) => !(one.readyAt > Date.now()));
    const organizer = quirks.organizerIncluded && recipientField === 0 ? [item.organizer ?? user] : [];
    return done([...organizer, ...people].map(({ name, address }) => ({ name, address, recipientType: USER, appointmentResponse: 0 })));
  },
  recipientsAdd: ({ recipientField, recipientArray }, { item, quirks }) => {
    const isPlain = recipientArray.every((one) => one.name === one.address);
    if (quirks.addIgnored === "all" || (quirks.addIgnored === "objects" && !isPlain)) return done();
    const name = FIELDS[recipientField];
    item[name] = [...item[name], ...arriving(recipientArray, quirks)];
    return done();
  },
  recipientsSet: ({ recipientField, recipientArray }, { item, quirks }) => {
    if (!quirks.setIgnored) item[FIELDS[recipientField]] = arriving(recipientArray, quirks);
    return done();
  },

  subjectGet: (_, { item }) => done(item.subject),
  subjectSet: ({ subject }, { item }) => {
    item.subject = subject;
    return done();
  },
  timeGet: ({ TimeProperty }, { item }) => done(Date.parse(item[TIMES[TimeProperty - 1]])),
  timeSet: ({ TimeProperty, time }, { item }) => {
    item[TIMES[TimeProperty - 1]] = new Date(time).toISOString();
    return done();
  },

  locationGet: (_, { item }) => done([...item.rooms.map((room) => room.name), item.location].filter(Boolean).join("; ")),
  locationSet: ({ location }, { item }) => {
    item.rooms = [];
    item.location = location;
    return done();
  },
  placesGet: (_, { item }) => done([
    ...item.rooms.map(({ name, address }) => ({ locationIdentifier: { id: address, type: "room" }, displayName: name, emailAddress: address })),
    ...segments(item.location).map((text) => ({ locationIdentifier: { id: text, type: "custom" }, displayName: text })),
  ]),
  placesAdd: ({ enhancedLocations }, { item }) => {
    const rooms = enhancedLocations.filter((one) => one.type === "room" && !item.rooms.some((room) => same(room.address, one.id)));
    const known = segments(item.location);
    const words = enhancedLocations.filter((one) => one.type === "custom" && !known.includes(one.id)).map((one) => one.id);
    if (rooms.length) item.rooms = [...item.rooms, ...rooms.map((one) => ({ name: one.id, address: one.id }))];
    if (words.length) item.location = [...known, ...words].join("; ");
    return done();
  },
  placesRemove: ({ enhancedLocations }, { item }) => {
    const gone = (type, id) => enhancedLocations.some((one) => one.type === type && same(one.id, id));
    item.rooms = item.rooms.filter((room) => !gone("room", room.address));
    item.location = segments(item.location).filter((text) => !gone("custom", text)).join("; ");
    return done();
  },

  recurrenceGet: (_, { item }) => done(item.recurrence === null ? null : { seriesTimeJson: null, ...item.recurrence }),
  organizerGet: (_, { item, user }) => {
    const { name, address } = item.organizer ?? user;
    return done({ name, address, recipientType: USER });
  },
  itemId: (_, { item }) => (item.itemId ? done(item.itemId) : failed(CODES.notSaved)),
  save: (_, { item }) => done((item.itemId ??= `saved-${Date.now()}`)),
  sharedProperties: (_, { item }) => (item.shared ? done(item.shared) : failed(CODES.notSupported)),

  notificationsGet: (_, { item }) => done(item.notifications.map((one) => ({ ...one, type: KINDS[one.type] ?? one.type }))),
  notificationAdd: (message, { item }) => {
    if (item.notifications.some((one) => one.key === message.key)) return failed(CODES.duplicateNotification);
    if (item.notifications.length >= MAX_NOTIFICATIONS) return failed(CODES.tooManyNotifications);
    item.notifications = [...item.notifications, message];
    return done();
  },
  notificationReplace: (message, { item }) => {
    const others = item.notifications.filter((one) => one.key !== message.key);
    if (others.length >= MAX_NOTIFICATIONS) return failed(CODES.tooManyNotifications);
    item.notifications = [...others, message];
    return done();
  },
  notificationRemove: ({ key }, { item }) => {
    const others = item.notifications.filter((one) => one.key !== key);
    if (others.length === item.notifications.length) return failed(CODES.noSuchNotification);
    item.notifications = others;
    return done();
  },
};

const segments = (location) => location.split(";").map((part) => part.trim()).filter(Boolean);

/** Those who get into the list: Outlook drops addresses with an apostrophe and says nothing; others may take a while. */
function arriving(people, { resolveAfter }) {
  return people.filter((one) => !one.address.includes("'")).map(({ name, address }) => ({
    name, address, ...(resolveAfter ? { readyAt: Date.now() + resolveAfter } : {}),
  }));
}
