/** @file The pane: shows what is in the meeting that is being written, and does what is asked for. */

import { createApi } from "./api.js";
import { createAuth } from "./auth/index.js";
import { keepForBadTimes, loadConfig, whereAmI } from "./boot.js";
import { diagnostics } from "./diagnostics.js";
import { el } from "./dom.js";
import { createFlow } from "./flow.js";
import { createLog } from "./log.js";
import { createOffice } from "./office.js";
import { announce, cardOf, factList, focusHeading, show, workCard } from "./pane-view.js";
import { roomChoice } from "./room-choice.js";
import { createStore } from "./store.js";
import { wordsOf } from "./strings.js";
import { followTheme } from "./theme.js";

/** @typedef {import("./types.js").AddinError} AddinError */
/** @typedef {import("./types.js").AddRequest} AddRequest */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Done} Done */
/** @typedef {import("./types.js").Flow} Flow */
/** @typedef {import("./types.js").MeetingStatus} MeetingStatus */
/** @typedef {import("./types.js").Outcome} Outcome */
/** @typedef {import("./pane-view.js").Action} Action */
/** @typedef {import("./pane-view.js").Card} Card */

const SIGN_IN = ["error.signInNeeded", "error.signInCancelled", "error.signInFailed"];

/**
 * @param {object} parts
 * @param {Flow} parts.flow
 * @param {Config} parts.config
 * @param {import("./strings.js").Say} parts.say
 * @param {string} parts.language
 */
