/** The service says every 3.5 s that it lives. */
const LOST_AFTER_MS = 9_000;
const AGAIN_MS = 2_000;

/**
 * Follows a stream of updates from a revision on, and shows whether it does. A stream that ends is taken up by
 * the browser where it was; one that is refused, or falls silent, is opened again here.
 */
export function follow(path, from, update) {
  const sign = document.getElementById("live");
  const word = sign.querySelector("[data-word]");
  let revision = from;
  let source;
  let silence;

  function show(state, text) {
    if (sign.dataset.state === state) return;
    sign.dataset.state = state;
    word.textContent = text;
  }

  function alive() {
    show("live", "live");
    clearTimeout(silence);
    silence = setTimeout(() => again("silent"), LOST_AFTER_MS);
  }

  function lost() {
    show("lost", `lost since ${new Date().toTimeString().slice(0, 8)}`);
  }

  function again() {
    lost();
    source.close();
    clearTimeout(silence);
    silence = setTimeout(open, AGAIN_MS);
  }

  function open() {
    source = new EventSource(`${path}?after=${revision}`);
    source.addEventListener("open", alive);
    source.addEventListener("room", ({ data, lastEventId }) => {
      alive();
      revision = Number(lastEventId);
      if (data !== "") update(data);
    });
    // The room is not what it was: its database was restored from a copy, or emptied.
    source.addEventListener("reset", () => {
      source.close();
      location.reload();
    });
    source.addEventListener("error", () => {
      lost();
      if (source.readyState === EventSource.CLOSED) again();
    });
  }

  open();
}
