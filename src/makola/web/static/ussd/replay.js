// Plays a recorded session against the application again, one step at a time, beside the original.

import { h } from "../handset/dom.js";

async function asked(path, options) {
  const response = await fetch(path, options).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (!response?.ok) throw new Error(answer?.detail ?? "The server does not answer.");
  return answer;
}

/** One replay of the session shown in `element`. */
export class Replay {
  constructor(element) {
    this.element = element;
    this.path = `/ussd/sessions/${element.dataset.session}/replay`;
    this.state = null;
    this.isOpen = true;
  }

  async begin() {
    this.element.classList.add("is-replaying");
    try {
      // A step that came after the page is not shown yet, and has no place beside it.
      this.steps = (await asked(this.path)).steps.filter((step) => this.#side(step.position));
    } catch (error) {
      this.#tell(this.element.querySelector(".step"), error.message);
      return;
    }
    this.#offer(0);
  }

  end() {
    this.isOpen = false;
    this.element.classList.remove("is-replaying");
    for (const side of this.element.querySelectorAll(".step__side--replay")) {
      side.hidden = true;
      side.replaceChildren();
    }
  }

  #side(position) {
    return this.element.querySelector(`.step[data-position="${position}"] .step__side--replay`);
  }

  /** Offer to send a step: the input as it was, or a field where it was masked. */
  #offer(index) {
    const step = this.steps[index];
    const side = this.#side(step.position);
    const field = h("input.replay__field", {
      type: step.masked ? "password" : "text", autocomplete: "off", "aria-label": "What to send", value: step.masked ? null : step.input,
      placeholder: step.masked ? "Masked: type it again" : "nothing",
    });
    const form = h("form.replay__form", { on: { submit: (event) => {
      event.preventDefault();
      const changed = step.masked || field.value !== step.input;
      this.#send(index, changed ? field.value : null);
    } } }, h("span.replay__mark", { text: "Replay" }), h("span.step__kind", { text: step.kind }), field,
    h("button.button.button--small", { type: "submit", text: index === 0 ? "Send" : "Send next" }),
    h("button.plain.replay__end", { type: "button", "aria-label": "End the replay", text: "✕", on: { click: () => this.end() } }));
    side.replaceChildren(form);
    side.hidden = false;
    field.focus({ preventScroll: true });
    side.scrollIntoView({ block: "nearest" });
  }

  async #send(index, typed) {
    const step = this.steps[index];
    const side = this.#side(step.position);
    side.replaceChildren(h("p.replay__running", { role: "status", text: "Asking the application…" }));
    let result;
    try {
      result = await asked(this.path, {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ position: step.position, state: this.state, typed }),
      });
    } catch (error) {
      if (this.isOpen) this.#tell(side.closest(".step"), error.message);
      return;
    }
    if (!this.isOpen) return;
    this.state = result.state;
    this.#show(side, step, result, typed);
    const last = index + 1 === this.steps.length;
    if (!result.ends && !last) this.#offer(index + 1);
    else this.#finish(side, result, last);
  }

  #show(side, step, result, typed) {
    const shown = step.masked ? "****" : typed ?? step.input;
    const facts = [result.duration_ms === null ? null : `${result.duration_ms} ms`, result.status === null ? null : `HTTP ${result.status}`];
    side.replaceChildren(
      h("p.step__typed", {}, h("span.replay__mark", { text: "Replay" }), h("span.step__kind", { text: step.kind }), shown ? h(step.masked ? "b.is-masked" : "b", { text: shown }) : null),
      result.error
        ? h("div.step__error", {}, h("p", {}, h("b", { text: `${result.error} ` }), result.cause),
          result.body ? h("p.step__body", {}, "The application answered: ", h("code", { text: result.body })) : null)
        : h("p.step__screen", { text: result.text, dir: "auto" }),
      h("p.step__facts", {}, h("span", { class: result.same ? "verdict verdict--same" : "verdict", text: result.same ? "Same as then" : "Different" }),
        ` ${facts.filter(Boolean).join(" · ")}`),
      h("details.wire", {}, h("summary", { text: "Request and answer" }), h("div.code", {}, h("pre", {}, h("code", { text: result.request }))),
        result.answer ? h("div.code.code--answer", {}, h("pre", {}, h("code", { text: result.answer }))) : null));
  }

  #finish(side, result, last) {
    const early = result.error ? "The application failed: the replay ends here." : "The application ended the session earlier than then.";
    const why = result.ends && !last ? early : "The replay is complete.";
    const again = h("button.button.button--quiet.button--small", { type: "button", text: "Replay again", "data-replay": true });
    side.append(h("p.step__note", { role: "status", text: why }), h("p.replay__after", {}, again,
      h("button.button.button--quiet.button--small", { type: "button", text: "Close the replay", on: { click: () => this.end() } })));
    again.focus({ preventScroll: true });
  }

  #tell(step, text) {
    const side = step.querySelector(".step__side--replay");
    side.hidden = false;
    side.replaceChildren(h("p.step__error", { role: "alert", text }));
  }
}
