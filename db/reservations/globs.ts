import { isBusy, yieldToOthers } from "../yield.ts";
import { createAutomaton } from "./automaton.ts";
import { tokensOf } from "./glob_syntax.ts";
import { making, reading, workOf } from "./work.ts";

/**
 * How many nanoseconds must be saved so that those in force are made the automaton: most globs have nothing in common
 * with others from their first letters on, and are soon read.
 */
const MIN_GAIN = 100_000;

/** The characters of globs that are compared at once. */
const MAX_AT_ONCE = 2_048;

/** Decides exactly which lists of globs have one that has a path in common with one of others. */
type Overlaps = (lists: string[][]) => boolean[];

/**
 * Returns the function that decides exactly which lists of globs have one that has a path in common with one of these. A
 * path has one segment or more, and a segment one character or more. All globs must be well formed.
 */
export function createOverlaps(globs: string[]): Overlaps {
  const own = [...new Set(globs)].map(tokensOf);
  const { meets } = createAutomaton(own);
  const ownWork = workOf(own);

  return (lists) => {
    const others = lists.flat().map(tokensOf);
    const work = workOf(others);
    const gain = reading(ownWork, work) - reading(work, ownWork) - making(work);
    const isWorth = gain >= MIN_GAIN;
    const met = isWorth ? new Set(own.flatMap(createAutomaton(others).meeting)) : undefined;
    let next = 0;
    return lists.map((list) => {
      const from = next;
      next += list.length;
      for (let n = from; n < next; n++) if (met ? met.has(n) : meets(others[n]!)) return true;
      return false;
    });
  };
}

/** Returns those whose paths overlap, in their order, at most so many, and lets others go on between them. */
export async function findOverlapping<T extends { paths: string[] }>(
  overlaps: Overlaps,
  all: T[],
  max = Infinity,
): Promise<T[]> {
  const found: T[] = [];
  for (let from = 0, end = 0; from < all.length && found.length < max; from = end) {
    for (let chars = 0; end < all.length && chars < MAX_AT_ONCE; end++) {
      chars += all[end]!.paths.reduce((sum, { length }) => sum + length, 0);
    }
    if (isBusy()) await yieldToOthers();
    const some = all.slice(from, end);
    const overlap = overlaps(some.map(({ paths }) => paths));
    found.push(...some.filter((_, n) => overlap[n]));
  }
  return found.slice(0, max);
}
