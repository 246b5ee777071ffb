import { openRoom } from "../room/token.js";
import { enableCopying } from "../shared/copying.js";
import { once } from "../shared/once.js";
import { post } from "../shared/refusals.js";
import { enableSession } from "./session.js";

enableCopying();
enableSession();

/** Creates a room, with the id that the button names or one of the service's own, and goes there. */
async function create({ dataset: { create: id, locked } }) {
  const complaint = document.getElementById("create-error");
  complaint.textContent = "";
  try {
    const answer = await post("/rooms", { ...id && { id }, ...locked !== undefined && { locked: true } });
    openRoom(answer.id, answer.token);
  } catch ({ message }) {
    complaint.textContent = `The room was not created: ${message}`;
  }
}

for (const button of document.querySelectorAll("[data-create]")) {
  button.addEventListener("click", () => once(button, () => create(button)));
}
