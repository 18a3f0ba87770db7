// The dial pad of a phone.

import { h, icon, keyed, setText } from "./dom.js";

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"],
  ["*", ""], ["0", "+"], ["#", ""],
];
const NAMES = { "*": "star", "#": "hash" };
const CODE = /^[*#][\d*#]*#$/;
const LAST = "makola.handset.dialled";

function lastDialled() {
  try {
    return localStorage.getItem(LAST) ?? "";
  } catch {
    return "";
  }
}

function rememberDialled(code) {
  try {
    localStorage.setItem(LAST, code);
  } catch {
    // A full or forbidden storage only means that the page forgets.
  }
}

/** The view with the dial pad. `actions`: dial(code). */
export class Dialer {
  constructor(actions) {
    this.actions = actions;
    this.note = h("p.dialer__note", { role: "status" });
    this.field = h("input.dialer__field", {
      type: "text", inputmode: "none", autocomplete: "off", spellcheck: "false", maxlength: 160, "aria-label": "Code to dial", placeholder: "Dial a code",
      on: { input: () => this.#changed(), keydown: (event) => this.#key(event) },
    });
    this.suggestions = h("ul.dialer__codes", { "aria-label": "Codes that can be dialled" });
    this.call = h("button.dialer__call", { type: "submit", "aria-label": "Dial" }, icon("call"));
    this.erase = h("button.dialer__erase", { type: "button", "aria-label": "Delete the last digit", on: { click: () => this.#erase() } }, icon("erase"));
    this.element = h("form.view.view--dialer", { hidden: true, novalidate: true, "aria-label": "Dial pad", on: { submit: (event) => this.#submit(event) } },
      h("div.dialer__top", {}, this.suggestions, this.field, this.note),
      h("div.dialer__pad", {}, ...KEYS.map(([digit, letters]) => h("button.dialer__key", {
        type: "button", "aria-label": NAMES[digit], on: { click: () => this.#press(digit) },
      }, h("span.dialer__digit", { text: digit }), h("span.dialer__letters", { text: letters, "aria-hidden": "true" })))),
      h("div.dialer__bottom", {}, h("span"), this.call, this.erase));
    this.#changed();
  }

  /** Offer codes: each has `dial` ("*711#") and `name`. */
  offer(codes) {
    this.codes = codes;
    keyed(this.suggestions, codes.slice(0, 4), (each) => each.dial, (each) => h("li", {}, h("button.dialer__code", {
      type: "button", on: { click: () => this.#dial(each.dial) },
    }, h("strong", { text: each.dial }), h("span"))), (element, each) => setText(element.querySelector("span"), each.name));
    this.#changed();
  }

  allow(allowed, why) {
    this.allowed = allowed;
    this.call.disabled = !allowed;
    if (!allowed) setText(this.note, why);
    else if (this.note.textContent === this.why) setText(this.note, "");
    this.why = why;
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  #changed() {
    setText(this.note, "");
    const empty = this.field.value === "";
    this.erase.hidden = empty;
    this.suggestions.hidden = !empty || this.suggestions.childElementCount === 0;
    this.field.classList.toggle("is-long", this.field.value.length > 13);
    this.field.scrollLeft = this.field.scrollWidth;
  }

  #press(digit) {
    this.field.value += digit;
    this.#changed();
  }

  #erase() {
    this.field.value = this.field.value.slice(0, -1);
    this.#changed();
    if (this.erase.hidden) this.field.focus({ preventScroll: true });
  }

  #key(event) {
    if (event.key === "Escape" && this.field.value) {
      event.stopPropagation();
      this.field.value = "";
      this.#changed();
    }
  }

  #submit(event) {
    event.preventDefault();
    const code = this.field.value.replace(/[\s()-]/g, "");
    if (!code) { // as phones do: the green key brings back what was dialled last
      this.field.value = lastDialled();
      this.#changed();
    } else if (CODE.test(code)) {
      this.#dial(code);
    } else {
      setText(this.note, "A USSD code begins with * and ends with #. This phone makes no calls.");
      this.field.focus();
    }
  }

  #dial(code) {
    if (!this.allowed) return;
    rememberDialled(code);
    this.field.value = "";
    this.#changed();
    this.actions.dial(code);
  }
}
