// On a narrow screen the panel is a sheet over the phone.

export class Sheet {
  constructor() {
    this.panel = document.getElementById("panel");
    this.stage = document.getElementById("stage");
    this.opener = document.getElementById("panel-open");
    this.backdrop = document.getElementById("backdrop");
    this.mark = document.getElementById("panel-badge");
    this.narrow = matchMedia("(max-width: 860px)");
    this.opener.addEventListener("click", () => this.open());
    this.backdrop.addEventListener("click", () => this.close());
    document.getElementById("panel-close").addEventListener("click", () => this.close());
    this.panel.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
    this.narrow.addEventListener("change", () => this.close());
  }

  open() {
    this.#set(true);
    document.getElementById("panel-title").focus();
  }

  close() {
    if (!this.panel.classList.contains("is-open")) return;
    this.#set(false);
    if (this.narrow.matches) this.opener.focus();
  }

  #set(open) {
    this.panel.classList.toggle("is-open", open);
    this.backdrop.hidden = !open;
    this.stage.inert = open;
    this.opener.setAttribute("aria-expanded", open);
  }

  /** Show how many unread messages other phones have. */
  badge(count) {
    this.mark.hidden = count <= 0;
    this.mark.textContent = count > 99 ? "99+" : String(count);
  }
}
