// One phone: frame, status bar, its messages and its dial pad, what it shows over them, and its power.

import { Conversation } from "./conversation.js";
import { Dialer } from "./dialer.js";
import { coalesced, h, icon, setText } from "./dom.js";
import * as format from "./format.js";
import { stateOf } from "./states.js";
import { NewMessage, Threads } from "./threads.js";
import { UssdCard } from "./ussd.js";

const BANNER_MS = 4_500;
const CANNOT_SEND = { off: "The phone is off", unknown: "No service" };

function signal() {
  return h("span.signal", { "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i"));
}

/**
 * `actions`: setState(number, state), send(number, to, content), close(number), select(number).
 * For what else a phone can do: `lay(element)` lays something over its screen, `hold(reason, isHeld)` lets what is below
 * rest while it is there, `isOff` says that nothing can be shown.
 */
export class Phone {
  #holds = new Set();

  constructor(number, store, actions) {
    this.number = number;
    this.store = store;
    this.actions = actions;
    this.flashes = [];
    this.threads = new Threads(number, { openThread: (peer) => this.openThread(peer), compose: () => this.#compose() });
    this.conversation = new Conversation({
      back: () => this.#showThreads(),
      reply: (peer, content) => actions.send(number, peer, content),
    });
    this.newMessage = new NewMessage({
      cancel: () => this.#showThreads(),
      send: async (to, content) => {
        const sent = await actions.send(number, to, content);
        if (sent) this.openThread(to);
        return sent;
      },
    });
    this.dialer = new Dialer({ dial: (code) => this.ussd.dial(code) });
    this.ussd = new UssdCard(number, {
      opened: () => this.hold("ussd", true),
      closed: () => {
        this.hold("ussd", false);
        if (this.view === this.dialer && this.element.contains(document.activeElement)) this.dialer.focus();
      },
    });
    this.view = this.threads;
    this.update = coalesced(() => this.#update());
    this.#build();
    this.#show(this.view);
  }

  #build() {
    const switchPower = () => {
      const { state } = this.store.get(this.number);
      this.actions.setState(this.number, state === "off" ? "on" : "off");
    };
    this.name = h("h2.phone__name");
    this.line = h("p.phone__number");
    this.power = h("button.phone__power", { type: "button", on: { click: switchPower } }, icon("power"), h("span"));
    this.clock = h("span.statusbar__time");
    this.network = h("span.statusbar__network");
    this.offText = h("p.off__text");
    this.off = h("div.off", { hidden: true },
      h("button.off__button", { type: "button", "aria-label": "Switch on", on: { click: switchPower } }, icon("power")),
      h("p.off__title", { text: "This phone is off" }), this.offText);
    this.banner = h("button.banner", { type: "button", hidden: true });
    this.flash = h("div.flash", { role: "alert" });
    this.messagesTab = this.#tab("bubble", "Messages", () => this.#showThreads());
    this.dialTab = this.#tab("call", "Phone", () => this.showDialer());
    this.tabs = h("div.tabs", { role: "group", "aria-label": "Apps of the phone" }, this.messagesTab, this.dialTab);
    this.app = h("div.app", {}, this.threads.element, this.conversation.element, this.newMessage.element, this.dialer.element,
      this.tabs);
    this.announcer = h("p.hushed", { role: "status" });
    this.screen = h("div.screen", {},
      h("div.statusbar", {}, this.clock, h("span.statusbar__island", { "aria-hidden": "true" }),
        h("span.statusbar__side", {}, this.network, signal(), h("span.battery", { "aria-hidden": "true" }))),
      this.app, this.banner, this.ussd.element, this.flash, this.off, h("span.homebar", { "aria-hidden": "true" }));
    this.device = h("div.device", {},
      h("span.device__key.device__key--up", { "aria-hidden": "true" }), h("span.device__key.device__key--down", { "aria-hidden": "true" }),
      h("button.device__power", { type: "button", tabindex: -1, "aria-hidden": "true", title: "Power", on: { click: switchPower } }),
      this.screen);
    this.element = h("article.phone", { on: { pointerdown: () => this.actions.select(this.number), focusin: () => this.actions.select(this.number) } },
      h("header.phone__caption", {}, h("div.phone__who", {}, this.name, this.line), this.power,
        h("button.plain.phone__close", { type: "button", "aria-label": "Close this phone", on: { click: (event) => {
          event.stopPropagation();
          this.actions.close(this.number);
        } } }, icon("close"))),
      this.device, this.announcer);
    this.device.addEventListener("animationend", () => this.device.classList.remove("is-buzzing"));
    this.screen.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (this.flashes.length) this.#dismissFlash();
      else if (this.view !== this.threads && this.view !== this.dialer) this.#showThreads();
    });
  }

