// What the checkout page does better with scripts: it names the network of a number as it is typed, keeps a second click
// from doing harm, and shows at once what has happened. Without scripts everything works all the same.

const RETURN_MS = 5_000;
const ASK_MS = 4_000;

const find = (name) => document.querySelector(name);
const isNarrow = matchMedia("(max-width: 879px)");
let isTouched = false;
let source = null;
let returning = null;

function networkOf(number, select) {
  const digits = number.replace(/\D/g, "").replace(/^(00)?233/, "").replace(/^0/, "");
  if (digits.length < 2) return null;
  return [...select.options].find((option) => option.dataset.prefixes?.split(" ").includes(digits.slice(0, 2))) ?? null;
}

function showNetwork() {
  const output = find("[data-network]");
  const select = find("#network");
  if (!output || !select) return;
  const chosen = select.value ? select.selectedOptions[0] : networkOf(find("#number").value, select);
  output.hidden = !chosen;
  if (!chosen) return;
  output.dataset.network = chosen.value;
  if (output.textContent !== chosen.textContent) output.textContent = chosen.textContent;
}

function prepareForm() {
  const form = find("[data-pay]");
  if (!form) return;
  form.addEventListener("input", () => {
    isTouched = true;
    showNetwork();
  });
  form.addEventListener("submit", (event) => {
    const button = find("[data-submit]");
    if (button.hasAttribute("aria-busy")) event.preventDefault();
    button.setAttribute("aria-busy", "true");
    isTouched = false;
  });
  showNetwork();
  // Browsers scroll to an error only where it takes the focus.
  find("#error")?.focus();
}

function prepareReturn() {
  const link = find("[data-return]");
  const going = find("[data-going]");
  if (!link || !going) return;
  going.hidden = false;
  returning = setTimeout(() => location.assign(link.href), RETURN_MS);
  find("[data-stay]").addEventListener("click", () => {
    clearTimeout(returning);
    going.hidden = true;
    link.focus();
  });
}

function prepare() {
  for (const element of document.querySelectorAll("[data-with-script]")) element.hidden = false;
  const more = find(".bill__more");
  if (more && !isNarrow.matches) more.open = true;
  else if (more && more.querySelectorAll(".line").length > 3) more.open = false;
  prepareForm();
  prepareReturn();
}

/** Put what the server shows now in the place of this page, without losing the place of the reader. */
async function renew() {
  const address = new URL(location.href);
  address.searchParams.delete("another");
  const response = await fetch(address, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const page = fresh.getElementById("page");
  if (!page) return;
  if (location.href !== address.href) history.replaceState(null, "", address);
  document.title = fresh.title;
  find("#page").replaceWith(document.importNode(page, true));
  isTouched = false;
  prepare();
  find("h1")?.focus({ preventScroll: true });
  scrollTo({ top: 0 });
  listen();
}

function heard(version) {
  const page = find("#page");
  if (!page || page.dataset.version === version) return;
  const isChoosing = version.startsWith("choose") || version.startsWith("waiting") || version.startsWith("card");
  if (isTouched && isChoosing) {
    find("[data-news]").hidden = false;
    return;
  }
  renew().catch(() => {});
}

function ask() {
  const page = find("#page");
  if (!page?.dataset.state) return;
  fetch(page.dataset.state).then((answer) => answer.json()).then(({ version }) => heard(version)).catch(() => {});
}

function listen() {
  source?.close();
  source = null;
  const page = find("#page");
  if (!page?.dataset.events) return;
  source = new EventSource(page.dataset.events);
  source.addEventListener("version", (event) => heard(event.data));
}

isNarrow.addEventListener("change", () => {
  if (!isNarrow.matches && find(".bill__more")) find(".bill__more").open = true;
});
prepare();
listen();
setInterval(() => {
  if (source?.readyState === EventSource.CLOSED) ask();
}, ASK_MS);
// A page that comes back from the browser's memory may be long out of date.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  find("[data-submit]")?.removeAttribute("aria-busy");
  ask();
});
