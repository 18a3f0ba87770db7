// Short messages to the person at the page.

import { h } from "./dom.js";

const SHOWN_MS = 6_000;

/** Say something at the edge of the page for a while. */
export function notice(text, kind = "calm") {
  const element = h("p.notice", { text, "data-kind": kind });
  document.getElementById("notices").append(element);
  setTimeout(() => element.remove(), SHOWN_MS);
}

/** Run `work`; when it fails, say why. Returns what `work` returns, or undefined. */
export async function told(work) {
  try {
    return await work();
  } catch (error) {
    notice(error.message, "bad");
    if (!("code" in error)) throw error;
    return undefined;
  }
}
