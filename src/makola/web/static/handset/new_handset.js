// The dialog that makes a handset, or opens the one that has the number.

import { h, setText } from "./dom.js";

/** `actions`: create(values), which may throw a RefusedError; select(number). */
export class NewHandset {
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.dialog = document.getElementById("new-dialog");
    this.networks = document.getElementById("new-networks");
    this.number = document.getElementById("new-number");
    this.name = document.getElementById("new-name");
    this.error = document.getElementById("new-error");
    document.getElementById("new-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    document.getElementById("new-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Ask; `number` is filled in. */
  show(number = "") {
    this.networks.replaceChildren(...(this.store.operator?.networks ?? []).map((network, index) =>
      h("label.network", { "data-network": network.network_id },
        h("input", { type: "radio", name: "network", value: network.network_id, checked: index === 0 }),
        h("span.network__mark", { "aria-hidden": "true" }), h("span", { text: network.name }))));
    this.number.value = number;
    this.name.value = "";
    setText(this.error, "");
    this.dialog.showModal();
    if (number) this.number.focus();
  }

  async #submit() {
    const typed = this.number.value.trim();
    const chosen = this.networks.querySelector("input:checked");
    const values = { name: this.name.value };
    if (typed) values.number = typed;
    else if (chosen) values.network_id = chosen.value;
    try {
      await this.actions.create(values);
      this.dialog.close();
    } catch (error) {
      if (!("code" in error)) throw error;
      const existing = error.code === "handset_exists" && /\+\d+/.exec(error.message);
      if (existing) {
        this.actions.select(existing[0]);
        this.dialog.close();
        return;
      }
      setText(this.error, error.message);
      (error.field === "name" ? this.name : this.number).focus();
    }
  }
}
