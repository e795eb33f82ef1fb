// Keeps what changes current; without it the page is reloaded by hand. What is opened stays open, and the focus where it is.
const parts = [...document.querySelectorAll("[data-from]")];
async function refresh(part) {
  const answer = await fetch(part.dataset.from);
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === part.dataset.seen) return;
  part.dataset.seen = text;
  const open = [...part.querySelectorAll("details[open]")].map((entry) => entry.id);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.innerHTML = text;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus();
}
async function refreshAll() {
  try {
    await Promise.all(parts.map(refresh));
  } catch {
    // The demo was stopped: the page stays as it was.
  }
  setTimeout(refreshAll, 1000);
}
refreshAll();
