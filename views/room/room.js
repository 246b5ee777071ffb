import { apply } from "./applying.js";
import { startClock } from "../shared/clock.js";
import { enableCopying } from "../shared/copying.js";
import { enableFinding } from "./finding.js";
import { follow } from "./following.js";
import { keepPointed } from "./pointing.js";
import { createReading } from "../panels/messages/reading.js";

const { room, revision, now } = document.body.dataset;
const path = `/rooms/${encodeURIComponent(room)}`;
const reading = createReading(path);

enableCopying();
enableFinding(reading);
startClock(Date.parse(now));
enableConsole();
enableEntries();
enableDragging(document.getElementById("timeline-scroller"));

follow(path, Number(revision), (html, missed) => {
  performance.mark("update-begins");
  keepPointed(() => reading.keepPlace(() => apply(html), missed));
  performance.measure("update", "update-begins");
});

/** Evaluates in place; the form alone would load the page again. */
function enableConsole() {
  const form = document.getElementById("console-form");
  const output = document.getElementById("evaluation");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { expr, agent } = form.elements;
    const query = new URLSearchParams({ expr: expr.value, agent: agent.value });
    try {
      const response = await fetch(`${path}/live/evaluation?${query}`);
      const text = await response.text();
      if (response.ok) output.innerHTML = text;
      else output.textContent = JSON.parse(text).message;
    } catch {
      output.textContent = "The service does not answer.";
    }
  });
}

/** Shows more of a scope that has more keys than are shown. */
function enableEntries() {
  document.getElementById("scopes").addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-load=entries]");
    if (!button) return;
    const { scope, from } = button.dataset;
    button.disabled = true;
    const response = await fetch(`${path}/live/entries?${new URLSearchParams({ scope, from })}`);
    button.disabled = false;
    if (!response.ok) return;
    const list = document.getElementById(`entries/${encodeURIComponent(scope)}`);
    list.insertAdjacentHTML("beforeend", await response.text());
    const left = Number(response.headers.get("Convene-Older"));
    button.dataset.from = String(list.children.length);
    button.querySelector("[data-count]").textContent = left;
    if (left === 0) button.parentElement.remove();
  });
}

/** Lets a strip be dragged; it begins at its newest end, on a narrow page when its part is turned to. */
function enableDragging(strip) {
  const shown = new ResizeObserver(() => {
    if (strip.clientWidth === 0) return;
    strip.scrollLeft = strip.scrollWidth;
    shown.disconnect();
  });
  shown.observe(strip);
  let from;
  strip.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) from = event.clientX + strip.scrollLeft;
  });
  addEventListener("pointermove", (event) => {
    if (from !== undefined) strip.scrollLeft = from - event.clientX;
  });
  addEventListener("pointerup", () => from = undefined);
  strip.addEventListener("dragstart", (event) => event.preventDefault());
}
