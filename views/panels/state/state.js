import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";

// Shows more of a scope that has more keys than are shown.
document.getElementById("scopes").addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-load=entries]");
  if (!button) return;
  const { scope, from } = button.dataset;
  button.disabled = true;
  const response = await ask(`${path}/live/entries?${new URLSearchParams({ scope, from })}`);
  button.disabled = false;
  if (!response.ok) return;
  const list = document.getElementById(`entries/${encodeURIComponent(scope)}`);
  list.insertAdjacentHTML("beforeend", await response.text());
  const left = Number(response.headers.get("Convene-Older"));
  button.dataset.from = String(list.children.length);
  button.querySelector("[data-count]").textContent = left;
  if (left === 0) button.parentElement.remove();
});
