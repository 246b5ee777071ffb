import { words } from "../../shared/clock.js";

/*
 * The positions in the timeline, for the service, which draws it, and for the page's script, which moves its elements.
 */

export const LANE = 24;
const TOP = 24;
const PIXELS_A_SECOND = 6;
const MIN_STEP = 12;
/** Between two moments whose labels, "59 min gap" and "now", stand beside each other. */
const MAX_STEP = 96;

/**
 * Places events and waits on the axis, which goes from the first event to now. A step between two moments has a minimum,
 * so that they do not hide each other, and a maximum, so that silence does not fill the picture: such a step is a gap if
 * anything is shown. Returns `x`, which places what was before the first event there.
 * @param {number} now in milliseconds, as all moments
 * @param {number[]} events
 * @param {Array<{ from: number, to?: number }>} waits
 */
export function axisOf(now, events, waits) {
  const start = Math.min(now, ...events);
  const ends = waits.flatMap(({ from, to = now }) => [Math.max(start, from), Math.max(start, to)]);
  const moments = [...new Set([start, now, ...events, ...ends])].sort((a, b) => a - b);
  /** @type {Map<number, number>} */
  const xs = new Map();
  /** @type {Array<{ x: number, ms: number }>} */
  const gaps = [];
  let x = 16;
  for (const [n, moment] of moments.entries()) {
    if (n > 0) {
      const ms = moment - moments[n - 1];
      const step = Math.min(MAX_STEP, Math.max(MIN_STEP, ms / 1000 * PIXELS_A_SECOND));
      if (step === MAX_STEP && events.length > 0) gaps.push({ x: x + step / 2, ms });
      x += step;
    }
    xs.set(moment, x);
  }
  /** @returns {number} */
  const place = (/** @type {number} */ moment) => xs.get(Math.max(start, moment));
  return { start, x: place, gaps, width: Math.ceil(x + 24) };
}

export const middleOf = (/** @type {number} */ lane) => TOP + lane * LANE + LANE / 2;

export const heightOf = (/** @type {number} */ lanes) => TOP + lanes * LANE + 4;

/**
 * Draws the lanes, the gaps and the line that marks now, as SVG.
 * @param {number[]} ys the middles of the lanes
 * @param {{ gaps: Array<{ x: number, ms: number }>, width: number, height: number, now: number }} layout
 */
export function frameOf(ys, { gaps, width, height, now }) {
  const text = (x, label) => `<text class="gap" x="${x}" y="14" text-anchor="middle">${label}</text>`;
  return [
    ...ys.map((y) => `<path class="lane" d="M0 ${y}H${width}"/>`),
    ...gaps.map(({ x, ms }) => text(x, `${words(ms / 1_000)} gap`)),
    `<path class="now" d="M${now} 20V${height}"/>`,
    text(now, "now"),
  ].join("");
}

/** Returns the path of an arrow from a moment to a lane that is so far below it. */
export function arrowTo(/** @type {number} */ below) {
  const back = below > 0 ? -6 : 6;
  return `M0 0V${below}m-3 ${back} 3 ${-back} 3 ${back}`;
}
