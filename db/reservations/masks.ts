import type { CharSet } from "./char_set.ts";
import { bitOf, type Bits, bitsOf, wordOf } from "./states.ts";

/**
 * Creates the function that makes the masks of the states whose characters meet others. The bounds of all sets cut the
 * characters into intervals, of which each set has all or nothing. A mask is valid up to the next one.
 */
export function createCharMasks(sets: Array<CharSet | undefined>): (chars: CharSet) => Bits {
  const changes = new Map<number, number[]>([[0, []]]);
  for (const [state, set] of sets.entries()) {
    for (const [first, last] of set ?? []) {
      for (const at of [first, last + 1]) {
        const known = changes.get(at);
        if (known) known.push(state);
        else changes.set(at, [state]);
      }
    }
  }
  const starts = Uint32Array.from(changes.keys()).sort();
  /** By level and number: the masks of `2 ** level` intervals from that number on. */
  const spans: Bits[][] = [[]];
  const mask = bitsOf([], sets.length);
  for (const start of starts) {
    for (const state of changes.get(start)!) mask[wordOf(state)]! ^= bitOf(state);
    spans[0]!.push(mask.slice());
  }

  /** Returns the number of the interval that a character is in. */
  function intervalOf(char: number): number {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= char) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function spanOf(level: number, n: number): Bits {
    const masks = spans[level] ??= [];
    return masks[n] ??= union(spanOf(level - 1, n), spanOf(level - 1, n + 2 ** (level - 1)));
  }

  const several = mask.slice();

  /** Adds the masks of a range to a mask. */
  function add([first, last]: CharSet[number], to: Bits): void {
    const from = intervalOf(first);
    const count = first === last ? 1 : intervalOf(last) - from + 1;
    const level = 31 - Math.clz32(count);
    const [one, other] = [spanOf(level, from), spanOf(level, from + count - 2 ** level)];
    for (let n = 0; n < to.length; n++) to[n]! |= one[n]! | other[n]!;
  }

  return (chars) => {
    const [first, last] = chars[0]!;
    if (chars.length === 1 && first === last) return spans[0]![intervalOf(first)]!;
    several.fill(0);
    for (let n = 0; n < chars.length; n++) add(chars[n]!, several);
    return several;
  };
}

function union(one: Bits, other: Bits): Bits {
  const both = one.slice();
  for (let n = 0; n < both.length; n++) both[n]! |= other[n]!;
  return both;
}
