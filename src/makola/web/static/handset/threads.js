// The list of conversations on a phone, and the form for a new one.

import { makeCopyable } from "../copy.js";
import { h, icon, keyed, setText } from "./dom.js";
import * as format from "./format.js";
import { Composer } from "./conversation.js";
import { stateOf } from "./states.js";

/** Messages by the other side, the newest conversation first. */
function threadsOf(messages) {
  const byPeer = new Map();
  for (const message of messages) byPeer.set(message.peer, message);
  return [...byPeer.entries()].map(([peer, last]) => ({ peer, last })).sort((one, other) => other.last.id - one.last.id);
}

/** The view of all conversations. `actions`: openThread(peer), compose(). */
export class Threads {
  constructor(number, actions) {
    this.actions = actions;
    this.note = h("p.app__note", { hidden: true });
    this.list = h("ul.threads");
    const code = h("div.code", {}, h("pre", {}, h("code", { text: format.curl(number) })));
    makeCopyable(code, () => format.curl(number));
    this.empty = h("div.empty", {},
      h("span.empty__mark", { "aria-hidden": "true" }, icon("bubble")),
      h("h4", { text: "No messages yet" }),
      h("p", { text: "Send one to this number with your client id and secret:" }),
      code);
    this.compose = h("button.app__button.app__button--compose", {
      type: "button", "aria-label": "Write a message", on: { click: actions.compose },
    }, icon("compose"));
    this.element = h("div.view.view--threads", {},
      h("header.app__head", {}, h("h3.app__title", { text: "Messages" }), this.compose),
      this.note, this.list, this.empty);
  }

  /** Make the conversation with `peer` catch the eye when it is next drawn. */
  glow(peer) {
    this.glowing = peer;
  }

  update(messages, { handset, canSend, unread }) {
    const threads = threadsOf(messages);
    this.empty.hidden = threads.length > 0;
    this.list.hidden = threads.length === 0;
    this.compose.disabled = !canSend;
    this.note.hidden = handset.state === "on" || handset.state === "off";
    setText(this.note, stateOf(handset.state).text);
    keyed(this.list, threads, (thread) => thread.peer, (thread) => this.#create(thread), (element, thread) => {
      const count = unread(thread.peer);
      const mine = thread.last.direction === "sent" ? "You: " : "";
      setText(element.querySelector(".thread__preview"), mine + format.summary(thread.last));
      setText(element.querySelector(".thread__time"), format.moment(new Date(thread.last.at)));
      const badge = element.querySelector(".badge");
      badge.hidden = count === 0;
      setText(badge.firstElementChild, count > 99 ? "99+" : String(count));
      element.classList.toggle("is-unread", count > 0);
      if (thread.peer === this.glowing) {
        this.glowing = null;
        element.firstElementChild.classList.add("is-new");
        element.firstElementChild.addEventListener("animationend", (event) => event.target.classList.remove("is-new"));
      }
    });
  }

  #create({ peer }) {
    const name = format.isNumber(peer) ? format.number(peer) : peer;
    return h("li", {}, h("button.thread", { type: "button", on: { click: () => this.actions.openThread(peer) } },
      h("span.avatar", { "aria-hidden": "true", "data-tint": format.tint(peer), text: format.initials(peer) }),
      h("span.thread__top", {}, h("span.thread__name", { text: name, dir: "auto" }), h("span.thread__time")),
      h("span.thread__preview", { dir: "auto" }),
      h("span.badge", { hidden: true }, h("span"), h("span.hushed", { text: " unread" }))));
  }
}

/** The view of a new message. `actions`: cancel(), send(to, content). */
export class NewMessage {
  constructor(actions) {
    this.error = h("p.app__error", { role: "alert" });
    this.to = h("input.to__field", {
      type: "tel", inputmode: "tel", autocomplete: "off", placeholder: "Number or short code", maxlength: 20,
      on: { input: () => setText(this.error, "") },
    });
    this.composer = new Composer({
      label: "Message",
      send: async (content) => {
        const to = this.to.value.replace(/[\s()-]/g, "");
        if (!format.isNumber(to)) {
          setText(this.error, "A number or a short code has 3 to 15 digits.");
          this.to.focus();
          return false;
        }
        return actions.send(to, content);
      },
    });
    this.element = h("div.view.view--new", { hidden: true },
      h("header.app__head.app__head--conversation", {},
        h("button.app__button", { type: "button", "aria-label": "Back to all messages", on: { click: actions.cancel } }, icon("back")),
        h("h3.app__name", { text: "New message" })),
      h("label.to", {}, h("span", { text: "To" }), this.to), this.error,
      h("p.view__space"), this.composer.element);
  }

  show() {
    this.to.value = "";
    setText(this.error, "");
    this.composer.clear();
    this.to.focus();
  }
}
