// Keeps the newest callbacks up to date: the page is asked for again, and what is open stays open.
const EVERY_MS = 2000;
const list = document.getElementById("deliveries");

async function refresh() {
  if (document.hidden || list.contains(document.activeElement?.closest("form"))) return;
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("deliveries");
  if (fresh.innerHTML === list.dataset.last) return;
  list.dataset.last = fresh.innerHTML;
  const open = new Set([...list.querySelectorAll("details[open]")].map((each) => each.id));
  const focused = document.activeElement?.closest("details")?.id;
  list.replaceChildren(...fresh.childNodes);
  for (const each of list.querySelectorAll("details")) each.open = open.has(each.id);
  if (focused) document.getElementById(focused)?.querySelector("summary").focus();
}

if (list.hasAttribute("data-live")) {
  setInterval(() => refresh().catch(() => {}), EVERY_MS);
}
if (location.hash) {
  const target = document.getElementById(location.hash.slice(1));
  if (target) target.open = true;
}
