// The log of USSD sessions: follows what happens, sends codes to applications, and starts replays.

import { follow } from "./follow.js";
import { Replay } from "./replay.js";

const list = document.getElementById("sessions");
const replays = new Map();

list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-replay]");
  if (!button) return;
  const session = button.closest(".session");
  replays.get(session.dataset.session)?.end();
  const replay = new Replay(session);
  replays.set(session.dataset.session, replay);
  replay.begin();
});

const form = document.getElementById("map");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = form.querySelector(".map__error");
  error.textContent = "";
  const answer = await fetch("/ussd/services", {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code: form.elements.code.value, url: form.elements.url.value }),
  }).catch(() => null);
  if (answer?.ok) {
    form.reset();
    await refresh();
    document.querySelector("#services .service__code")?.focus();
  } else {
    error.textContent = (await answer?.json().catch(() => null))?.detail ?? "The server does not answer.";
  }
});

/** Fetch the page again and take from it what has changed; what is open, focused or being replayed stays. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const services = document.getElementById("services");
  if (services) services.innerHTML = fresh.getElementById("services").innerHTML; // the server's own markup
  takeErrors(fresh.getElementById("errors"));
  const before = new Map([...list.querySelectorAll(".session")].map((each) => [each.id, each]));
  const now = [...fresh.getElementById("sessions").children].map((each) => {
    const old = before.get(each.id);
    if (!old) {
      each.classList.add("is-new");
      return each;
    }
    if (old.dataset.version === each.dataset.version || replays.get(old.dataset.session)?.isOpen) return old;
    each.open = old.open;
    const opened = [...old.querySelectorAll(".step")].filter((step) => step.querySelector(".wire[open]")).map((step) => step.dataset.position);
    for (const position of opened) each.querySelector(`.step[data-position="${position}"] .wire`)?.setAttribute("open", "");
    if (old.contains(document.activeElement)) queueMicrotask(() => each.querySelector("summary").focus({ preventScroll: true }));
    return each;
  });
  list.replaceChildren(...now);
}

/** Show the errors as they are now; one that has its focus keeps it. */
function takeErrors(fresh) {
  const errors = document.getElementById("errors");
  if (!errors || !fresh || errors.innerHTML === fresh.innerHTML) return;
  const focused = errors.contains(document.activeElement) ? document.activeElement.closest(".error")?.id ?? "summary" : null;
  errors.innerHTML = fresh.innerHTML; // the server's own markup
  if (focused) (document.getElementById(focused)?.querySelector("a") ?? errors.querySelector("summary")).focus({ preventScroll: true });
}

if (list.hasAttribute("data-live")) follow(refresh);
if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
