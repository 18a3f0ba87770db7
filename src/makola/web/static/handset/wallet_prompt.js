// A request for money on a phone: a card over its screen that is approved with a PIN, declined, or left to time out.

import { h, icon, setText } from "./dom.js";
import * as api from "./wallet_api.js";

const RESULT_MS = 4_000;
const TICK_MS = 500;
const REASONS = {
  wrong_pin: "The PIN was wrong. The payment has failed.",
  insufficient_funds: "There is not enough money in the wallet. The payment has failed.",
  over_limit: "The amount is above the wallet’s limit. The payment has failed.",
  over_daily_limit: "The amount is above what the wallet may still pay today. The payment has failed.",
  not_registered: "This number has no wallet any more. The payment has failed.",
  phone_off: "The phone is off. The payment has failed.",
  declined: "Declined. Nothing was paid.",
  timed_out: "Too late: the payment has timed out.",
};

export const money = (amount, currency) => `${currency} ${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 })}`;

let cards = 0;

export class PromptCard {
  constructor(phone) {
    this.phone = phone;
    this.prompts = [];
    this.shown = null;
    this.isResult = false;
    const id = `prompt-${cards += 1}`;
    this.title = h("h3.prompt__title", { id: `${id}-title`, text: "Mobile money" });
    this.left = h("span.prompt__left", { "aria-hidden": "true" });
    this.amount = h("p.prompt__amount");
    this.payee = h("p.prompt__payee", { dir: "auto" });
    this.note = h("p.prompt__note", { dir: "auto" });
    this.field = h("input.prompt__pin", {
      type: "password", inputmode: "numeric", maxlength: 6, autocomplete: "off", "aria-label": "PIN", placeholder: "PIN", enterkeyhint: "done",
    });
    this.error = h("p.prompt__error", { role: "alert" });
    this.decline = h("button.prompt__button", { type: "button", text: "Decline", on: { click: () => this.#answer(() => api.decline(this.phone.number, this.shown.id)) } });
    this.approve = h("button.prompt__button.prompt__button--main", { type: "submit", text: "Approve" });
    this.form = h("form.prompt__card", { novalidate: true, "aria-labelledby": `${id}-title`, on: { submit: (event) => this.#submit(event) } },
      h("div.prompt__head", {}, icon("lock"), this.title, this.left), this.amount, this.payee, this.note, this.field, this.error,
      h("div.prompt__buttons", {}, this.decline, this.approve));
    this.mark = h("span.prompt__mark", { "aria-hidden": "true" });
    this.outcome = h("p.prompt__outcome", { role: "status" });
    this.close = h("button.prompt__button", { type: "button", text: "Close", on: { click: () => this.#next() } });
    this.result = h("div.prompt__card.prompt__card--result", { hidden: true }, this.mark, this.outcome, this.close);
    this.element = h("div.prompt", { hidden: true, role: "dialog", "aria-label": "Request for money" }, this.form, this.result);
    phone.lay(this.element);
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** Take the prompts that wait on this phone now. */
  take(prompts) {
    this.prompts = prompts;
    if (this.isResult) return;
    if (this.shown && prompts.some((prompt) => prompt.id === this.shown.id)) return;
    if (this.shown && !this.isBusy) this.#showResult({ state: "failed", reason: "timed_out" });
    else if (!this.shown) this.#next();
  }

  #next() {
    clearTimeout(this.timer);
    this.isResult = false;
    this.isBusy = false;
    const before = this.shown;
    this.shown = this.prompts.find((prompt) => prompt.id !== before?.id) ?? null;
    this.form.hidden = false;
    this.result.hidden = true;
    this.element.hidden = !this.shown;
    this.phone.hold("prompt", Boolean(this.shown));
    if (!this.shown) return;
    setText(this.amount, money(this.shown.amount, this.shown.currency));
    setText(this.payee, `to ${this.shown.payee}`);
    setText(this.note, this.shown.note);
    this.note.hidden = !this.shown.note;
    this.field.value = "";
    setText(this.error, "");
    this.#tick();
    if (this.phone.store.selected === this.phone.number) this.field.focus({ preventScroll: true });
  }

  #tick() {
    if (!this.shown || this.isResult) return;
    const left = Math.max(0, Math.ceil((new Date(this.shown.expires_at) - Date.now()) / 1000));
    setText(this.left, `${left} s`);
    this.left.classList.toggle("is-late", left < 15);
  }

  #submit(event) {
    event.preventDefault();
    const pin = this.field.value;
    if (!/^\d{4,6}$/.test(pin)) {
      setText(this.error, "A PIN has 4 to 6 digits.");
      this.field.focus();
      return;
    }
    this.#answer(() => api.approve(this.phone.number, this.shown.id, pin));
  }

  async #answer(work) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.approve.disabled = this.decline.disabled = true;
    try {
      this.#showResult(await work());
    } catch (error) {
      if (error.code === "prompt_closed" || error.code === "prompt_not_found") this.#showResult({ state: "failed", reason: "timed_out" });
      else setText(this.error, error.message);
    }
    this.field.value = "";
    this.isBusy = false;
    this.approve.disabled = this.decline.disabled = false;
  }

  #showResult({ state, reason }) {
    const paid = state === "successful";
    this.isResult = true;
    this.form.hidden = true;
    this.result.hidden = false;
    this.result.dataset.good = paid;
    this.mark.replaceChildren(icon(paid ? "check" : "close"));
    setText(this.outcome, paid ? `Paid ${money(this.shown.amount, this.shown.currency)} to ${this.shown.payee}.` : REASONS[reason] ?? "The payment has failed.");
    this.timer = setTimeout(() => this.#next(), RESULT_MS);
  }
}
