"use strict";
// Comfort only: everything works without this file.
(() => {
  const { zone, zoneChosen, zoneCookie, base } = document.body.dataset;

  // Times are shown in the visitor's own zone unless another was chosen.
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zoneChosen === "no" && own && own !== zone && !sessionStorage.getItem("zone-told")) {
    sessionStorage.setItem("zone-told", "yes");
    document.cookie = `${zoneCookie}=${own}; path=${base}; max-age=31536000; samesite=lax`;
    const form = document.querySelector("form.fields");
    if (!form) {
      location.reload();
      return;
    }
    if ("fresh" in form.dataset && [...form.zone.options].some((option) => option.value === own)) {
      // A form may be typed into already, so it is not loaded again: its proposed times move to the own zone.
      for (const which of ["start", "end"]) {
        const day = form[`${which}_date`], time = form[`${which}_time`];
        const moment = new Date(`${day.value}T${time.value}Z`);
        moment.setMinutes(moment.getMinutes() - moment.getTimezoneOffset());
        [day.value, time.value] = [moment.toISOString().slice(0, 10), moment.toISOString().slice(11, 16)];
      }
      form.zone.value = own;
    }
  }

  // Menus close on Escape and on a click elsewhere.
  const menus = [...document.querySelectorAll("details.menu")];
  document.addEventListener("click", (event) => {
    menus.filter((menu) => !menu.contains(event.target)).forEach((menu) => { menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    const open = menus.find((menu) => menu.open);
    if (event.key === "Escape" && open) { open.open = false; open.querySelector("summary").focus(); }
  });

  // A field of several people completes the last one.
  document.querySelectorAll("input[data-many]").forEach((field) => {
    const everybody = [...field.list.options].map((option) => [option.value, option.textContent]);
    field.addEventListener("input", () => {
      const before = field.value.slice(0, field.value.search(/[^;,]*$/));
      const prefix = before ? before.trimEnd() + " " : "";
      const taken = before.toLowerCase();
      field.list.replaceChildren(...everybody.filter(([address]) => !taken.includes(address)).map(([address, name]) => {
        const option = document.createElement("option");
        option.value = prefix + address;
        option.textContent = name;
        return option;
      }));
    });
  });

  // The end moves with the start; the last day is asked for only when the meeting repeats.
  const at = (which) => {
    const [day, time] = ["date", "time"].map((part) => document.getElementById(`${which}_${part}`));
    return { day, time, get: () => Date.parse(`${day.value}T${time.value}Z`), set: (moment) => {
      const text = new Date(moment).toISOString();
      day.value = text.slice(0, 10);
      time.value = text.slice(11, 16);
    } };
  };
  if (document.getElementById("start_date")) {
    const start = at("start"), end = at("end");
    let was = start.get();
    for (const field of [start.day, start.time]) {
      field.addEventListener("change", () => {
        const now = start.get(), ended = end.get();
        if (!Number.isNaN(now) && !Number.isNaN(was) && !Number.isNaN(ended) && ended > was) end.set(ended + now - was);
        if (!Number.isNaN(now)) was = now;
      });
    }
    const repeat = document.getElementById("repeat"), until = document.querySelector("[data-until]");
    const ask = () => { until.hidden = ["none", "keep"].includes(repeat.value); };
    repeat.addEventListener("change", ask);
    ask();
    const problem = document.querySelector("[aria-invalid]");
    if (problem) problem.focus();
  }

  // The page follows the mailbox.
  const panes = document.querySelector("[data-live]");
  if (!panes) return;
  let version = "", unread = null;
  const isBusy = (region) => region.contains(document.activeElement) && document.activeElement.matches("textarea")
    || [...region.querySelectorAll("textarea")].some((field) => field.value !== "" || field.closest("details[open]"));
  const put = (region, markup) => {
    if (region.dataset.shown === markup || isBusy(region)) return;
    region.dataset.shown = markup;
    const fresh = document.createElement("template");
    fresh.innerHTML = markup;
    if (fresh.innerHTML.trim() === region.innerHTML.trim()) return;
    const name = (one) => one.getAttribute("href") || one.textContent.trim();
    const focused = region.contains(document.activeElement) ? document.activeElement : null;
    const top = region.scrollTop;
    region.replaceChildren(fresh.content);
    region.scrollTop = top;
    if (focused) {
      const again = [...region.querySelectorAll("a, button, summary")].find((one) => name(one) === name(focused));
      if (again) again.focus({ preventScroll: true });
    }
  };
  const look = async () => {
    if (document.hidden) return;
    const address = new URL(panes.dataset.live, location.href);
    if (version) address.searchParams.set("v", version);
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.status !== 200) return;
    const news = await answer.json();
    version = news.version;
    document.title = news.title;
    for (const [name, markup] of Object.entries(news.regions)) {
      const region = panes.querySelector(`[data-region="${name}"]`);
      if (region) put(region, markup);
    }
    const count = [...panes.querySelectorAll("[data-unread]")].reduce((sum, one) => sum + Number(one.dataset.unread), 0);
    if (unread !== null && count > unread) document.getElementById("announcement").textContent = "New mail";
    unread = count;
  };
  const follow = async () => {
    try { await look(); } catch { /* the server is away for a moment: ask again later */ }
    setTimeout(follow, 1000);
  };
  follow();
})();
