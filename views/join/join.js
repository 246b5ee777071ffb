import { keepToken } from "../room/token.js";
import { enableCopying } from "../shared/copying.js";
import { endOf } from "../shared/ends.js";
import { post } from "../shared/refusals.js";

enableCopying();

const end = document.querySelector("time[data-end]");
if (end) {
  const tell = () => end.textContent = endOf(end.dateTime);
  tell();
  setInterval(tell, 5_000);
}

// Joins as the person who reads the page, keeps the token for this tab, and goes to the room.
const form = document.getElementById("join");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  // A button that is disabled would lose the focus, and the person with the keyboard their place.
  if (form.ariaBusy === "true") return;
  const { agent, name } = form.elements;
  const complaint = form.querySelector("[role=alert]");
  const body = {
    ...agent?.value && { agent: agent.value },
    ...name.value && { name: name.value },
  };
  complaint.textContent = "";
  form.ariaBusy = "true";
  try {
    const headers = { "Idempotency-Key": form.dataset.key ??= crypto.randomUUID() };
    const answer = await post(location.pathname, body, { headers });
    keepToken(answer.room, answer.token);
    location.href = `/?room=${encodeURIComponent(answer.room)}`;
  } catch ({ message, refused }) {
    if (refused) delete form.dataset.key; // the next try is another request
    complaint.textContent = `Not joined: ${message}`;
    form.ariaBusy = "false";
  }
});