  #tab(name, label, show) {
    return h("button.tab", { type: "button", on: { click: show } }, icon(name), h("span", { text: label }),
      h("span.badge", { hidden: true }));
  }

  /** Lay an element over the screen, below what the power does. */
  lay(element) {
    this.screen.insertBefore(element, this.flash);
  }

  /** Let the screen below rest, or wake it, for one of several reasons. */
  hold(reason, isHeld) {
    if (isHeld) this.#holds.add(reason);
    else this.#holds.delete(reason);
    this.app.inert = this.isOff || this.#holds.size > 0;
  }

  get isOff() {
    return this.store.get(this.number)?.state === "off";
  }

  /** Take messages that arrived just now. */
  arrived(fresh) {
    const received = fresh.filter((message) => message.direction === "received");
    if (!received.length || this.isOff) return;
    const last = received.at(-1);
    const more = received.length > 1 ? ` and ${received.length - 1} more` : "";
    setText(this.announcer, `Message from ${last.peer}${more}: ${format.summary(last)}`);
    this.device.classList.add("is-buzzing");
    this.flashes.push(...received.filter((message) => message.flash).slice(-3));
    if (this.view === this.threads) this.threads.glow(last.peer);
    else if ((this.view !== this.conversation || this.conversation.peer !== last.peer) && !last.flash) {
      this.#showBanner(last);
    }
  }

  #showBanner(message) {
    const name = format.isNumber(message.peer) ? format.number(message.peer) : message.peer;
    this.banner.replaceChildren(
      h("span.avatar", { "aria-hidden": "true", "data-tint": format.tint(message.peer), text: format.initials(message.peer) }),
      h("span.banner__name", { text: name }), h("span.banner__text", { text: format.summary(message), dir: "auto" }));
    this.banner.onclick = () => this.openThread(message.peer);
    this.banner.hidden = false;
    clearTimeout(this.bannerTimer);
    this.bannerTimer = setTimeout(() => { this.banner.hidden = true; }, BANNER_MS);
  }

  #dismissFlash() {
    this.flashes.shift();
    this.update();
  }

  #renderFlash() {
    const [message] = this.flashes;
    this.flash.hidden = !message || this.isOff;
    if (!message) {
      this.flash.replaceChildren();
    } else if (this.flash.dataset.id !== String(message.id)) {
      const name = format.isNumber(message.peer) ? format.number(message.peer) : message.peer;
      this.flash.replaceChildren(h("div.flash__card", {},
        h("p.flash__from", {}, icon("bolt"), `Flash message from ${name}`),
        h("p.flash__text", { text: message.content, dir: "auto" }),
        h("button.button.button--small", { type: "button", text: "Dismiss", on: { click: () => this.#dismissFlash() } })));
    }
    this.flash.dataset.id = message ? message.id : "";
  }

  #show(view) {
    for (const each of [this.threads, this.conversation, this.newMessage, this.dialer]) each.element.hidden = each !== view;
    this.view = view;
    this.tabs.hidden = view !== this.threads && view !== this.dialer;
    this.messagesTab.setAttribute("aria-current", view === this.threads);
    this.dialTab.setAttribute("aria-current", view === this.dialer);
    this.banner.hidden = true;
  }

  #showThreads() {
    const { peer } = this.conversation;
    const came = this.view === this.conversation;
    this.#show(this.threads);
    this.#update();
    const from = came && [...this.threads.list.children].find((item) => item.dataset.key === peer);
    (from ? from.firstElementChild : this.threads.compose).focus({ preventScroll: true });
  }

  showDialer() {
    this.#show(this.dialer);
    this.#update();
    this.dialer.focus();
  }

  openThread(peer) {
    this.#show(this.conversation);
    this.conversation.show(peer);
    this.#update();
    this.conversation.back.focus({ preventScroll: true });
  }

  #compose() {
    this.#show(this.newMessage);
    this.#update();
    this.newMessage.show();
  }

  #update() {
    const handset = this.store.get(this.number);
    if (!handset) return;
    this.#updateOutside(handset);
    const all = this.store.messages(this.number);
    const canSend = !(handset.state in CANNOT_SEND);
    const whyNot = CANNOT_SEND[handset.state];
    if (this.view === this.conversation) {
      this.conversation.update(all.filter((message) => message.peer === this.conversation.peer), { canSend, whyNot });
      if (!document.hidden && !this.isOff) this.store.markRead(this.number, this.conversation.peer);
    } else if (this.view === this.threads) {
      this.threads.update(all, { handset, canSend, unread: (peer) => this.store.unread(this.number, peer) });
    } else if (this.view === this.newMessage) {
      this.newMessage.composer.allow(canSend, whyNot);
    }
    this.dialer.allow(canSend, whyNot);
    const unread = this.view === this.threads ? 0 : this.store.unread(this.number);
    const badge = this.messagesTab.lastElementChild;
    badge.hidden = unread === 0;
    setText(badge, unread > 99 ? "99+" : String(unread));
    this.#renderFlash();
  }

  #updateOutside(handset) {
    const shown = format.number(handset.number);
    const isOff = handset.state === "off";
    setText(this.name, handset.name || shown);
    setText(this.line, handset.name ? shown : handset.network);
    setText(this.network, handset.state === "unknown" ? "No service" : handset.network);
    setText(this.clock, format.time(new Date()));
    setText(this.power.lastElementChild, isOff ? "Switch on" : "Switch off");
    this.element.dataset.state = handset.state;
    this.element.dataset.network = handset.network_id;
    this.element.setAttribute("aria-label", `Phone ${handset.name || ""} ${shown}, ${stateOf(handset.state).label}`);
    this.element.classList.toggle("is-selected", this.store.selected === this.number);
    this.off.hidden = !isOff;
    this.hold("off", isOff);
    if (isOff) this.banner.hidden = true;
    if (isOff && this.ussd.isShown) this.ussd.hangUp();
    const { waiting } = handset;
    setText(this.offText, waiting === 0 ? "Messages wait at the operator until it is on again."
      : `${waiting} ${waiting === 1 ? "message waits" : "messages wait"} at the operator.`);
  }
}
