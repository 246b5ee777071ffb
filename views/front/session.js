import { keepToken } from "../room/token.js";
import { drawn } from "../shared/drawn.js";
import { once } from "../shared/once.js";
import { AWAY } from "../shared/refusals.js";

const ROOM = "demo";

/** Sends the requests of the first page's session, one after the other, in a new room. */
export function enableSession() {
  const button = document.getElementById("run");
  const note = document.getElementById("run-note");
  if (!button) return;
  let id;
  let used;
  /** Of the room, where it is a locked one. */
  let token;
  const calls = [...document.querySelectorAll("#calls > li")].map((item) => ({
    ...item.dataset,
    item,
    call: item.querySelector(".call"),
    shown: item.querySelector(".call").textContent,
    answer: item.querySelector(".answer"),
  }));

  function inRoom(text) {
    return text?.replace(`/rooms/${ROOM}`, `/rooms/${id}`).replace(`"id":"${ROOM}"`, `"id":"${id}"`);
  }

  /** All requests show the id of the new room before the first of them is sent. */
  function name() {
    id = `${ROOM}-${drawn(8)}`;
    used = false;
    token = undefined;
    for (const { call, shown } of calls) call.textContent = inRoom(shown);
  }

  async function make({ method, path, body, item, answer }) {
    answer.textContent = "waiting for the answer";
    item.dataset.state = "open";
    const headers = token && { Authorization: `Bearer ${token}` };
    const response = await fetch(inRoom(path), { method, headers, body: inRoom(body) }).catch(() =>
      undefined
    );
    const told = await response?.clone().json().catch(() => undefined);
    if (!told) throw new Error(AWAY);
    const text = await response.text();
    if (told.token) {
      token = told.token;
      keepToken(id, token);
    }
    answer.textContent = told.token ? text.replace(token, `${token.slice(0, SHOWN_OF_TOKEN)}…`) : text;
    item.dataset.state = "done";
    if (!response.ok) throw new Error(told.message);
  }

  async function run() {
    if (used) name();
    used = true;
    for (const { item, answer } of calls) {
      delete item.dataset.state;
      answer.textContent = "";
    }
    const pending = [];
    try {
      for (const call of calls) {
        const made = make(call);
        pending.push(made);
        // The wait stays open until the write that comes after it.
        if (call.path.endsWith("/wait")) await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
        else await made;
      }
      await Promise.all(pending);
      const link = document.createElement("a");
      link.href = `/?room=${id}`;
      link.textContent = "Look at the room";
      note.replaceChildren(link, " that this has made.");
    } catch (error) {
      await Promise.allSettled(pending);
      note.textContent = `The demo stopped: ${error.message}`;
    }
  }

  button.addEventListener("click", () => once(button, run));
  name();
}

/** Characters of the token that the page shows: its kind. The tab has all of it. */
const SHOWN_OF_TOKEN = 6;

/** Milliseconds for which the open wait is shown. */
const SEEN_MS = 1_200;
