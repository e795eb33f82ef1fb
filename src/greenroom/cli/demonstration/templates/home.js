// Keeps the list of meetings current; without it the page is reloaded by hand. Opened timelines stay open.
const list = document.getElementById("meetings");
async function refresh() {
  try {
    const answer = await fetch("/demo/meetings");
    if (answer.ok) {
      const open = new Set([...list.querySelectorAll("details[open]")].map((entry) => entry.id));
      const text = await answer.text();
      if (text !== list.dataset.seen) {
        list.dataset.seen = text;
        list.innerHTML = text;
        for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      }
    }
  } catch {
    // The demo was stopped: the page stays as it was.
  }
  setTimeout(refresh, 1000);
}
refresh();
