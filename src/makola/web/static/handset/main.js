// The bench of virtual handsets: wires the store, the stream, the phones and the panel together.

import * as api from "./api.js";
import { Codes } from "./codes.js";
import { coalesced, h, icon, keyed, setText } from "./dom.js";
import { NewHandset } from "./new_handset.js";
import { told } from "./notices.js";
import { Panel } from "./panel.js";
import { Phone } from "./phone.js";
import { Sheet } from "./sheet.js";
import { keepStream } from "./stream.js";
import { Store } from "./store.js";
import { Wallets } from "./wallet.js";

const RELOAD_MS = 700;
const CLOCK_MS = 10_000;
const CONNECTION = { connecting: "Connecting", live: "Live", waiting: "Reconnecting" };

const store = new Store();
const phones = new Map();
const stage = document.getElementById("stage");
const sheet = new Sheet();
const title = document.title;

const actions = {
  select(number) {
    if (store.selected !== number) store.select(number);
  },
  close: (number) => store.close(number),
  async setState(number, state) {
    const changed = await told(() => api.changeHandset(number, { state }));
    store.put(changed ?? store.get(number));
  },
  async send(number, to, content) {
    const sent = await told(() => api.sendMessage(number, to, content));
    if (sent) store.add([sent]);
    return Boolean(sent);
  },
  async create(values) {
    const handset = await api.createHandset(values);
    store.put(handset);
    store.select(handset.number, { beside: true });
    sheet.close();
  },
  async rename(number, name) {
    const changed = await told(() => api.changeHandset(number, { name }));
    store.put(changed ?? store.get(number));
  },
  clear: (number) => told(() => api.clearMessages(number)),
  remove: (number) => told(() => api.deleteHandset(number)),
  changeOperator: (values) => told(async () => store.setOperator(await api.changeOperator(values))),
};

const newHandset = new NewHandset(store, {
  create: actions.create,
  select: (number) => {
    store.select(number, { beside: true });
    sheet.close();
  },
});
const panel = new Panel(document.getElementById("panel-body"), store, {
  ...actions,
  select: (number) => {
    store.select(number);
    phones.get(number)?.element.scrollIntoView({ behavior: "smooth", inline: "nearest", block: "nearest" });
  },
  beside: (number) => store.select(number, { beside: true }),
});
document.getElementById("new-handset").addEventListener("click", () => newHandset.show());

/**
 * What the phones can do besides messages, an object each. It may have `events` (handlers of further events of the stream,
 * by name), `opened(phone)` (a phone was put on the stage; see `Phone` for what it lets others do) and `update()` (called
 * when something on the page has changed).
 */
const features = [
  new Codes(store, panel, phones),
  new Wallets(store, panel, phones),
];

function emptyStage() {
  return h("div.nobody", {}, h("span.nobody__mark", { "aria-hidden": "true" }, icon("phones")),
    h("h2", { text: "No phone is open" }),
    h("p", { text: "Choose a handset in the list, or create one. Send an SMS to its number through the API, and watch it arrive here." }),
    h("button.button", { type: "button", on: { click: () => newHandset.show() } }, icon("plus"), "New handset"));
}

const arrange = coalesced(() => {
  for (const number of store.open) {
    if (phones.has(number)) continue;
    const phone = new Phone(number, store, actions);
    phones.set(number, phone);
    for (const feature of features) feature.opened?.(phone);
  }
  for (const number of phones.keys()) if (!store.open.includes(number)) phones.delete(number);
  const shown = store.open.length ? store.open.map((number) => phones.get(number)) : [{ number: "nobody" }];
  keyed(stage, shown, (phone) => phone.number, (phone) => phone.element ?? emptyStage());
  stage.classList.toggle("is-several", store.open.length > 1);
  for (const phone of phones.values()) phone.update();
  panel.update();
  for (const feature of features) feature.update?.();
  let unread = 0;
  for (const number of store.handsets.keys()) unread += store.unread(number);
  document.title = unread ? `(${unread}) ${title}` : title;
  sheet.badge(unread - (store.selected ? store.unread(store.selected) : 0));
});

store.addEventListener("handsets", arrange);
store.addEventListener("selection", arrange);
store.addEventListener("operator", panel.update);
store.addEventListener("messages", ({ detail }) => {
  phones.get(detail.number)?.arrived(detail.fresh);
  arrange();
});

let reloading = null;
function reloadSoon() {
  reloading ??= setTimeout(() => {
    reloading = null;
    store.reload().catch(() => reloadSoon());
  }, RELOAD_MS);
}

let refreshing = false;
let refreshAgain = false;
async function refresh() {
  refreshAgain = true;
  if (refreshing) return;
  refreshing = true;
  while (refreshAgain) {
    refreshAgain = false;
    await told(() => store.refreshHandsets());
  }
  refreshing = false;
  openAddressed();
}

/** `/handset#+233…` opens that number, or offers to make it. */
function openAddressed() {
  const number = decodeURIComponent(location.hash.slice(1)).replace(/\s/g, "");
  if (!/^\+\d{6,15}$/.test(number)) return;
  history.replaceState(null, "", location.pathname);
  if (store.get(number)) store.select(number, { beside: true });
  else newHandset.show(number);
}
addEventListener("hashchange", openAddressed);

const connection = document.getElementById("connection");
keepStream({
  ...Object.assign({}, ...features.map((feature) => feature.events)),
  ready() {},
  messages({ messages, incomplete }) {
    store.add(messages);
    if (incomplete) reloadSoon();
  },
  handsets: refresh,
  operator: (operator) => store.setOperator(operator),
  status(name) {
    connection.dataset.state = name;
    setText(connection, CONNECTION[name]);
  },
});
document.addEventListener("visibilitychange", arrange);
setInterval(arrange, CLOCK_MS);
