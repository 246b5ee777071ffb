import { enableCopying } from "../shared/copying.js";
import { enableSession } from "./session.js";

enableCopying();
enableSession();

/** Creates a room, with the id that the button names or one of the service's own, and goes there. */
async function create(button) {
  const { create: id } = button.dataset;
  const complaint = document.getElementById("create-error");
  button.disabled = true;
  complaint.textContent = "";
  try {
    const response = await fetch("/rooms", { method: "POST", body: JSON.stringify(id ? { id } : {}) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    location.href = `/?room=${encodeURIComponent(answer.id)}`;
  } catch (error) {
    complaint.textContent = `The room was not created: ${error.message}`;
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-create]")) {
  button.addEventListener("click", () => create(button));
}
