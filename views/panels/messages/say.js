import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";
import { post } from "../../shared/refusals.js";

// Posts what somebody says who may: the form is drawn for an agent's token alone.
const form = document.getElementById("say");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { body } = form.elements;
  const complaint = form.querySelector("[role=alert]");
  complaint.textContent = "";
  try {
    await post(`${path}/messages`, { body: body.value }, { send: ask });
    form.reset();
  } catch ({ message }) {
    complaint.textContent = `Not sent: ${message}`;
  }
});
