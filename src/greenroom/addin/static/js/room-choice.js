/** @file The choice between a room for this meeting and the person's own rooms, which are fetched when they are wanted. */

import { el } from "./dom.js";
import { announce } from "./pane-view.js";

/** @typedef {import("./types.js").PersonalRoom} PersonalRoom */
/** @typedef {{kind: "vmr"} | {kind: "personal", roomId: string}} Choice */

/**
 * @param {object} wants
 * @param {import("./strings.js").Say} wants.say
 * @param {(interactive: boolean) => Promise<PersonalRoom[]>} wants.rooms
 * @param {(error: import("./types.js").AddinError) => string} wants.explain
 * @param {"vmr" | "personal"} wants.first which is chosen at the beginning
 * @returns {{body: HTMLElement, choice: () => Choice | null, insist: () => void}} `choice` is null while no room is chosen
 */
export function roomChoice({ say, rooms, explain, first }) {
  const list = el("div.rooms", { hidden: true });
  /** @type {Promise<void> | null} */
  let loading = null;

  const again = (/** @type {string} */ label) =>
    el("button.plain", { type: "button", onclick: () => void load(true).then(focusList) }, label);
  const focusList = () => {
    const first = /** @type {HTMLElement | null} */ (list.querySelector("input, button"));
    first?.focus();
  };

  // A choice alone opens no window: only the button does, where somebody has to sign in.
  const load = (/** @type {boolean} */ anew) => {
    if (loading && !anew) return loading;
    list.replaceChildren(el("p.lead", {}, el("span.spinner", { "aria-hidden": "true" }), " ", say("rooms.loading")));
    announce(say("rooms.loading"));
    loading = rooms(anew).then(
      (found) => {
        if (found.length === 0) list.replaceChildren(el("p.lead", {}, say("rooms.none")), again(say("rooms.again")));
        else list.replaceChildren(listOf(found));
        announce(found.length === 0 ? say("rooms.none") : say("rooms.found", { count: found.length }));
      },
      (error) => {
        const signIn = error?.code === "error.signInNeeded";
        const text = signIn ? say("rooms.signIn") : error?.code ? explain(error) : say("rooms.failed");
        list.replaceChildren(el("p.trouble", {}, text), again(say(signIn ? "action.signIn" : "rooms.again")));
        announce(text, signIn ? "polite" : "assertive");
      },
    );
    return loading;
  };

  const listOf = (/** @type {PersonalRoom[]} */ found) =>
    el(
      "fieldset",
      {},
      el("legend", {}, say("rooms.legend")),
      ...found.map((room, at) =>
        el(
          "label.choice",
          {},
          el("input", { type: "radio", name: "room", value: room.id, checked: at === 0 }),
          el("span", {}, el("span.what", {}, room.name), room.description && el("span.why", {}, room.description)),
        ),
      ),
    );

  const changed = () => {
    const personal = chosenKind() === "personal";
    list.hidden = !personal;
    if (personal) void load(false);
  };

  const option = (/** @type {"vmr" | "personal"} */ kind) =>
    el(
      "label.choice",
      {},
      el("input", { type: "radio", name: "kind", value: kind, checked: kind === first, onchange: changed }),
      el("span", {}, el("span.what", {}, say(`kind.${kind}`)), el("span.why", {}, say(`kind.${kind}Hint`))),
    );

  const body = el(
    "div.choices",
    {},
    el("fieldset", {}, el("legend", {}, say("kind.legend")), option("vmr"), option("personal")),
    list,
  );
  const checked = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement | null} */ (body.querySelector(`input[name="${name}"]:checked`))?.value;
  const chosenKind = () => checked("kind");
  if (first === "personal") changed();

  const choice = () => {
    if (chosenKind() !== "personal") return /** @type {Choice} */ ({ kind: "vmr" });
    const roomId = checked("room");
    return roomId ? /** @type {Choice} */ ({ kind: "personal", roomId }) : null;
  };
  const insist = () => {
    announce(say("rooms.chooseFirst"), "assertive");
    focusList();
  };
  return { body, choice, insist };
}
