import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";
import { once } from "../../shared/once.js";
import { post } from "../../shared/refusals.js";

// The form is drawn for an agent's token alone.
const form = document.getElementById("say");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  once(form, say);
});

/** Posts what somebody says. What is typed meanwhile stays. */
async function say() {
  const { body } = form.elements;
  const said = body.value;
  const complaint = form.querySelector("[role=alert]");
  complaint.textContent = "";
  try {
    await post(`${path}/messages`, { body: said }, { send: ask });
    if (body.value === said) form.reset();
  } catch ({ message }) {
    complaint.textContent = `Not sent: ${message}`;
  }
}
