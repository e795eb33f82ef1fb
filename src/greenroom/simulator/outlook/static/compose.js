/** The composer plays Outlook to an add-in: its buttons, its pane, its messages. Without this file the form works as ever. */

import { createBody, createItem } from "./compose_item.js";
import { createHost } from "./office_host.js";

const LONGEST = 300_000; // milliseconds that Outlook gives a function
const RESTING = 500; // before a frame whose function has completed is taken away
const ERROR = 2, PROGRESS = 1;
const desk = document.querySelector("[data-addin]");
const told = JSON.parse(desk.dataset.addin);
const form = desk.querySelector("form.fields");
const editor = desk.querySelector(".editor"), plain = form.elements.body;
const ribbon = desk.querySelector(".ribbon"), bar = desk.querySelector(".notices"), pane = desk.querySelector(".addin-pane");
const add = ribbon.querySelector("[data-add]"), paneButton = ribbon.querySelector("[data-pane]");
let settings = told.settings, body, item, beside = null;

if (editor.contentDocument?.readyState === "complete" && editor.contentDocument.body?.isContentEditable) begin();
else editor.addEventListener("load", begin, { once: true });

function begin() {
  editor.hidden = false;
  plain.hidden = true;
  body = createBody(editor, form.elements.html);
  item = createItem({ form, body, told, onNotices: showNotices });
  form.addEventListener("submit", () => {
    body.keep();
    form.elements.remembered.value = JSON.stringify(item.customProperties);
  });
  ribbon.hidden = false;
  add.addEventListener("click", run);
  paneButton.addEventListener("click", () => (beside ? closePane() : openPane()));
  pane.querySelector("[data-close]").addEventListener("click", closePane);
}

function hostFor(url, onClose) {
  const frame = document.createElement("iframe");
  frame.title = told.name;
  const host = createHost({
    frame, url, item, onClose,
    user: told.user,
    set: told.set,
    sets: told.sets,
    locale: navigator.language,
    theme: theme(),
    tokens: { identity: told.token ? identityToken : undefined },
    roaming: { settings, save: saveSettings },
  });
  return { host, frame };
}

async function identityToken() {
  const answer = await fetch(told.token, { method: "POST" });
  return answer.ok ? (await answer.json()).token : "";
}

async function saveSettings(given) {
  settings = given;
  await fetch(told.roaming, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) });
}

/** The colours as Office tells them to its add-ins. */
function theme() {
  const colours = getComputedStyle(document.documentElement);
  const of = (name) => colours.getPropertyValue(name).trim();
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  return {
    bodyBackgroundColor: of("--surface"), bodyForegroundColor: of("--text"), controlBackgroundColor: of("--raised"),
    controlForegroundColor: of("--text"), isDarkTheme: isDark,
  };
}

/** The one-click button: the function file runs in a frame that nobody sees. */
async function run() {
  if (add.getAttribute("aria-busy") === "true") return;
  add.setAttribute("aria-busy", "true");
  const { host, frame } = hostFor(told.commands, () => undefined);
  frame.className = "addin-hidden";
  frame.tabIndex = -1;
  host.start(document.body);
  const late = new Promise((resolve) => { setTimeout(resolve, LONGEST, { status: -1 }); });
  const { status } = await Promise.race([host.run(told.function), late]);
  if (status !== 0) item.notifications = [...item.notifications, { key: "outlook", type: ERROR, message: `${told.name} did not finish.` }];
  add.removeAttribute("aria-busy");
  setTimeout(() => {
    host.stop();
    frame.remove();
  }, RESTING);
}

function openPane() {
  beside = hostFor(told.taskpane, closePane);
  pane.hidden = false;
  desk.classList.add("with-pane");
  paneButton.setAttribute("aria-expanded", "true");
  beside.host.start(pane);
}

function closePane() {
  if (!beside) return;
  beside.host.stop();
  beside.frame.remove();
  beside = null;
  pane.hidden = true;
  desk.classList.remove("with-pane");
  paneButton.setAttribute("aria-expanded", "false");
  paneButton.focus();
}

function showNotices(list) {
  bar.replaceChildren(...list.map(({ key, type, message }) => {
    const line = document.createElement("li"), words = document.createElement("span"), close = document.createElement("button");
    line.className = type === ERROR ? "error" : type === PROGRESS ? "progress" : "";
    words.textContent = message;
    close.type = "button";
    close.className = "small";
    close.textContent = "Dismiss";
    close.addEventListener("click", () => { item.notifications = item.notifications.filter((one) => one.key !== key); });
    line.append(words, close);
    return line;
  }));
}
