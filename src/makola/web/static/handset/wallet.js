// The wallets of the handsets: a part of the panel for the selected one, and requests for money on the phones.

import { h, setText } from "./dom.js";
import * as format from "./format.js";
import { told } from "./notices.js";
import * as api from "./wallet_api.js";
import { money, PromptCard } from "./wallet_prompt.js";

const TOP_UPS = [10, 100, 1000];

export class Wallets {
  constructor(store, panel, phones) {
    this.store = store;
    this.phones = phones;
    this.wallets = new Map();
    this.prompts = [];
    this.cards = new WeakMap();
    this.events = { wallets: (news) => this.#take(news) };
    this.#build();
    panel.add(this.element);
  }

  #build() {
    const number = () => this.store.selected;
    const change = (values) => told(async () => this.#put(await api.change(number(), values)));
    this.title = h("h3");
    this.balance = h("output.wallet__balance");
    this.spent = h("p.panel__hint");
    const topUps = TOP_UPS.map((amount) => h("button.button.button--quiet.button--small", {
      type: "button", text: `+ ${amount.toLocaleString("en")}`, "aria-label": `Put GHS ${amount} into the wallet`,
      on: { click: () => told(async () => this.#put(await api.topUp(number(), amount))) },
    }));
    const empty = h("button.button.button--quiet.button--small", { type: "button", text: "Empty", on: { click: () => change({ balance: 0 }) } });
    this.registered = h("input", { type: "checkbox", role: "switch", on: { change: () => change({ registered: this.registered.checked }) } });
    const limit = (key) => h("input", { type: "number", min: 0.01, step: "any", on: { change: (event) => {
      if (Number(event.target.value) > 0) change({ [key]: event.target.value });
    } } });
    this.perPayment = limit("limit_per_payment");
    this.perDay = limit("limit_per_day");
    this.pin = h("input", { type: "password", inputmode: "numeric", maxlength: 6, autocomplete: "off", placeholder: "4 to 6 digits", on: { change: async () => {
      if (this.pin.value) await change({ pin: this.pin.value });
      this.pin.value = "";
    } } });
    this.pinHint = h("p.panel__hint");
    this.element = h("section.panel__part.wallet", { hidden: true }, this.title, this.balance, this.spent,
      h("div.wallet__buttons", {}, ...topUps, empty),
      h("label.switch", {}, h("span", { text: "Registered for mobile money" }), this.registered),
      h("details.wallet__more", {}, h("summary", { text: "Limits and PIN" }),
        h("label.setting", {}, h("span", { text: "Most at once" }), this.perPayment),
        h("label.setting", {}, h("span", { text: "Most in a day" }), this.perDay),
        h("label.setting", {}, h("span", { text: "New PIN" }), this.pin)),
      this.pinHint);
  }

  opened(phone) {
    this.#card(phone).take(this.#promptsOf(phone.number));
  }

  #card(phone) {
    if (!this.cards.has(phone)) this.cards.set(phone, new PromptCard(phone));
    return this.cards.get(phone);
  }

  #promptsOf(number) {
    return this.prompts.filter((prompt) => prompt.number === number);
  }

  #take({ wallets, prompts }) {
    const known = new Set(this.prompts.map((prompt) => prompt.id));
    this.wallets = new Map(wallets.map((wallet) => [wallet.number, wallet]));
    this.prompts = prompts;
    // A request on a phone that nobody looks at would time out unseen.
    const unseen = prompts.find((prompt) => !known.has(prompt.id) && !this.phones.has(prompt.number));
    if (unseen && this.store.get(unseen.number)) this.store.select(unseen.number, { beside: true });
    for (const phone of this.phones.values()) this.#card(phone).take(this.#promptsOf(phone.number));
    this.update();
  }

  #put(wallet) {
    this.wallets.set(wallet.number, wallet);
    this.update();
  }

  update() {
    const wallet = this.wallets.get(this.store.selected);
    const handset = this.store.get(this.store.selected);
    this.element.hidden = !wallet || !handset;
    if (this.element.hidden) return;
    setText(this.title, `Wallet of ${handset.name || format.number(handset.number)}`);
    setText(this.balance, money(wallet.balance, wallet.currency));
    setText(this.spent, wallet.spent_today ? `${money(wallet.spent_today, wallet.currency)} paid today.` : "Nothing paid today.");
    this.registered.checked = wallet.registered;
    for (const [field, value] of [[this.perPayment, wallet.limit_per_payment], [this.perDay, wallet.limit_per_day]]) {
      if (document.activeElement !== field) field.value = value;
    }
    setText(this.pinHint, wallet.has_own_pin ? "It has a PIN of its own." : "Its PIN is 1234 until you set another.");
  }
}
