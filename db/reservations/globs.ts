import { createAutomaton } from "./automaton.ts";
import { tokensOf } from "./glob_syntax.ts";

/**
 * Returns the function that decides exactly whether one of these globs has a path in common with one of others. A path
 * has one segment or more, and a segment one character or more. All globs must be well formed.
 */
export function createOverlaps(globs: string[]): (others: string[]) => boolean {
  const meets = createAutomaton([...new Set(globs)].map(tokensOf));
  return (others) => others.some((glob) => meets(tokensOf(glob)));
}
