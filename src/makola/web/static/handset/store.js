// What the page knows: handsets, their messages, which phones are open, and what was read.

import * as api from "./api.js";

const KEPT = 400;
const OPEN_AT_MOST = 6;

function recall(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`makola.handset.${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`makola.handset.${key}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage only means that the page forgets.
  }
}

/** Events: handsets, messages (detail: number, fresh), selection, operator. */
export class Store extends EventTarget {
  handsets = new Map();
  operator = null;
  open = recall("open", []);
  selected = recall("selected", null);
  #messages = new Map();
  #loaded = new Set();
  #started = false;
  #read = recall("read", {});

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  get(number) {
    return this.handsets.get(number);
  }

  messages(number) {
    return this.#messages.get(number) ?? [];
  }

  setOperator(operator) {
    this.operator = operator;
    this.#tell("operator");
  }

  async refreshHandsets() {
    const listed = await api.listHandsets();
    this.handsets = new Map(listed.map((handset) => [handset.number, handset]));
    for (const handset of listed) this.#forgetCleared(handset);
    for (const number of this.#messages.keys()) {
      if (this.handsets.has(number)) continue;
      this.#messages.delete(number);
      this.#loaded.delete(number);
    }
    this.open = this.open.filter((number) => this.handsets.has(number));
    if (!this.handsets.has(this.selected)) {
      const first = this.#started ? null : listed[0]?.number; // who closed every phone wants none
      this.selected = this.open.at(-1) ?? first ?? null;
    }
    this.#started = true;
    if (this.selected !== null && !this.open.includes(this.selected)) this.open.push(this.selected);
    for (const number of Object.keys(this.#read)) if (!this.handsets.has(number)) delete this.#read[number];
    this.#tell("handsets");
    this.#selectionChanged();
  }

  /** Take a handset as the server now has it. */
  put(handset) {
    this.handsets.set(handset.number, handset);
    this.#forgetCleared(handset);
    this.#tell("handsets");
  }

  #forgetCleared(handset) {
    const list = this.messages(handset.number);
    if (!list.length || list[0].id > handset.cleared_to) return;
    this.#messages.set(handset.number, list.filter((message) => message.id > handset.cleared_to));
    this.#tell("messages", { number: handset.number, fresh: [] });
  }

  select(number, { beside = false } = {}) {
    if (!this.open.includes(number)) {
      const place = this.open.indexOf(this.selected);
      if (beside && this.open.length < OPEN_AT_MOST) this.open.splice(place + 1, 0, number);
      else if (place >= 0) this.open[place] = number;
      else this.open.push(number);
    }
    this.selected = number;
    this.#selectionChanged();
  }

  close(number) {
    this.open = this.open.filter((other) => other !== number);
    if (this.selected === number) this.selected = this.open.at(-1) ?? null;
    this.#selectionChanged();
  }

  #selectionChanged() {
    remember("open", this.open);
    remember("selected", this.selected);
    for (const number of this.open) {
      if (!this.#loaded.has(number)) this.load(number).catch(() => this.#loaded.delete(number));
    }
    this.#tell("selection");
  }

  /** Fetch the newest messages of a handset. */
  async load(number) {
    this.#loaded.add(number);
    this.#merge(number, await api.listMessages(number), false);
  }

  /** Fetch again what is open: more happened than the stream tells one by one. */
  reload() {
    return Promise.all(this.open.map((number) => this.load(number)));
  }

  /** Take messages from the stream. */
  add(messages) {
    const byNumber = new Map();
    for (const message of messages) {
      if (!byNumber.has(message.number)) byNumber.set(message.number, []);
      byNumber.get(message.number).push(message);
    }
    for (const [number, fresh] of byNumber) this.#merge(number, fresh, true);
  }

  #merge(number, list, live) {
    const known = this.messages(number);
    const ids = new Set(known.map((message) => message.id));
    const added = list.filter((message) => !ids.has(message.id));
    const all = [...known, ...added].sort((one, other) => one.id - other.id);
    this.#messages.set(number, all.slice(-KEPT));
    this.#tell("messages", { number, fresh: live ? added : [] });
  }

  /** Messages received from `peer`, or from anybody, that nobody looked at. */
  unread(number, peer = null) {
    const read = this.#read[number] ?? {};
    return this.messages(number).filter((message) => message.direction === "received"
      && (peer === null || message.peer === peer) && message.id > (read[message.peer] ?? 0)).length;
  }

  /** True when there are messages on a handset that was not opened here yet. */
  hasUnseen(number) {
    if (this.#loaded.has(number)) return false;
    const seen = Math.max(0, ...Object.values(this.#read[number] ?? {}));
    return (this.get(number)?.last_message_id ?? 0) > seen && this.unread(number) === 0;
  }

  markRead(number, peer) {
    const last = this.messages(number).findLast((message) => message.peer === peer);
    const read = this.#read[number] ??= {};
    if (!last || (read[peer] ?? 0) >= last.id) return;
    read[peer] = last.id;
    remember("read", this.#read);
    this.#tell("messages", { number, fresh: [] });
  }
}
