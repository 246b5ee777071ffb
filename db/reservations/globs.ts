import { isBusy, yieldToOthers } from "../yield.ts";
import { createAutomaton } from "./automaton.ts";
import { CLOSE, OPEN, type Token, tokensOf } from "./glob_syntax.ts";

/**
 * How many more tokens must stand within alternatives in one side than in the other, so that the other is read as an
 * automaton. An automaton of alternatives takes twice the time for each token that it reads, and making one takes time.
 */
const MIN_GAIN = 1_200;
/** How many tokens the others then have at least, on average: short ones have more states, and are soon read. */
const MIN_LENGTH = 6;

/** The characters of globs that are compared at once. */
const MAX_AT_ONCE = 2_048;

/** Decides exactly which lists of globs have one that has a path in common with one of others. */
export type Overlaps = (lists: string[][]) => boolean[];

/**
 * Returns the function that decides exactly which lists of globs have one that has a path in common with one of these. A
 * path has one segment or more, and a segment one character or more. All globs must be well formed.
 */
export function createOverlaps(globs: string[]): Overlaps {
  const own = [...new Set(globs)].map(tokensOf);
  const { meets } = createAutomaton(own);
  const ownShape = shapeOf(own);

  return (lists) => {
    const others = lists.flat().map(tokensOf);
    const shape = shapeOf(others);
    const gain = ownShape.inside - ownShape.length * shape.inside / shape.length;
    const isWorth = gain >= MIN_GAIN && shape.length >= MIN_LENGTH * others.length;
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

/** Returns how many tokens globs have, and how many of these stand within alternatives. */
function shapeOf(globs: Token[][]): { length: number; inside: number } {
  let [length, inside] = [0, 0];
  for (const tokens of globs) {
    length += tokens.length;
    for (let at = tokens.indexOf(OPEN); at >= 0; at = tokens.indexOf(OPEN, at)) {
      const close = tokens.indexOf(CLOSE, at);
      inside += close - at;
      at = close;
    }
  }
  return { length, inside };
}
