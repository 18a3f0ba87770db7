// The service codes that can be dialled: offered on every dial pad, listed in the panel, and a form that sends a code to an application.

import { h, icon, keyed, setText } from "./dom.js";
import { notice } from "./notices.js";
import { UssdCard } from "./ussd.js";

const SERVICES = "/ussd/services";

async function answered(response) {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `The server answered ${response.status}.`);
  return answer;
}

export class Codes {
  constructor(store, panel, phones) {
    this.store = store;
    this.phones = phones;
    this.codes = [];
    this.events = { ussd: (told) => this.phones.get(told.number)?.ussd.told(told) };
    this.list = h("ul.codes");
    this.error = h("p.codes__error", { role: "alert" });
    this.code = h("input.codes__code", { name: "code", required: true, autocomplete: "off", placeholder: "*714#", "aria-label": "Service code", maxlength: 40 });
    this.url = h("input.codes__url", {
      name: "url", type: "url", required: true, autocomplete: "off", placeholder: "http://localhost:3000/ussd", "aria-label": "Address of the application",
    });
    this.element = h("section.panel__part", { hidden: true },
      h("div.codes__title", {}, h("h3", { text: "USSD codes" }), h("a", { href: "/ussd", text: "Session log" })),
      h("p.panel__hint", { text: "Dial one, or send a code of your own to your application." }), this.list,
      h("form.codes__form", { novalidate: true, on: { submit: (event) => this.#save(event) } },
        this.code, h("span.codes__arrow", { "aria-hidden": "true" }, icon("arrow")), this.url,
        h("button.button.button--small", { type: "submit", text: "Save" })), this.error);
    panel.add(this.element);
    this.#load();
  }

  opened(phone) {
    phone.dialer.offer(this.codes);
  }

  async #load() {
    try {
      this.#take(await answered(await fetch(SERVICES, { headers: { Accept: "application/json" } })));
    } catch {
      this.element.hidden = true; // a server without this page
    }
  }

  #take({ services }) {
    this.codes = services;
    UssdCard.hasLog = true;
    this.element.hidden = false;
    for (const phone of this.phones.values()) phone.dialer.offer(services);
    keyed(this.list, services, (each) => each.dial, (each) => h("li.codes__item", {},
      h("button.codes__dial", { type: "button", on: { click: () => this.#dial(each.dial) } }, icon("call"), h("b", { text: each.dial })),
      h("span.codes__to")), (element, each) => setText(element.lastElementChild, each.name || each.url));
  }

  #dial(code) {
    const phone = this.phones.get(this.store.selected);
    if (!phone) {
      notice("Open a phone first.");
      return;
    }
    document.getElementById("panel-close").click(); // on a narrow screen the panel lies over the phone
    phone.showDialer();
    phone.dialer.field.value = code;
    phone.dialer.element.requestSubmit();
  }

  async #save(event) {
    event.preventDefault();
    setText(this.error, "");
    try {
      this.#take(await answered(await fetch(SERVICES, {
        method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ code: this.code.value, url: this.url.value }),
      })));
    } catch (error) {
      setText(this.error, error.message);
      return;
    }
    notice(`${this.code.value} now reaches ${this.url.value}.`);
    event.target.reset();
  }
}
