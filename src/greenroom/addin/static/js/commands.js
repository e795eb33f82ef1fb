/**
 * @file What the buttons do that open no pane: add a room, and say so in the meeting's notification bar.
 *
 * On phones there is no bar, and no other way than this; there a window for signing in may open. Outlook may end the page as soon
 * as the event is completed, so that is the last thing that happens, whatever else did.
 */

import { createApi } from "./api.js";
import { createAuth } from "./auth/index.js";
import { keepForBadTimes, loadConfig, within } from "./boot.js";
import { createFlow } from "./flow.js";
import { createLog } from "./log.js";
import { createOffice } from "./office.js";
import { createStore } from "./store.js";
import { wordsOf } from "./strings.js";

/** @typedef {import("./strings.js").Say} Say */
/** @typedef {import("./types.js").Outcome} Outcome */

const DESK_PATIENCE = 270_000; // Outlook gives five minutes
const PHONE_PATIENCE = 50_000; // and one minute on phones
const TOP_UP_PATIENCE = 5_000;
const ALARMING = ["warning.addMailboxYourself", "warning.attendeesUnavailable"];

/** Keys of errors that a pane can do something about. */
const PANE_HELPS = ["error.signInNeeded", "error.signInCancelled", "error.signInFailed", "error.occurrence"];

/**
 * @param {Outcome} outcome
 * @param {Say} say
 * @returns {{kind: import("./types.js").NoticeKind, text: string}}
 */
export function noticeOf(outcome, say) {
  if (!outcome.ok) {
    const { code } = outcome.error;
    if (code === "error.occurrence") return { kind: "error", text: say("notify.occurrence") };
    if (PANE_HELPS.includes(code)) return { kind: "error", text: say("notify.signIn") };
    return { kind: "error", text: say("notify.failed") };
  }
  const warning = outcome.warnings.find((key) => ALARMING.includes(key));
  if (warning) return { kind: "error", text: say("notify.addMailbox") };
  return { kind: "information", text: say(`notify.${outcome.state}`) };
}

/**
 * @param {boolean} phone
 * @param {import("./types.js").OfficeHost} office
 * @param {import("./types.js").Log} log
 */
async function addRoom(phone, office, log) {
  const config = await loadConfig("config.json");
  const { say } = wordsOf(config);
  const auth = createAuth({ config, office, log });
  const api = createApi({ config, auth, log });
  const store = createStore({ office, integration: config.integration });
  const flow = createFlow({ office, config, api, store, log });
  const { state } = await flow.inspect();
  if (state === "personal") {
    // One of the person's own rooms was chosen on purpose: a button that asks nothing does not undo that.
    return noticeOf({ ok: true, state: "already", warnings: [], reservation: null }, say);
  }
  const outcome = await flow.add({ kind: "vmr", interactive: phone });
  if (outcome.ok && !phone) await within(flow.topUp(), TOP_UP_PATIENCE).catch(() => undefined);
  return noticeOf(outcome, say);
}

/** @param {boolean} phone @returns {(event: Office.AddinCommands.Event) => Promise<void>} */
function command(phone) {
  return async (event) => {
    try {
      const log = createLog();
      const office = createOffice(Office, { log });
      const work = addRoom(phone, office, log);
      const patient = within(work, phone ? PHONE_PATIENCE : DESK_PATIENCE);
      const { kind, text } = await patient.catch(() => ({ kind: /** @type {"error"} */ ("error"), text: failure() }));
      if (office.canNotify()) await office.notify(kind, text);
    } catch {
      // Outlook takes no notification either. The pane, which is kept, says what is wrong.
    } finally {
      event.completed(phone ? { allowEvent: true } : undefined);
    }
  };
}

/** What is said where there is no configuration to take words from: the page came with it. */
const failure = () => document.body.dataset.failed ?? "";

if (typeof Office !== "undefined") {
  Office.onReady(() => {
    keepForBadTimes();
    // early.js has told Outlook of both functions, and keeps what was pressed meanwhile.
    window.greenroomCommands?.take((name, event) => void command(name === "addRoomMobile")(event));
  });
}
