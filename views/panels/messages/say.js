import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";

// Posts what somebody says who may: the form is drawn for an agent's token alone.
const form = document.getElementById("say");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { body } = form.elements;
  const complaint = form.querySelector("[role=alert]");
  complaint.textContent = "";
  try {
    const response = await ask(`${path}/messages`, {
      method: "POST",
      body: JSON.stringify({ body: body.value }),
    });
    if (!response.ok) throw new Error((await response.json()).message);
    form.reset();
  } catch (error) {
    complaint.textContent = `Not sent: ${error.message}`;
  }
});
