import { since } from "../../shared/clock.js";
import { arrowTo, axisOf, frameOf, heightOf, middleOf } from "./axis.js";

const strip = document.getElementById("timeline-scroller");

/** Pixels from its newest end within which the strip stays there. */
const NEAR_END = 48;
/** Milliseconds between two steps of the line that marks now, while nothing happens. */
const STEP_MS = 4_000;

/**
 * Applies a change that may move the picture. Measures before it and scrolls after it: each measurement forces a
 * layout.
 */
export function keepEnd(change) {
  const atEnd = strip.scrollLeft + strip.clientWidth > strip.scrollWidth - NEAR_END;
  change();
  if (atEnd) strip.scrollLeft = strip.scrollWidth;
}

/** Gives all events and waits their places, like the service (timeline_layout.ts). */
export function place() {
  const picture = document.getElementById("timeline-picture");
  if (!picture) return;
  const [, waits, events] = [...picture.children].map((group) => [...group.children]);
  const begins = events.map(({ dataset }) => Number(dataset.from));
  const spans = waits.map(({ dataset: { from, to } }) => ({
    from: Number(from),
    to: to ? Number(to) : undefined,
  }));
  // This clock is behind the service's by the time that the page took to arrive.
  const now = Math.max(since(0), ...begins, ...spans.flatMap(({ from, to = from }) => [from, to]));
  const { x, gaps, width } = axisOf(now, begins, spans);
  const names = document.querySelectorAll("#timeline-lanes [data-lane]");
  const ys = new Map([...names].map(({ dataset }, n) => [dataset.lane, middleOf(n)]));
  const height = heightOf(names.length);
  set(picture, { width, height, viewBox: `0 0 ${width} ${height}` });
  for (const element of [...waits, ...events]) {
    const y = ys.get(element.dataset.lane);
    set(element, y === undefined ? { display: "none" } : { x: x(Number(element.dataset.from)), y });
  }
  for (const [n, { from, to = now }] of spans.entries()) {
    set(waits[n].firstElementChild, { width: Math.max(3, x(to) - x(from)) });
  }
  for (const arrow of picture.querySelectorAll(".arrow")) {
    const { lane, to } = arrow.closest("svg").dataset;
    const below = ys.get(to) - ys.get(lane);
    set(arrow, { d: below ? arrowTo(below) : "" });
  }
  const frame = frameOf([...ys.values()], { gaps, width, height, now: x(now) });
  document.getElementById("timeline-frame").innerHTML = frame;
}

function set(element, attributes) {
  if (!("display" in attributes)) element.removeAttribute("display");
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

setInterval(() => keepEnd(place), STEP_MS);

// Lets a strip be dragged; it begins at its newest end, on a narrow page when its tab is chosen.
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
