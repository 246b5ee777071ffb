import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";
import { AWAY, wordsOf } from "../../shared/refusals.js";

// Evaluates in place; the form alone would load the page again.
const form = document.getElementById("console-form");
const output = document.getElementById("evaluation");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { expr, agent } = form.elements;
  const query = new URLSearchParams({ expr: expr.value, agent: agent.value });
  try {
    const response = await ask(`${path}/live/evaluation?${query}`);
    if (response.ok) output.innerHTML = await response.text();
    else output.textContent = wordsOf(await response.json());
  } catch {
    output.textContent = AWAY;
  }
});
