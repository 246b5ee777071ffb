import type { Submission } from "./sender.ts";

/** A submission is light up to this share of a batch's maximum weight. */
const LIGHT_SHARE = 1 / 2;

/** A batch in flight. */
export interface Batch {
  light: boolean;
  /** By `elapsed`. */
  began: number;
}

export interface BatchBounds {
  /** The maximum weight of a batch. A single submission may exceed it. */
  weight: number;
  /** The maximum number of submissions. */
  size: number;
}

/** Whether a submission is light for batches of a maximum weight. */
export function isLight({ weight }: Submission, maxWeight: number): boolean {
  return weight <= maxWeight * LIGHT_SHARE;
}

/**
 * Takes the submissions of the next batch out of `waiting`; returns none where all must wait longer. `inFlight` lists
 * the batches in flight, where several may be.
 */
export function takeBatch(
  waiting: Submission[],
  bounds: BatchBounds,
  inFlight?: () => Batch[],
): Submission[] {
  if (waiting.length <= bounds.size && areFewAndLight(waiting, bounds)) return waiting.splice(0);
  const chosen = fitting(inFlight ? ofOneKind(waiting, bounds, inFlight()) : waiting, bounds);
  waiting.splice(0, Infinity, ...waiting.filter((submission) => !chosen.has(submission)));
  return [...chosen];
}

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
 * both wait, one batch of each is in flight.
 */
function ofOneKind(waiting: Submission[], { weight: max }: BatchBounds, inFlight: Batch[]): Submission[] {
  const { light = [], heavy = [] } = Object.groupBy(
    waiting,
    (each) => isLight(each, max) ? "light" : "heavy",
  );
  if (light.length > 0 && (heavy.length === 0 || !inFlight.some((batch) => batch.light))) return light;
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
