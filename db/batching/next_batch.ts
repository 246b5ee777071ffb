import type { Submission } from "./groups.ts";

/** A submission is light up to this share of a batch's maximum weight. */
const LIGHT_SHARE = 1 / 2;

export interface Batch {
  light: boolean;
  /** By `elapsed`. */
  began: number;
  /** The turn of the event loop in which it began: a file answers within it. */
  turn: number | undefined;
}

interface BatchBounds {
  /** The maximum weight of a batch. A single submission may exceed it. */
  weight: number;
  /** The maximum number of submissions. */
  size: number;
  /**
   * Whether those that go before others do so in this batch. They do in every other one: in all, they would keep others
   * waiting for ever.
   */
  firstOnes?: boolean;
}

/** What decides between light and heavy submissions, where several batches may be in flight. */
export interface Turns {
  inFlight(): Batch[];
  /** Whether light ones have overtaken this heavy one long enough. */
  isOverdue(heavy: Submission): boolean;
}

/** Whether a submission is light for batches of a maximum weight. */
export function isLight({ weight }: Submission, maxWeight: number): boolean {
  return weight <= maxWeight * LIGHT_SHARE;
}

/**
 * Takes the submissions of the next batch out of `waiting`; returns none where all must wait longer. `turns` is given
 * where several batches may be in flight.
 */
export function takeBatch(
  waiting: Submission[],
  bounds: BatchBounds,
  turns?: Turns,
): Submission[] {
  if (waiting.length <= bounds.size && areFewAndLight(waiting, bounds)) return waiting.splice(0);
  const ordered = bounds.firstOnes ? waiting.toSorted(byFirst) : waiting;
  const chosen = fitting(turns ? ofOneKind(ordered, bounds, turns) : ordered, bounds);
  waiting.splice(0, Infinity, ...waiting.filter((submission) => !chosen.has(submission)));
  return [...chosen];
}

const byFirst = (a: Submission, b: Submission) => Number(b.first ?? false) - Number(a.first ?? false);

/** Whether all waiting submissions are light and fit into one batch, as nearly always. */
function areFewAndLight(waiting: Submission[], { weight: max }: BatchBounds): boolean {
  let weight = 0;
  for (const next of waiting) {
    weight += next.weight;
    if (weight > max || !isLight(next, max)) return false;
  }
  return true;
}

/**
 * Keeps light submissions apart from heavy ones, so that light ones need not wait for the rows of heavy ones. While
 * both wait, one batch of each is in flight. A file answers a batch before there can be another: there a heavy one that
 * is overdue goes first, or light ones that never cease would keep it waiting for ever.
 */
function ofOneKind(waiting: Submission[], { weight: max }: BatchBounds, turns: Turns): Submission[] {
  const inFlight = turns.inFlight();
  const { light = [], heavy = [] } = Object.groupBy(
    waiting,
    (each) => isLight(each, max) ? "light" : "heavy",
  );
  const isHeavysTurn = heavy.length > 0 && inFlight.length === 0 && turns.isOverdue(heavy[0]!);
  const isLightsTurn = heavy.length === 0 || !isHeavysTurn && !inFlight.some((batch) => batch.light);
  if (light.length > 0 && isLightsTurn) return light;
  return inFlight.every((batch) => batch.light) ? heavy : [];
}

/** Chooses the first candidate and all that fit beside it; light ones overtake heavy ones that do not. */
function fitting(candidates: Submission[], { size, weight: max }: BatchBounds): Set<Submission> {
  const chosen = new Set<Submission>();
  let weight = 0;
  for (const next of candidates) {
    if (chosen.size > 0 && (chosen.size >= size || weight + next.weight > max)) continue;
    weight += next.weight;
    chosen.add(next);
  }
  return chosen;
}
