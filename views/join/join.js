import { keep, kept, openRoom } from "../room/token.js";
import { setClock } from "../shared/clock.js";
import { enableCopying } from "../shared/copying.js";
import { drawn } from "../shared/drawn.js";
import { endOf } from "../shared/ends.js";
import { onceOr } from "../shared/once.js";
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

// Leads back to the room whoever comes again to an invitation that is used up.
const notice = document.getElementById("joined");
const joined = kept(JOINED);
if (notice && joined !== undefined) {
  notice.querySelector("a").href = `/?room=${encodeURIComponent(joined)}`;
  notice.hidden = false;
}

const form = document.getElementById("join");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  onceOr(form, form.querySelector("[role=alert]"), "Not joined", join);
});

/** Joins as the person who reads the page, and goes to the room. */
async function join() {
  const { agent, name } = form.elements;
  const body = {
    ...agent?.value && { agent: agent.value },
    ...name.value && { name: name.value },
  };
  const headers = { "Idempotency-Key": form.dataset.key ??= drawn(KEY_LENGTH) };
  const answer = await post(location.origin + location.pathname, body, { headers }).catch((error) => {
    if (error.refused) delete form.dataset.key; // the next try is another request
    throw error;
  });
  keep(JOINED, answer.room);
  openRoom(answer.room, answer.token);
}
