import { since, words } from "../../shared/clock.js";
import { arrowTo, axisOf, heightOf, middleOf } from "./axis.js";

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
  const begins = [...events, ...waits].map(({ dataset }) => Number(dataset.from));
  const ends = waits.flatMap(({ dataset: { to } }) => to ? Number(to) : []);
  // This clock is behind the service's by the time that the page took to arrive.
  const now = Math.max(since(0), ...begins, ...ends);
  const start = Math.min(now, ...begins.slice(0, events.length));
  const moments = new Set([start, now, ...[...begins, ...ends].map((moment) => Math.max(start, moment))]);
  const { xs, gaps, width } = axisOf([...moments].sort((a, b) => a - b), events.length === 0);
  const x = (moment) => xs.get(Math.max(start, Number(moment)));
  const names = document.querySelectorAll("#timeline-lanes [data-lane]");
  const ys = new Map([...names].map(({ dataset }, n) => [dataset.lane, middleOf(n)]));
  const height = heightOf(names.length);
  set(picture, { width, height, viewBox: `0 0 ${width} ${height}` });
  for (const element of [...waits, ...events]) {
    const y = ys.get(element.dataset.lane);
    set(element, y === undefined ? { display: "none" } : { x: x(element.dataset.from), y });
  }
  for (const wait of waits) {
    const { from, to } = wait.dataset;
    set(wait.firstElementChild, { width: Math.max(3, (to ? x(to) : xs.get(now)) - x(from)) });
  }
  for (const arrow of picture.querySelectorAll(".arrow")) {
    const { lane, to } = arrow.closest("svg").dataset;
    const below = ys.get(to) - ys.get(lane);
    set(arrow, { d: below ? arrowTo(below) : "" });
  }
  frame([...ys.values()], { gaps, width, height, now: xs.get(now) });
}

function set(element, attributes) {
  if (!("display" in attributes)) element.removeAttribute("display");
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

function frame(ys, { gaps, width, height, now }) {
  const text = (x, words) => `<text class="gap" x="${x}" y="14" text-anchor="middle">${words}</text>`;
  document.getElementById("timeline-frame").innerHTML = [
    ...ys.map((y) => `<path class="lane" d="M0 ${y}H${width}"/>`),
    ...gaps.map(({ x, ms }) => text(x, `${words(ms / 1_000)} gap`)),
    `<path class="now" d="M${now} 20V${height}"/>`,
    text(now, "now"),
  ].join("");
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
