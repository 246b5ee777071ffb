import { openRoom } from "../room/token.js";
import { enableCopying } from "../shared/copying.js";
import { onceOr } from "../shared/once.js";
import { post } from "../shared/refusals.js";
import { enableSession } from "./session.js";

enableCopying();
enableSession();

/** Creates a room, with the id that the button names or one of the service's own, and goes there. */
async function create({ dataset: { create: id, locked } }) {
  const answer = await post("/rooms", { ...id && { id }, ...locked !== undefined && { locked: true } });
  openRoom(answer.id, answer.token);
}

const complaint = document.getElementById("create-error");
for (const button of document.querySelectorAll("[data-create]")) {
  button.addEventListener("click", () => {
    onceOr(button, complaint, "The room was not created", () => create(button));
  });
}
