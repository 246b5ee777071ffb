import { openStream } from "./streaming.js";
import { ask, hasToken, REFUSED } from "./token.js";

/** The service sends a beat every 3.5 s. */
const LOST_AFTER_MS = 9_000;
const AGAIN_MS = 2_000;

/**
 * Follows a room's updates after a revision, and shows whether the page is live. The browser resumes a stream that
 * ends; this reopens one that is refused or falls silent. A hidden page closes its stream, since a browser has only six
 * connections to a service for all its tabs. `update` also gets the absence (the time for which the page was hidden)
 * that it belongs to: the same object for all updates of one.
 */
export function follow(room, from, update) {
  const lamp = document.getElementById("live");
  const word = lamp.querySelector("[data-word]");
  let revision = from;
  let source;
  let silence;
  /** While the page is hidden or catching up: since when (`at`), and the revision to reach (`to`), once known. */
  let absence;

  function show(state, text) {
    if (lamp.dataset.state === state) return;
    lamp.dataset.state = state;
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
    source = openStream(`${room}/live?after=${revision}`);
    source.addEventListener("open", alive);
    source.addEventListener("room", ({ data, lastEventId }) => {
      revision = Number(lastEventId);
      if (data !== "") update(data, absence);
      // The figures at the top are the room's present ones, however far the page is behind.
      if (absence) arrive(absence.to ?? Number(document.getElementById("counts").dataset.revision));
      alive();
    });
    // The room is another one: its database was restored from a copy, or emptied.
    source.addEventListener("reset", () => {
      source.close();
      location.reload();
    });
    source.addEventListener("error", () => {
      if (REFUSED.includes(source.status)) return end();
      lost();
      if (source.readyState !== EventSource.CLOSED) return;
      again();
      endIfGone(source);
    });
  }

  /** Ends where the room is gone, which the browser's own stream does not tell. */
  async function endIfGone(refused) {
    const response = await ask(room).catch(() => undefined);
    if (source === refused && REFUSED.includes(response?.status)) end();
  }

  function end() {
    clearTimeout(silence);
    document.removeEventListener("visibilitychange", followVisible);
    const why = hasToken() ? "the token has ended" : "the room is gone";
    show("ended", `${why}, nothing new is shown: load the page again`);
  }

  /** Ends an absence once the page reaches the room's revision at its return. */
  function arrive(to) {
    absence.to = to;
    if (revision < to) return;
    lamp.title = `Caught up with what happened since ${absence.at}, while this page was hidden`;
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
    const response = await ask(room).catch(() => undefined);
    if (response?.ok && back === absence?.back) arrive(Number(response.headers.get("Convene-Revision")));
  }

  function followVisible() {
    if (document.hidden) leave();
    else if (!source) come();
  }

  document.addEventListener("visibilitychange", followVisible);
  followVisible();
}

function clock() {
  return new Date().toTimeString().slice(0, 5);
}
