// What happens on the handsets, live. The browser reconnects by itself and names the last event it has;
// where it gives up (an answer that is no stream), this starts again.

const SLOWEST_MS = 10_000;

/** Keep a stream open. `handlers`: ready, messages, handsets, operator (each given the data), status(name). */
export function keepStream(handlers) {
  let lastId = null;
  let wait = 1_000;
  let source;

  function open() {
    source = new EventSource(`/sandbox/events${lastId === null ? "" : `?after=${lastId}`}`);
    for (const name of ["ready", "messages", "handsets", "operator"]) {
      source.addEventListener(name, (event) => {
        lastId = event.lastEventId;
        handlers[name](JSON.parse(event.data));
      });
    }
    source.addEventListener("open", () => {
      wait = 1_000;
      handlers.status("live");
    });
    source.addEventListener("error", () => {
      handlers.status("waiting");
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, SLOWEST_MS);
    });
  }

  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