function createPane({ flow, config, say, language }) {
  /** @param {AddinError} error */
  const explain = (error) => say(error.code, { seconds: error.retryAfter ?? 60 });
  /** @param {string} name @param {Action["look"]} look @param {() => void} run @returns {Action} */
  const action = (name, look, run) => ({ label: say(`action.${name}`), look, run });
  const add = (/** @type {Partial<AddRequest>} */ more = {}) => void work("add", { kind: "vmr", ...more });
  const takeOut = () => void work("remove");
  const removal = action("remove", "quiet", takeOut);
  const change = () =>
    config.personal_rooms ? [action("change", "plain", () => choose("change", true))] : [];

  /**
   * What every card has: badge, heading and a paragraph, by the name of its state.
   * @param {string} name @param {Card["tone"]} tone @param {string} [lead]
   */
  const words = (name, tone, lead = say(`${name}.text`)) => ({
    view: name,
    tone,
    badge: say(`${name}.badge`),
    heading: say(`${name}.heading`),
    lead: [lead],
  });

  /** @param {Card} card @param {boolean} [byPerson] whether somebody's action brought it, who then goes on from its heading */
  function turnTo(card, byPerson = false) {
    show(cardOf(card));
    if (byPerson) focusHeading();
  }

  /** @param {boolean} [byPerson] */
  async function look(byPerson = false) {
    turnToStatus(await flow.inspect(), byPerson);
  }

  /** @param {MeetingStatus} status @param {boolean} byPerson */
  function turnToStatus(status, byPerson) {
    const notes = [status.isDelegate ? say("note.delegate") : "", status.isSeries ? say("note.series") : ""].filter(Boolean);
    const card = cardOfStatus(status);
    if (card) turnTo({ ...card, notes }, byPerson);
    else choose("none", byPerson, { notes });
  }

  /** @param {MeetingStatus} status @returns {Card | null} null: nothing is there, everything may be chosen */
  function cardOfStatus(status) {
    const missing = status.missing.map((part) => say(`missing.${part}`));
    switch (status.state) {
      case "present":
        return { ...words("present", "good"), actions: [action("refresh", "plain", add), ...change(), removal] };
      case "personal":
        if (missing.length > 0) {
          const again = action("chooseAgain", "primary", () => choose("change", true, { first: "personal" }));
          return { ...words("incomplete", "warm"), warnings: missing, actions: [again, removal] };
        }
        return { ...words("personal", "good"), actions: [...change(), removal] };
      case "placeholder":
        return { ...words("placeholder", "warm"), actions: [action("complete", "primary", add), removal] };
      case "incomplete":
        return {
          ...words("incomplete", "warm"),
          warnings: missing,
          actions: [action("repair", "primary", add), removal],
        };
      case "copied":
        return { ...words("copied", "warm"), actions: [action("own", "primary", add), removal] };
      case "occurrence":
        return { ...words("occurrence", "calm"), actions: [action("onlyThis", "primary", () => add({ occurrence: true }))] };
      case "unsupported":
        return unsupported(status);
      default:
        return null;
    }
  }

  /** @param {MeetingStatus} status @returns {Card} */
  function unsupported(status) {
    const again = action("again", "plain", () => void look(true));
    if (!status.error) return { ...words("unsupported", "calm"), actions: [again] };
    const failed = status.error.code === "error.outlookFailed";
    const name = failed ? "failed" : "unsupported";
    return { ...words(name, failed ? "bad" : "calm", explain(status.error)), actions: [again] };
  }

  /**
   * The start: one button where there is one kind of room, else a choice before it.
   * @param {"none" | "change"} name
   * @param {boolean} byPerson
   * @param {{first?: "vmr" | "personal", notes?: string[]}} [more]
   */
  function choose(name, byPerson, { first = "vmr", notes = [] } = {}) {
    const rooms = (/** @type {boolean} */ interactive) => flow.personalRooms({ interactive });
    const chooser = config.personal_rooms ? roomChoice({ say, rooms, explain, first }) : null;
    const start = () => {
      const choice = chooser ? chooser.choice() : { kind: /** @type {"vmr"} */ ("vmr") };
      if (choice) add(choice);
      else chooser?.insist();
    };
    const back = name === "change" ? [action("back", "quiet", () => void look(true))] : [];
    const go = action(name === "change" ? "exchange" : "add", "primary", start);
    turnTo({ ...words(name, "calm"), body: chooser?.body ?? null, actions: [go, ...back], notes }, byPerson);
  }

  /** @param {"add" | "remove"} what @param {AddRequest} [request] */
  async function work(what, request = { kind: "vmr" }) {
    const going = workCard(say(`working.${what}`), say("working.badge"));
    show(going.card);
    focusHeading();
    const onStep = (/** @type {import("./types.js").StepName} */ step) => going.step(say(`step.${step}`));
    const outcome = what === "add" ? await flow.add({ ...request, onStep }) : await flow.remove({ onStep });
    going.stop();
    const again = () => void work(what, request);
    turnTo(outcome.ok ? done(outcome) : trouble(outcome, again), true);
    announce(outcome.ok ? outcome.warnings.map((key) => say(key)).join(" ") : explain(outcome.error), outcome.ok ? "polite" : "assertive");
    if (outcome.ok) void flow.topUp();
  }

  /** @param {Done} outcome @returns {Card} */
  function done(outcome) {
    const { state, warnings, reservation } = outcome;
    const told = warnings.map((key) => say(key));
    if (state === "removed") {
      return { ...words("removed", told.length ? "warm" : "calm"), warnings: told, actions: [action("addAgain", "plain", () => void look(true))] };
    }
    const promised = state === "placeholder";
    const actions = promised ? [action("complete", "plain", add)] : change();
    return {
      ...words(state, promised || told.length > 0 ? "warm" : "good"),
      warnings: told,
      body: reservation && !promised ? factList(factsOf(reservation)) : null,
      actions: [...actions, removal],
      notes: reservation && !promised && !reservation.claimed ? keptUntil(reservation) : [],
    };
  }

  /** @param {import("./types.js").Reservation} reservation @returns {[string, Node | string][]} */
  function factsOf({ numeric_alias: number, alias, join_url: link }) {
    /** @type {[string, Node | string][]} */
    const facts = [];
    if (number || alias) facts.push([say("fact.number"), number || alias]);
    if (/^https?:\/\//.test(link)) {
      facts.push([say("fact.link"), el("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, link)]);
    }
    return facts;
  }

  /** @param {import("./types.js").Reservation} reservation */
  function keptUntil({ expires_at: end }) {
    const at = end ? new Date(end) : null;
    if (!at || Number.isNaN(at.getTime())) return [];
    return [say("note.kept", { date: new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(at) })];
  }

  /** @param {import("./types.js").Failed} outcome @param {() => void} again @returns {Card} */
  function trouble({ step, error }, again) {
    const signIn = SIGN_IN.includes(error.code);
    const retry = signIn ? [action("signIn", "primary", again)] : error.retry ? [action("retry", "primary", again)] : [];
    const anyway = error.code === "error.occurrence" ? [action("onlyThis", "primary", () => add({ occurrence: true }))] : [];
    const facts = /** @type {[string, string][]} */ ([[say("fact.step"), say(`step.${step}`)]]);
    if (error.correlationId) facts.push([say("fact.reference"), error.correlationId]);
    return {
      ...words(signIn ? "signIn" : "failed", signIn ? "calm" : "bad", explain(error)),
      body: signIn ? null : factList(facts),
      actions: [...retry, ...anyway, action("back", "quiet", () => void look(true))],
    };
  }

  return { look };
}

/** @param {import("./strings.js").Say} say @param {string} name @param {Action[]} [actions] */
function only(say, name, actions = []) {
  show(
    cardOf({
      view: name,
      tone: name === "outside" ? "calm" : "bad",
      badge: say(`pane.${name}.badge`),
      heading: say(`pane.${name}.heading`),
      lead: [say(`pane.${name}.text`)],
      actions,
    }),
  );
}

async function main() {
  const where = await whereAmI();
  const config = await loadConfig("config.json");
  const { say, language } = wordsOf(config);
  document.title = say("pane.title");
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = say(element.getAttribute("data-text") ?? "");
  }
  keepForBadTimes();
  const reload = { label: say("action.retry"), look: /** @type {"primary"} */ ("primary"), run: () => location.reload() };
  if (where !== "outlook") {
    only(say, where === "outside" ? "outside" : "noOffice", where === "outside" ? [] : [reload]);
    return;
  }
  const log = createLog();
  const office = createOffice(Office, { log });
  followTheme(office);
  const auth = createAuth({ config, office, log });
  const api = createApi({ config, auth, log });
  const store = createStore({ office, integration: config.integration });
  const flow = createFlow({ office, config, api, store, log });
  const footer = /** @type {HTMLElement} */ (document.querySelector("[data-footer]"));
  footer.append(...diagnostics({ say, config, office, auth, log }));
  await createPane({ flow, config, say, language }).look();
  void flow.topUp();
}

main().catch(() => {
  document.querySelector("main > .card")?.setAttribute("hidden", "");
  document.querySelector("[data-failed]")?.removeAttribute("hidden");
  document.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
});
