/** @file What the pane looks like: one card that says how things are, why, and what can be done. Knows nothing of meetings. */

import { el, sign } from "./dom.js";

/** @typedef {import("./strings.js").Say} Say */
/** @typedef {"calm" | "good" | "warm" | "bad"} Tone */

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {"primary" | "plain" | "quiet"} look
 * @property {() => void} run
 */

/**
 * @typedef {object} Card
 * @property {string} view its name, for style and tests
 * @property {Tone} tone
 * @property {string} badge
 * @property {string} heading
 * @property {string[]} [lead] paragraphs
 * @property {string[]} [warnings]
 * @property {Node | null} [body] what stands before the actions
 * @property {Action[]} [actions]
 * @property {string[]} [notes] small print below
 */

/** @param {string} selector */
const pick = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** The heading takes the focus after a button that is gone: a keyboard and a screen reader go on from there. */
export function focusHeading() {
  pick("#heading").focus();
}

/** @param {Action} action */
function button({ label, look, run }) {
  return el(`button.${look}`, { type: "button", onclick: run }, label);
}

/** @param {Card} card @returns {HTMLElement} */
export function cardOf(card) {
  const { view, tone, badge, heading, lead = [], warnings = [], body = null, actions = [], notes = [] } = card;
  return el(
    `section.card.${tone}`,
    { "data-view": view, "aria-labelledby": "heading" },
    el("p.state", {}, sign(tone), badge),
    el("h1", { id: "heading", tabindex: "-1" }, heading),
    ...lead.map((text) => el("p.lead", {}, text)),
    warnings.length > 0 &&
      el("ul.warnings", {}, ...warnings.map((text) => el("li", {}, sign("warm"), el("span", {}, text)))),
    body,
    actions.length > 0 && el("div.actions", {}, ...actions.map(button)),
    ...notes.map((text) => el("p.note", {}, text)),
  );
}

/** @param {HTMLElement} card */
export function show(card) {
  pick("main").replaceChildren(card);
}

let saying = 0;

/** Say something to screen readers alone. @param {string} text @param {"polite" | "assertive"} [how] */
export function announce(text, how = "polite") {
  const said = pick(`[data-${how}]`);
  said.textContent = "";
  clearTimeout(saying);
  saying = setTimeout(() => (said.textContent = text), 50); // an empty moment in between, or the same text is not said twice
}

const LONG_STEP = 1_500;

/**
 * The card of work that goes on: its steps as they come, and what takes long is said aloud.
 * @param {string} heading
 * @param {string} badge
 * @returns {{card: HTMLElement, step: (text: string) => void, stop: () => void}}
 */
export function workCard(heading, badge) {
  const steps = el("ol.steps");
  const card = el(
    "section.card.calm",
    { "data-view": "working", "aria-labelledby": "heading", "aria-busy": "true" },
    el("p.state", {}, el("span.spinner", { "aria-hidden": "true" }), badge),
    el("h1", { id: "heading", tabindex: "-1" }, heading),
    steps,
  );
  let timer = 0;
  let last = "";
  const stop = () => {
    clearTimeout(timer);
    for (const line of steps.children) line.className = "done";
  };
  const step = (/** @type {string} */ text) => {
    if (text === last) return;
    last = text;
    stop();
    steps.append(el("li.now", {}, el("span.mark", { "aria-hidden": "true" }, sign("good")), el("span", {}, text)));
    timer = setTimeout(() => announce(text), LONG_STEP);
  };
  return { card, step, stop };
}

/**
 * Names and values, one below the other.
 * @param {[string, Node | string][]} facts
 * @returns {HTMLElement | null}
 */
export function factList(facts) {
  if (facts.length === 0) return null;
  return el("dl.facts", {}, ...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}
