// Follows the log live: the server says when a session has changed.

const AT_MOST_EVERY_MS = 250;
const WORDS = { live: "Live", waiting: "Reconnecting" };

/** Call `refresh` after every change, never two at once. */
export function follow(refresh) {
  const mark = document.getElementById("follow");
  let asked = false;
  let running = false;

  async function run() {
    if (running) return;
    running = true;
    while (asked) {
      asked = false;
      await refresh().catch(() => {});
      await new Promise((resolve) => { setTimeout(resolve, AT_MOST_EVERY_MS); });
    }
    running = false;
  }

  function say(state) {
    if (!mark) return;
    mark.hidden = false;
    mark.dataset.state = state;
    if (mark.textContent !== WORDS[state]) mark.textContent = WORDS[state];
  }

  const changed = () => {
    asked = true;
    run();
  };
  let source;
  let wasOpen = false;
  const open = () => {
    source = new EventSource("/ussd/events");
    source.addEventListener("changed", changed);
    source.addEventListener("open", () => {
      say("live");
      if (wasOpen) changed(); // something may have happened meanwhile
      wasOpen = true;
    });
    source.addEventListener("error", () => {
      say("waiting");
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3_000);
    });
  };
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
