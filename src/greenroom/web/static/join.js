// The join page's comforts: the visitor's own time zone and formats, a countdown, a page that opens by itself, copy buttons.
// Without this script the page says the same in UTC and looks again by itself.
"use strict";

(() => {
  const body = document.body;
  const state = body.dataset.state;
  const skew = Date.parse(body.dataset.now) - Date.now();
  const now = () => Date.now() + skew;
  const pick = (selector) => document.querySelector(selector);
  const language = navigator.language;

  const zone = () => {
    const parts = new Intl.DateTimeFormat(language, { timeZoneName: "long" }).formatToParts(now());
    const name = parts.find((part) => part.type === "timeZoneName");
    return name ? name.value : "";
  };

  const day = (at) => new Intl.DateTimeFormat("en", { year: "numeric", month: "numeric", day: "numeric" }).format(at);
  const full = new Intl.DateTimeFormat(language, {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit",
  });
  const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });

  let previous = "";
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = new Date(element.getAttribute("datetime"));
    const sameDay = day(at) === (element.dataset.form === "today" ? day(now()) : previous);
    element.title = element.textContent.trim();
    element.textContent = sameDay ? clock.format(at) : full.format(at);
    previous = day(at);
  }
  const zoneLine = pick("[data-zone]");
  if (zoneLine && zone()) {
    zoneLine.textContent = `Times are yours: ${zone()}`;
    zoneLine.hidden = false;
  }
  for (const element of document.querySelectorAll("[data-with-script]")) element.hidden = false;

  const say = (text) => { const said = pick("[data-said]"); if (said) said.textContent = text; };

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const word = button.querySelector(".word");
      const value = button.parentElement.querySelector(".value");
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        word.textContent = "Copied";
        say("Copied");
        setTimeout(() => { word.textContent = "Copy"; say(""); }, 2000);
      } catch {
        getSelection().selectAllChildren(value); // no right to the clipboard: let the visitor press the keys
        say("Selected: copy it with your keyboard");
      }
    });
  }

  const asJson = () => `${location.pathname.replace(/\/$/, "")}.json`;
  let asking = false;
  const look = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(asJson(), { cache: "no-store" });
      if (answer.ok) {
        const found = await answer.json();
        if (found.state !== state || Date.parse(found.opens) !== Date.parse(body.dataset.opens)) location.reload();
      }
    } catch {
      // offline or the server restarts: the next look will tell
    } finally {
      asking = false;
    }
  };

  if (state === "too-early" || state === "open") {
    setInterval(look, 60_000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  }

  if (state === "too-early") {
    const opens = Date.parse(body.dataset.opens);
    const shown = pick("[data-countdown]");
    const two = (number) => String(number).padStart(2, "0");
    let nextLook = opens;
    const tick = () => {
      const left = Math.max(0, Math.ceil((opens - now()) / 1000));
      const days = Math.floor(left / 86_400);
      const hours = Math.floor(left / 3600) % 24;
      const clockText = `${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
      const long = days ? `${days} ${days === 1 ? "day" : "days"} ` : "";
      shown.textContent = days || hours ? `${long}${two(hours)}:${clockText}` : clockText;
      if (now() >= nextLook) {
        nextLook = now() + 2000;
        look();
      }
    };
    shown.hidden = false;
    pick("[data-countdown-word]").hidden = false;
    tick();
    setInterval(tick, 500);
  }
})();
