/** The service says every 3.5 s that it lives. */
const LOST_AFTER_MS = 9_000;
const AGAIN_MS = 2_000;

/**
 * Follows a room's updates from a revision on, and shows whether it does. A stream that ends is taken up by the
 * browser where it was; one that is refused, or falls silent, is opened again here. While nobody sees the page it has
 * none: a browser has six connections to a service for all its tabs. `update` is told, too, of the absence in which
 * something happened, if nobody saw the page then: the same object for all of one.
 */
export function follow(room, from, update) {
  const sign = document.getElementById("live");
  const word = sign.querySelector("[data-word]");
  let revision = from;
  let source;
  let silence;
  /** While it is hidden, and until it has caught up: since when, and the revision to be reached, once that is known. */
  let absence;

  function show(state, text) {
    if (sign.dataset.state === state) return;
    sign.dataset.state = state;
    word.textContent = text;
  }

  function alive() {
    listen();
    if (absence) show("catching", "catching up");
    else show("live", "live");
  }

  function listen() {
    clearTimeout(silence);
    silence = setTimeout(again, LOST_AFTER_MS);
  }

  function lost() {
    show("lost", `disconnected since ${clock()}`);
  }

  function again() {
    lost();
    source.close();
    clearTimeout(silence);
    silence = setTimeout(open, AGAIN_MS);
  }

  function open() {
    listen();
    source = new EventSource(`${room}/live?after=${revision}`);
    source.addEventListener("open", alive);
    source.addEventListener("room", ({ data, lastEventId }) => {
      revision = Number(lastEventId);
      if (data !== "") update(data, absence);
      // The figures on top are those of the room as it is, however far the page is behind.
      if (absence) arrive(absence.to ?? Number(document.getElementById("counts").dataset.revision));
      alive();
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

  /** Ends an absence once the page is where the room was on its return. */
  function arrive(to) {
    absence.to = to;
    if (revision < to) return;
    sign.title = `Caught up with what happened since ${absence.at}, while this page was hidden`;
    absence = undefined;
    if (source.readyState === EventSource.OPEN) alive();
  }

  function leave() {
    source?.close();
    source = undefined;
    clearTimeout(silence);
    absence = Object.assign(absence ?? { at: clock() }, { to: undefined, back: undefined });
    show("paused", "paused");
  }

  async function come() {
    const back = absence && (absence.back = {});
    open();
    if (!back) return;
    show("catching", "catching up");
    const response = await fetch(room).catch(() => undefined);
    if (response?.ok && back === absence?.back) arrive(Number(response.headers.get("Convene-Revision")));
  }

  function turn() {
    if (document.hidden) leave();
    else if (!source) come();
  }

  document.addEventListener("visibilitychange", turn);
  turn();
}

function clock() {
  return new Date().toTimeString().slice(0, 5);
}
