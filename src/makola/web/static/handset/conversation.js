// One conversation on a phone: bubbles, and the field to answer.

import { h, icon, keyed, setText } from "./dom.js";
import * as format from "./format.js";

const SHOWN = 200;
const TOGETHER_MS = 5 * 60_000;
const LONGEST = 1_530;

/** A text field that grows, with a button; Enter sends, Shift and Enter begin a new line. */
export class Composer {
  constructor({ label, send }) {
    this.field = h("textarea.composer__field", {
      rows: 1, maxlength: LONGEST, "aria-label": label, placeholder: "Text message",
      on: { input: () => this.#grow(), keydown: (event) => this.#key(event) },
    });
    this.button = h("button.composer__send", { type: "submit", "aria-label": "Send", disabled: true }, icon("send"));
    this.count = h("span.composer__count", { "aria-hidden": "true" });
    this.element = h("form.composer", { on: { submit: (event) => this.#submit(event) } },
      this.field, this.count, this.button);
    this.send = send;
    this.allowed = true;
  }

  #grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight + 2}px`;
    const length = [...this.field.value].length;
    setText(this.count, length > 100 ? String(length) : "");
    this.button.disabled = !this.allowed || this.field.value.trim() === "";
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.element.requestSubmit();
  }

  async #submit(event) {
    event.preventDefault();
    const content = this.field.value.trim();
    if (!content || !this.allowed || this.sending) return;
    this.sending = true;
    if (await this.send(content)) this.clear();
    this.sending = false;
  }

  clear() {
    this.field.value = "";
    this.#grow();
  }

  /** Allow or forbid writing; `why` stands in the empty field. */
  allow(allowed, why = "Text message") {
    this.allowed = allowed;
    this.field.disabled = !allowed;
    this.field.placeholder = why;
    this.button.disabled = !allowed || this.field.value.trim() === "";
  }
}

/** Messages as rows: a day before the first of each day, the time after each group. */
function rows(messages) {
  const result = [];
  messages.forEach((message, index) => {
    const at = new Date(message.at);
    const before = messages[index - 1];
    const after = messages[index + 1];
    if (!before || new Date(before.at).toDateString() !== at.toDateString()) {
      result.push({ key: `day-${at.toDateString()}`, day: at });
    }
    const last = !after || after.direction !== message.direction
      || new Date(after.at) - at > TOGETHER_MS || new Date(after.at).toDateString() !== at.toDateString();
    result.push({ key: message.id, message, at, last });
  });
  return result;
}

function createRow(row) {
  if (row.day) return h("li.day");
  const { message } = row;
  const bubble = h("div.bubble");
  if (message.flash) bubble.append(h("span.bubble__tag", {}, icon("bolt"), "Flash"));
  if (message.kind === "binary") {
    bubble.append(h("span.bubble__tag", { text: "Binary" }), h("code.bubble__hex", { text: message.content }));
  } else {
    bubble.append(h("span.bubble__text", { text: message.content, dir: "auto" }));
  }
  return h("li.row", { "data-direction": message.direction }, bubble, h("span.row__time"));
}

function updateRow(element, row) {
  if (row.day) {
    setText(element, format.day(row.day));
    return;
  }
  element.classList.toggle("row--last", row.last);
  const parts = row.message.units > 1 ? ` · ${row.message.units} parts` : "";
  setText(element.lastElementChild, row.last || parts ? format.time(row.at) + parts : "");
}

/** The view of one conversation. `actions`: back(), reply(peer, content). */
export class Conversation {
  constructor(actions) {
    this.peer = null;
    this.back = h("button.app__button", { type: "button", "aria-label": "Back to all messages", on: { click: actions.back } },
      icon("back"));
    this.avatar = h("span.avatar", { "aria-hidden": "true" });
    this.title = h("h3.app__name");
    this.list = h("ol.bubbles", { role: "log", "aria-label": "Messages", tabindex: 0 });
    this.composer = new Composer({ label: "Answer", send: (content) => actions.reply(this.peer, content) });
    this.element = h("div.view.view--conversation", { hidden: true },
      h("header.app__head.app__head--conversation", {}, this.back, this.avatar, this.title),
      this.list, this.composer.element);
  }

  show(peer) {
    if (peer !== this.peer) this.composer.clear();
    this.peer = peer;
    this.list.replaceChildren();
  }

  update(messages, { canSend, whyNot }) {
    const wasAtEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80
      || !this.list.childElementCount;
    setText(this.title, format.isNumber(this.peer) ? format.number(this.peer) : this.peer);
    setText(this.avatar, format.initials(this.peer));
    this.avatar.dataset.tint = format.tint(this.peer);
    keyed(this.list, rows(messages.slice(-SHOWN)), (row) => row.key, createRow, updateRow);
    const answerable = format.isNumber(this.peer);
    this.composer.allow(canSend && answerable, answerable ? whyNot : "A name cannot be answered");
    if (wasAtEnd) this.list.scrollTop = this.list.scrollHeight;
  }
}
