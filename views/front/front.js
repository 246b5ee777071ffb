import { enableCopying } from "../shared/copying.js";
import { keepToken } from "../room/token.js";
import { post } from "../shared/refusals.js";
import { enableSession } from "./session.js";

enableCopying();
enableSession();

/** Creates a room, with the id that the button names or one of the service's own, and goes there. */
async function create(button) {
  const { create: id, locked } = button.dataset;
  const complaint = document.getElementById("create-error");
  button.disabled = true;
  complaint.textContent = "";
  try {
    const answer = await post("/rooms", { ...id && { id }, ...locked !== undefined && { locked: true } });
    if (answer.token) keepToken(answer.id, answer.token);
    location.href = `/?room=${encodeURIComponent(answer.id)}`;
  } catch ({ message }) {
    complaint.textContent = `The room was not created: ${message}`;
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-create]")) {
  button.addEventListener("click", () => create(button));
}
