// What happens on the handsets, live. The browser reconnects by itself and names the last event it has;
// where it gives up (an answer that is no stream), this starts again.

const SLOWEST_MS = 10_000;

/** Keep a stream open. `handlers`: status(name), and one for each kind of event, given its data. */
export function keepStream({ status, ...handlers }) {
  let lastId = null;
  let wait = 1_000;
  let source;

  function open() {
    source = new EventSource(`/sandbox/events${lastId === null ? "" : `?after=${lastId}`}`);
    for (const name of Object.keys(handlers)) {
      source.addEventListener(name, (event) => {
        lastId = event.lastEventId || lastId;
        handlers[name](JSON.parse(event.data));
      });
    }
    source.addEventListener("open", () => {
      wait = 1_000;
      status("live");
    });
    source.addEventListener("error", () => {
      status("waiting");
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, SLOWEST_MS);
    });
  }

  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
