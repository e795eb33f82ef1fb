/**
 * @file Outlook, as the add-in sees it: `createOffice` makes an OfficeHost (types.js) of Office.js.
 *
 * Methods of later requirement sets exist in older Outlooks and fail there, so sets are asked for and not methods. Some calls throw
 * instead of failing, some say nothing for ever. `saveAsync` of the item is not here: on a meeting that exists it sends updates.
 */

import { OfficeFault } from "./fault.js";
import { createCalls } from "./office_calls.js";
import { createItem } from "./office_item.js";

/** @typedef {import("./types.js").OfficeHost} OfficeHost */

const TIMEOUT = 10_000;
const SIGN_IN_TIMEOUT = 120_000;
const NOTICE = "greenroom";
const NOTICE_ICON = "icon.16"; // id of a picture in the manifest
const LONGEST_NOTICE = 150;
const SETS = ["1.16", "1.15", "1.14", "1.13", "1.12", "1.11", "1.10", "1.9", "1.8", "1.7", "1.6", "1.5", "1.4", "1.3", "1.2", "1.1"];
const NOTICE_TYPES = { information: "informationalMessage", error: "errorMessage", progress: "progressIndicator" };

/**
 * @param {any} Office
 * @param {{log?: import("./types.js").Log, timeout?: number, runtime?: any, alarm?: import("./office_calls.js").Alarm}} [options]
 *   timeout in milliseconds; `runtime`: OfficeRuntime
 * @returns {OfficeHost}
 */
export function createOffice(Office, { log, timeout = TIMEOUT, runtime = undefined, alarm } = {}) {
  const { call, queue } = createCalls({ timeout, log, alarm });
  /** @returns {any} */
  const context = () => Office.context ?? {};
  /** @returns {any} */
  const mailbox = () => context().mailbox ?? {};

  /** @param {string} set @param {string} [name] */
  const supports = (set, name = "Mailbox") => attempt(() => context().requirements.isSetSupported(name, set) === true, false);
  const platform = () => attempt(() => String(context().platform ?? context().diagnostics?.platform ?? ""), "");
  const isMobile = () => ["iOS", "Android"].includes(platform()) || /IOS|Android/.test(hostName());
  const hostName = () => attempt(() => String(mailbox().diagnostics?.hostName ?? ""), "");
  const notices = () => mailbox().item?.notificationMessages;
  const canNotify = () => !isMobile() && typeof notices()?.replaceAsync === "function";

  return {
    ...createItem(Office, call, supports),
    supports,
    platform,
    isMobile,
    version: () => attempt(() => String(mailbox().diagnostics?.hostVersion ?? context().diagnostics?.version ?? ""), ""),
    highestSet: () => SETS.find((set) => supports(set)) ?? "",
    displayLanguage: () => attempt(() => String(context().displayLanguage || "en-US"), "en-US"),
    theme: () => attempt(() => (supports("1.14") ? context().officeTheme ?? null : null), null),
    onThemeChange(onChange) {
      if (supports("1.14")) attempt(() => mailbox().addHandlerAsync("officeThemeChanged", onChange, () => undefined), undefined);
    },
    userAddress: () => attempt(() => String(mailbox().userProfile?.emailAddress ?? "").toLowerCase(), ""),

    canNotify,
    async notify(kind, text) {
      if (!canNotify()) return;
      const message = text.length > LONGEST_NOTICE ? `${text.slice(0, LONGEST_NOTICE - 1)}…` : text;
      // An icon is demanded for information and refused for the others.
      const more = kind === "information" ? { icon: NOTICE_ICON, persistent: false } : {};
      await call("notificationMessages.replaceAsync", (done) => notices().replaceAsync(NOTICE, { type: NOTICE_TYPES[kind], message, ...more }, done));
    },
    async clearNotice() {
      if (canNotify()) await call("notificationMessages.removeAsync", (done) => notices().removeAsync(NOTICE, done));
    },

    hasSettings: () => typeof context().roamingSettings?.saveAsync === "function",
    getSetting: (key) => attempt(() => context().roamingSettings?.get(key), undefined),
    setSetting: (key, value) =>
      call("roamingSettings.saveAsync", (done) => {
        const settings = context().roamingSettings;
        if (value === undefined) settings.remove(key);
        else settings.set(key, value);
        settings.saveAsync(done);
      }),

    async exchangeToken() {
      const token = await call("getUserIdentityTokenAsync", (done) => mailbox().getUserIdentityTokenAsync(done));
      if (typeof token !== "string" || !token) throw new OfficeFault("getUserIdentityTokenAsync", "empty");
      return token;
    },
    async ssoToken({ interactive }) {
      const auth = (runtime ?? globalOf("OfficeRuntime"))?.auth;
      if (typeof auth?.getAccessToken !== "function") throw new OfficeFault("getAccessToken", "missing");
      const asked = { allowSignInPrompt: interactive, allowConsentPrompt: interactive, forMSGraphAccess: false };
      const token = await queue("getAccessToken", () => auth.getAccessToken(asked), interactive ? SIGN_IN_TIMEOUT : timeout);
      if (typeof token !== "string" || !token) throw new OfficeFault("getAccessToken", "empty");
      return token;
    },
    async dialog(url, { timeout: patience = SIGN_IN_TIMEOUT } = {}) {
      const dialog = await call("displayDialogAsync", (done) => context().ui.displayDialogAsync(url, { height: 60, width: 30 }, done));
      return firstMessage(dialog, patience, new URL(url).origin);
    },
  };
}

/**
 * The first message of our own page: the window goes to other sites meanwhile. Older Outlooks do not tell whose it is.
 * @param {any} dialog @param {number} patience in milliseconds @param {string} origin @returns {Promise<string>}
 */
function firstMessage(dialog, patience, origin) {
  return new Promise((resolve, reject) => {
    const name = "displayDialogAsync";
    const timer = setTimeout(() => end(() => reject(new OfficeFault(name, "timeout"))), patience);
    /** @param {() => void} settle */
    const end = (settle) => {
      clearTimeout(timer);
      attempt(() => dialog.close(), undefined); // it may be closed already
      settle();
    };
    dialog.addEventHandler("dialogMessageReceived", (/** @type {any} */ event) => {
      const from = attempt(() => new URL(event.origin).origin, origin);
      if (from === origin) end(() => resolve(String(event?.message ?? "")));
    });
    dialog.addEventHandler("dialogEventReceived", (/** @type {any} */ event) =>
      end(() => reject(new OfficeFault(name, "closed", typeof event?.error === "number" ? event.error : null))),
    );
  });
}

/** @param {string} name @returns {any} */
function globalOf(name) {
  return /** @type {any} */ (globalThis)[name];
}

/** What Outlook says at once; some of it throws in some clients. @template T @param {() => T} read @param {T} otherwise @returns {T} */
function attempt(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
