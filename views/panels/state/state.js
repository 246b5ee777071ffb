import { path } from "../../room/path.js";
import { ask } from "../../room/token.js";
import { once } from "../../shared/once.js";

document.getElementById("scopes").addEventListener("click", ({ target }) => {
  const button = target.closest("[data-load=entries]");
  if (button) once(button, () => showMore(button));
});

/** Shows more of a scope that has more keys than are shown. The list has the first of them, as they are now. */
async function showMore(button) {
  const { scope } = button.dataset;
  const list = document.getElementById(`entries/${encodeURIComponent(scope)}`);
  const from = list.children.length;
  const response = await ask(`${path}/live/entries?${new URLSearchParams({ scope, from })}`)
    .catch(() => undefined);
  if (!response?.ok) return;
  list.insertAdjacentHTML("beforeend", await response.text());
  const left = Number(response.headers.get("Convene-Older"));
  button.querySelector("[data-count]").textContent = left;
  if (left > 0) return;
  // The button goes, and whoever uses the keyboard goes on where it was.
  if (document.activeElement === button) list.children[from]?.focus({ preventScroll: true });
  button.parentElement.remove();
}
