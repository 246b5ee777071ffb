import { keepToken } from "../room/token.js";
import { enableCopying } from "../shared/copying.js";

enableCopying();

// Joins as the person who reads the page, keeps the token for this tab, and goes to the room.
const form = document.getElementById("join");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { agent, name } = form.elements;
  const complaint = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  const body = {
    ...agent?.value && { agent: agent.value },
    ...name.value && { name: name.value },
  };
  complaint.textContent = "";
  button.disabled = true;
  try {
    const headers = { "Idempotency-Key": form.dataset.key ??= crypto.randomUUID() };
    const response = await fetch(location.pathname, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) {
      delete form.dataset.key; // it was refused, so the next try is another request
      throw new Error(answer.message);
    }
    keepToken(answer.room, answer.token);
    location.href = `/?room=${encodeURIComponent(answer.room)}`;
  } catch (error) {
    complaint.textContent = `Not joined: ${error.message}`;
    button.disabled = false;
  }
});
