// The join page's comforts: the visitor's own time zone and formats, a countdown, a page that opens and closes by itself, copy
// buttons. Without this script the page says the same in UTC and looks again by itself.
"use strict";

(() => {
  const body = document.body;
  const pick = (selector, page = document) => page.querySelector(selector);
  const language = navigator.language;
  const told = ["state", "opens", "starts", "ends", "closes", "next_opens"];
  const kept = (name) => body.dataset[name === "next_opens" ? "nextOpens" : name];
  const waits = () => ["too-early", "between"].includes(body.dataset.state);
  const lives = () => waits() || body.dataset.state === "open";

  let skew = 0;
  const now = () => Date.now() + skew;

  const day = (at) => new Intl.DateTimeFormat("en", { year: "numeric", month: "numeric", day: "numeric" }).format(at);
  const full = new Intl.DateTimeFormat(language, {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit",
  });
  const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
  const zone = () => {
    const parts = new Intl.DateTimeFormat(language, { timeZoneName: "long" }).formatToParts(now());
    const name = parts.find((part) => part.type === "timeZoneName");
    return name ? name.value : "";
  };

  let saying = 0;
  const say = (text) => {
    clearTimeout(saying);
    const said = pick("[data-said]");
    if (!said) return;
    said.textContent = text;
    saying = setTimeout(() => { said.textContent = ""; }, 2000);
  };

  // The organizer's time stays beside the visitor's only where the two clocks differ.
  const localize = () => {
    let previous = "";
    let others = 0;
    for (const element of document.querySelectorAll("time[datetime]")) {
      const at = new Date(element.getAttribute("datetime"));
      const other = pick(".other", element);
      const differs = other && Number(other.dataset.offset) !== -at.getTimezoneOffset();
      const sameDay = day(at) === (element.dataset.form === "today" ? day(now()) : previous);
      element.title = element.textContent.trim();
      element.textContent = sameDay ? clock.format(at) : full.format(at);
      if (differs) {
        const there = new Date(at.getTime() + other.dataset.offset * 60_000);
        const here = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
        if (there.getUTCDate() === here.getUTCDate()) other.textContent = `(${other.dataset.clock})`;
        element.append(" ", other);
        others += 1;
      }
      previous = day(at);
    }
    const line = pick("[data-zone]");
    if (line && zone()) {
      line.textContent = `Times are yours: ${zone()}${others ? " (the organizer's in brackets)" : ""}`;
      line.hidden = false;
    }
  };

  const copying = () => {
    for (const button of document.querySelectorAll("button[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const word = pick(".word", button);
        const value = pick(".value", button.parentElement);
        try {
          await navigator.clipboard.writeText(button.dataset.copy);
          word.textContent = "Copied";
          say("Copied");
          setTimeout(() => { word.textContent = "Copy"; }, 2000);
        } catch {
          getSelection().selectAllChildren(value); // no right to the clipboard: let the visitor press the keys
          say("Selected: copy it with your keyboard");
        }
      });
    }
  };

  const countDown = () => {
    const shown = pick("[data-countdown]");
    if (!shown) return;
    const two = (number) => String(number).padStart(2, "0");
    const left = Math.max(0, Math.ceil((Date.parse(body.dataset.opens) - now()) / 1000));
    const days = Math.floor(left / 86_400);
    const hours = Math.floor(left / 3600) % 24;
    const clockText = `${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    const long = days ? `${days} ${days === 1 ? "day" : "days"} ` : "";
    shown.classList.toggle("long", days > 0);
    shown.textContent = days || hours ? `${long}${two(hours)}:${clockText}` : clockText;
    shown.hidden = false;
    pick("[data-countdown-word]").hidden = false;
  };

  const dress = () => {
    skew = Date.parse(body.dataset.now) - Date.now();
    localize();
    for (const element of document.querySelectorAll("[data-with-script]")) element.hidden = false;
    copying();
    countDown();
  };

  // Takes over what the page says now. How to get in is in the page alone, and only while the room is open.
  const renew = async () => {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const source = (of) => pick("script[src]", of)?.getAttribute("src");
    if (!page.body.dataset.state || source(page) !== source(document)) {
      location.reload(); // Greenroom was updated in the meantime
      return;
    }
    for (const element of page.querySelectorAll("noscript")) element.remove();
    const [fresh, card, said] = [pick(".card", page), pick(".card"), pick("[data-said]")];
    pick("[data-said]", page).remove();
    while (card.firstChild !== said) card.firstChild.remove(); // what speaks to screen readers must stay to be heard
    said.before(...fresh.childNodes);
    card.className = fresh.className;
    document.title = page.title;
    for (const [name, value] of Object.entries(page.body.dataset)) body.dataset[name] = value;
    dress();
    say(pick(".state").textContent.trim());
  };

  let asking = false;
  const look = async () => {
    if (asking || !lives()) return;
    asking = true;
    try {
      const answer = await fetch(`${location.pathname.replace(/\/$/, "")}.json`, { cache: "no-store" });
      if (answer.ok) {
        const found = await answer.json();
        skew = Date.parse(found.now) - Date.now();
        if (told.some((name) => (found[name] ?? "") !== kept(name))) await renew();
      }
    } catch {
      // offline or the server restarts: the next look will tell
    } finally {
      asking = false;
    }
  };

  let notBefore = 0;
  const tick = () => {
    if (!lives()) return;
    if (waits()) countDown();
    const change = Date.parse(waits() ? body.dataset.opens : body.dataset.closes);
    if (now() >= Math.max(change, notBefore)) {
      notBefore = now() + 2000;
      look();
    }
  };

  dress();
  setInterval(tick, 500);
  setInterval(look, 60_000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
})();
