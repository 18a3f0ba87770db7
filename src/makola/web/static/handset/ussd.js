// A USSD session on a phone: the card that lies over its screen, from the dialled code to the last screen.

import * as api from "./api.js";
import { h, icon, setText } from "./dom.js";

/** The network hangs up when the subscriber says nothing for so long. */
const PATIENCE_S = 60;
const WARN_S = 20;
const LONGEST = 182;

let cards = 0;

/** `actions`: opened(), closed() (the phone's screen below is free again). */
export class UssdCard {
  /** Whether this server has the page with the log of sessions. */
  static hasLog = false;

  constructor(number, actions) {
    this.number = number;
    this.actions = actions;
    this.session = null;
    this.turn = 0; // an answer to an earlier turn is not shown
    const id = `ussd-${cards += 1}`;
    this.code = h("span.ussd__code");
    this.left = h("span.ussd__left", { "aria-hidden": "true" });
    this.bar = h("span.ussd__bar", { "aria-hidden": "true" });
    this.text = h("p.ussd__text", { id: `${id}-text`, "aria-live": "assertive", dir: "auto" });
    this.field = h("input.ussd__field", {
      type: "text", maxlength: LONGEST, autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "send",
      "aria-label": "Your reply", "aria-describedby": `${id}-text`,
    });
    this.hint = h("p.ussd__hint", { hidden: true }, icon("lock"), h("span", { text: "Kept out of every log." }));
    this.answer = h("div.ussd__answer", { hidden: true }, this.field, this.hint);
    this.spinner = h("p.ussd__running", { hidden: true }, h("span.ussd__spinner", { "aria-hidden": "true" }), h("span", { text: "USSD code running…" }));
    this.log = h("a.ussd__log", { target: "_blank", rel: "noopener", hidden: true }, icon("list"), "Log");
    this.cancel = h("button.ussd__button", { type: "button", text: "Cancel", on: { click: () => this.hangUp() } });
    this.send = h("button.ussd__button.ussd__button--main", { type: "submit", text: "Send" });
    this.form = h("form.ussd__card", { novalidate: true, on: {
      submit: (event) => this.#submit(event),
    } },
    h("div.ussd__head", {}, h("span.ussd__kind", { text: "USSD" }), this.code, this.left), this.bar,
    this.text, this.spinner, this.answer, h("div.ussd__buttons", {}, this.log, this.cancel, this.send));
    this.element = h("div.ussd", { hidden: true, role: "dialog", "aria-label": "USSD session", on: { keydown: (event) => this.#key(event) } }, this.form);
  }

  get isShown() {
    return !this.element.hidden;
  }

  /** Dial a code, such as "*711#". */
  dial(code) {
    if (this.isShown) return;
    this.session = null;
    this.recorded = null;
    this.log.hidden = true;
    this.element.hidden = false;
    setText(this.code, code);
    this.actions.opened();
    this.#ask({ input: code });
  }

  /** Take what the operator says by itself: a time-out. */
  told({ session, text, open, masked }) {
    if (this.session !== null && session === this.session) this.#show({ session, text, open, masked });
  }

  /** End the session as the subscriber does, or put the last screen away. */
  hangUp() {
    const open = this.state !== "ended";
    this.turn += 1;
    this.session = null;
    this.#close();
    if (open) api.cancelUssd(this.number).catch(() => {}); // there may be nothing left to cancel
  }

  #close() {
    clearInterval(this.timer);
    this.state = null;
    this.element.hidden = true;
    this.field.value = "";
    setText(this.text, "");
    this.actions.closed();
  }

  async #ask(body) {
    const turn = this.turn += 1;
    this.#become("running");
    let screen;
    try {
      screen = await api.ussd(this.number, body);
    } catch (error) {
      if (!("code" in error)) throw error;
      screen = { session: null, text: error.message, open: false, masked: false };
    }
    if (turn === this.turn) this.#show(screen);
  }

  #show({ session, text, open, masked, session_id: recorded = this.recorded }) {
    this.session = open ? session : null;
    this.recorded = recorded;
    this.log.hidden = !UssdCard.hasLog || !(recorded || (session && !open));
    this.log.href = recorded ? `/ussd/sessions/${recorded}` : "/ussd#errors"; // nothing began, and there it says why
    setText(this.text, text);
    this.field.value = "";
    this.field.type = masked ? "password" : "text";
    this.hint.hidden = !masked;
    this.#become(open ? "open" : "ended");
  }

  #become(state) {
    const { activeElement } = document;
    const mayFocus = activeElement === null || activeElement === document.body || this.#phone()?.contains(activeElement);
    this.state = state;
    this.element.dataset.state = state;
    this.spinner.hidden = state !== "running";
    this.text.hidden = state === "running";
    this.answer.hidden = state !== "open";
    this.cancel.hidden = state === "ended";
    this.send.hidden = state === "running";
    setText(this.send, state === "ended" ? "OK" : "Send");
    clearInterval(this.timer);
    setText(this.left, "");
    this.bar.style.scale = "0 1";
    if (state === "open") this.#count();
    if (mayFocus) ({ running: this.cancel, open: this.field, ended: this.send })[state].focus({ preventScroll: true });
  }

  #phone() {
    return this.element.closest(".phone");
  }

  /** Show how long the network still waits. */
  #count() {
    const until = performance.now() + PATIENCE_S * 1_000;
    const tick = () => {
      const left = Math.max(0, (until - performance.now()) / 1_000);
      this.bar.style.scale = `${left / PATIENCE_S} 1`;
      this.bar.classList.toggle("is-late", left <= WARN_S);
      setText(this.left, left <= WARN_S ? `${Math.ceil(left)} s` : "");
    };
    tick();
    this.timer = setInterval(tick, 1_000);
  }

  #submit(event) {
    event.preventDefault();
    if (this.state === "ended") this.hangUp();
    else if (this.state === "open") this.#ask({ session: this.session, input: this.field.value });
  }

  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.hangUp();
    } else if (event.key === "Tab") {
      this.#keepFocus(event);
    }
  }

  /** A phone shows nothing else while a session runs: Tab goes round in the card. */
  #keepFocus(event) {
    const stops = [this.field, this.log, this.cancel, this.send].filter((each) => each.offsetParent !== null);
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement !== edge) return;
    event.preventDefault();
    stops.at(event.shiftKey ? -1 : 0).focus();
  }
}
