/**
 * The positions in the timeline, for the service, which draws it, and for the page's script, which moves its elements.
 */
export const LANE = 24;
const TOP = 24;
const PIXELS_A_SECOND = 6;
const MIN_STEP = 12;
/** Between two moments whose labels, "59 min gap" and "now", stand beside each other. */
const MAX_STEP = 96;

/**
 * Places moments on the axis. A step between two of them has a minimum, so that they do not hide each other, and a
 * maximum, so that silence does not fill the picture: such a step is a gap if anything is shown.
 * @param {number[]} moments milliseconds, in their order
 * @param {boolean} isEmpty
 */
export function axisOf(moments, isEmpty) {
  /** @type {Map<number, number>} */
  const xs = new Map();
  /** @type {Array<{ x: number, ms: number }>} */
  const gaps = [];
  let x = 16;
  for (const [n, moment] of moments.entries()) {
    if (n > 0) {
      const ms = moment - moments[n - 1];
      const step = Math.min(MAX_STEP, Math.max(MIN_STEP, ms / 1000 * PIXELS_A_SECOND));
      if (step === MAX_STEP && !isEmpty) gaps.push({ x: x + step / 2, ms });
      x += step;
    }
    xs.set(moment, x);
  }
  return { xs, gaps, width: Math.ceil(x + 24) };
}

/** Returns the vertical middle of a lane. */
export const middleOf = (/** @type {number} */ lane) => TOP + lane * LANE + LANE / 2;

/** Returns the height of so many lanes. */
export const heightOf = (/** @type {number} */ lanes) => TOP + lanes * LANE + 4;

/** Returns the path of an arrow from a moment to a lane that is so far below it. */
export function arrowTo(/** @type {number} */ below) {
  const back = below > 0 ? -6 : 6;
  return `M0 0V${below}m-3 ${back} 3 ${-back} 3 ${back}`;
}
