import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";
import { onceOr } from "../../shared/once.js";
import { post } from "../../shared/refusals.js";

// The form is drawn for an agent's token alone.
const form = document.getElementById("say");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  onceOr(form, form.querySelector("[role=alert]"), "Not sent", say);
});

/** Posts what somebody says. What is typed meanwhile stays. */
async function say() {
  const { body } = form.elements;
  const said = body.value;
  await post(`${path}/messages`, { body: said }, { send: ask });
  if (body.value === said) form.reset();
}
