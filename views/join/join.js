import { openRoom } from "../room/token.js";
import { setClock } from "../shared/clock.js";
import { enableCopying } from "../shared/copying.js";
import { drawn } from "../shared/drawn.js";
import { endOf } from "../shared/ends.js";
import { once } from "../shared/once.js";
import { post } from "../shared/refusals.js";

/** Letters of a key that nobody guesses: whoever has it gets the token. */
const KEY_LENGTH = 26;

enableCopying();

const end = document.querySelector("time[data-end]");
if (end) {
  setClock(Date.parse(document.body.dataset.now));
  const tell = () => end.textContent = endOf(end.dateTime);
  tell();
  setInterval(tell, 5_000);
}

/** What a tab keeps under this name and the path of an invitation: the room that it led to. */
const JOINED = `convene.joined.${location.pathname}`;

function noteRoom(room) {
  try {
    sessionStorage.setItem(JOINED, room);
  } catch {
    // The browser keeps nothing for this page.
  }
}

/** Leads back to the room whoever comes again to an invitation that is used up. */
function showRoom(notice) {
  try {
    const room = sessionStorage.getItem(JOINED);
    if (room === null) return;
    notice.querySelector("a").href = `/?room=${encodeURIComponent(room)}`;
    notice.hidden = false;
  } catch {
    // The browser keeps nothing for this page.
  }
}

const joined = document.getElementById("joined");
if (joined) showRoom(joined);

const form = document.getElementById("join");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  once(form, join);
});

/** Joins as the person who reads the page, and goes to the room. */
async function join() {
  const { agent, name } = form.elements;
  const complaint = form.querySelector("[role=alert]");
  const body = {
    ...agent?.value && { agent: agent.value },
    ...name.value && { name: name.value },
  };
  complaint.textContent = "";
  try {
    const headers = { "Idempotency-Key": form.dataset.key ??= drawn(KEY_LENGTH) };
    const answer = await post(location.origin + location.pathname, body, { headers });
    noteRoom(answer.room);
    openRoom(answer.room, answer.token);
  } catch ({ message, refused }) {
    if (refused) delete form.dataset.key; // the next try is another request
    complaint.textContent = `Not joined: ${message}`;
  }
}
