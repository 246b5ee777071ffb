import { type CharSet, charsMeet } from "./char_set.ts";
import { type Bits, bitsOf } from "./states.ts";

/**
 * Creates the function that makes the masks of the states whose characters meet others. The bounds of all sets cut the
 * characters into intervals, of which each set has all or nothing.
 */
export function createCharMasks(sets: Array<CharSet | undefined>): (chars: CharSet) => Bits {
  const bounds = new Set(sets.flatMap((set) => set ?? []).flatMap(([first, last]) => [first, last + 1]));
  const starts = Uint32Array.from([0, ...bounds]).sort();
  const masks = new Map<number, Bits>();

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

  function maskOf([first, last]: CharSet[number]): Bits {
    const from = intervalOf(first);
    const to = first === last ? from : intervalOf(last);
    const key = from * starts.length + to;
    let mask = masks.get(key);
    if (mask === undefined) {
      const range: CharSet = [[starts[from]!, starts[to]!]];
      const meeting = [...sets.keys()].filter((state) => sets[state] && charsMeet(sets[state], range));
      masks.set(key, mask = bitsOf(meeting, sets.length));
    }
    return mask;
  }

  return (chars) => {
    const first = maskOf(chars[0]!);
    if (chars.length === 1) return first;
    const all = first.slice();
    for (const range of chars) {
      const mask = maskOf(range);
      for (let n = 0; n < all.length; n++) all[n]! |= mask[n]!;
    }
    return all;
  };
}
