// The panel beside the phones: which there are, what each does with a message, and how to send one.

import { makeCopyable } from "../copy.js";
import { coalesced, h, icon, keyed, setText } from "./dom.js";
import * as format from "./format.js";
import { STATES, stateOf } from "./states.js";

const SURE_MS = 4_000;

/** A button that does its work when it is pressed a second time. */
function askTwice(label, name, work) {
  const text = h("span", { text: label });
  let timer = null;
  const calm = () => {
    clearTimeout(timer);
    timer = null;
    setText(text, label);
    button.classList.remove("is-asking");
  };
  const button = h("button.handset__action", { type: "button", on: { blur: calm, click: () => {
    if (timer !== null) {
      calm();
      work();
      return;
    }
    setText(text, "Sure? Press again");
    button.classList.add("is-asking");
    timer = setTimeout(calm, SURE_MS);
  } } }, icon(name), text);
  return button;
}

/** `actions`: select(number), beside(number), setState, rename, clear, remove, changeOperator(values). */
export class Panel {
  constructor(body, store, actions) {
    this.store = store;
    this.actions = actions;
    this.list = h("ul.handsets");
    this.empty = h("p.panel__empty", { text: "No handsets yet. Create one: it takes a number of the network that you choose." });
    this.code = h("code");
    this.codeTitle = h("h3");
    const block = h("div.code", {}, h("pre", {}, this.code));
    makeCopyable(block, () => this.code.textContent);
    this.sending = h("section.panel__part", { hidden: true }, this.codeTitle,
      h("p.panel__hint", { text: "Put in your client id and secret." }), block);
    this.last = this.#operatorPart();
    body.append(this.empty, this.list, this.sending, this.last);
    this.update = coalesced(() => this.#update());
  }

  /** Put a part of its own into the panel, above the operator's. */
  add(part) {
    this.last.before(part);
  }

  #operatorPart() {
    this.available = h("input", { type: "checkbox", role: "switch", on: {
      change: () => this.actions.changeOperator({ available: this.available.checked }) } });
    const numeric = (key, most) => h("input", { type: "number", min: 0, max: most, step: 1, on: { change: (event) => {
      if (event.target.value !== "") this.actions.changeOperator({ [key]: Math.round(Number(event.target.value)) });
    } } });
    this.delay = numeric("delivery_delay_ms", 3_600_000);
    this.expiry = numeric("buffer_expiry_s", 604_800);
    this.operatorState = h("span.operator__state");
    return h("details.panel__part.operator", {},
      h("summary", {}, h("h3", { text: "Operator" }), this.operatorState),
      h("label.switch", {}, h("span", { text: "Link is up" }), this.available),
      h("p.panel__hint", { text: "While it is down, the operator takes nothing and the hub tries again." }),
      h("label.setting", {}, h("span", { text: "Delivers after" }), this.delay, h("span", { text: "ms" })),
      h("label.setting", {}, h("span", { text: "Waits for a phone that is off" }), this.expiry, h("span", { text: "s" })));
  }

  #update() {
    const { store } = this;
    const handsets = [...store.handsets.values()];
    this.empty.hidden = handsets.length > 0;
    keyed(this.list, handsets, (handset) => handset.number, (handset) => this.#createItem(handset),
      (element, handset) => this.#updateItem(element, handset));
    const selected = store.get(store.selected);
    this.sending.hidden = !selected;
    if (selected) {
      setText(this.codeTitle, `Send an SMS to ${selected.name || format.number(selected.number)}`);
      setText(this.code, format.curl(selected.number));
    }
    this.#updateOperator(store.operator);
  }

  #updateOperator(operator) {
    if (!operator) return;
    this.available.checked = operator.available;
    if (document.activeElement !== this.delay) this.delay.value = operator.delivery_delay_ms;
    if (document.activeElement !== this.expiry) this.expiry.value = operator.buffer_expiry_s;
    setText(this.operatorState, operator.available ? "Up" : "Down");
    this.operatorState.dataset.up = operator.available;
  }

  #createItem({ number }) {
    const { actions } = this;
    const detail = h("div.handset__detail", { hidden: true });
    return h("li.handset", {},
      h("button.handset__open", { type: "button", on: { click: () => actions.select(number) } },
        h("span.handset__mark", { "aria-hidden": "true" }),
        h("span.handset__name"), h("span.handset__line"),
        h("span.badge", { hidden: true }, h("span"), h("span.hushed", { text: " unread" })),
        h("span.handset__state")),
      h("button.plain.handset__beside", {
        type: "button", title: "Open beside", "aria-label": `Open ${format.number(number)} beside the others`,
        on: { click: () => actions.beside(number) },
      }, icon("beside")),
      detail);
  }

  #updateItem(element, handset) {
    const { store } = this;
    const { number } = handset;
    const find = (name) => element.querySelector(`.handset__${name}`);
    const selected = store.selected === number;
    element.classList.toggle("is-selected", selected);
    element.dataset.state = handset.state;
    element.dataset.network = handset.network_id;
    find("open").setAttribute("aria-expanded", selected);
    setText(find("mark"), format.initials(handset.name || handset.network));
    setText(find("name"), handset.name || format.number(number));
    setText(find("line"), handset.name ? `${format.number(number)} · ${handset.network}` : handset.network);
    setText(find("state"), stateOf(handset.state).label);
    const count = store.unread(number);
    const badge = element.querySelector(".badge");
    badge.hidden = count === 0 && !store.hasUnseen(number);
    setText(badge.firstElementChild, count === 0 ? "" : String(Math.min(count, 999)));
    find("beside").hidden = store.open.includes(number);
    const detail = find("detail");
    if (selected && !detail.childElementCount) this.#fillDetail(detail, number);
    detail.hidden = !selected;
    if (selected) this.#updateDetail(detail, handset);
  }

  #fillDetail(detail, number) {
    const { actions } = this;
    const choices = STATES.map((state) => h("label.state", { "data-choice": state.name },
      h("input", { type: "radio", name: `state-${number}`, value: state.name, on: { change: () => actions.setState(number, state.name) } }),
      icon(state.icon), h("span", { text: state.label })));
    const name = h("input.handset__rename", { type: "text", maxlength: 40, autocomplete: "off", placeholder: "No name",
      on: { change: () => actions.rename(number, name.value) } });
    detail.append(
      h("fieldset.states", {}, h("legend.hushed", { text: "What this phone does with a message" }), ...choices),
      h("p.handset__explains"), h("p.handset__waits"),
      h("label.setting.setting--name", {}, h("span", { text: "Name" }), name),
      h("div.handset__actions", {}, askTwice("Clear messages", "bubble", () => actions.clear(number)),
        askTwice("Delete handset", "trash", () => actions.remove(number))));
  }

  #updateDetail(detail, handset) {
    for (const input of detail.querySelectorAll("input[type=radio]")) input.checked = input.value === handset.state;
    const name = detail.querySelector(".handset__rename");
    if (document.activeElement !== name) name.value = handset.name;
    setText(detail.querySelector(".handset__explains"), stateOf(handset.state).text);
    const special = [
      handset.refusal && `Submissions are refused: ${handset.refusal.replaceAll("_", " ")}.`,
      handset.deferral && "Submissions are deferred (throttled).",
      handset.receipt_status && `Reports always say ${handset.receipt_status.replaceAll("_", " ")}.`,
      handset.waiting > 0 && `${handset.waiting} waiting at the operator.`,
    ].filter(Boolean);
    setText(detail.querySelector(".handset__waits"), special.join(" "));
  }
}
