import { ANY, type CharSet, type Letter, rangesOf } from "./char_set.ts";
import { bitOf, type Bits, bitsOf, wordOf } from "./states.ts";

/**
 * Creates the function that makes the masks of the states that read a letter, or one of a set. The bounds of all
 * letters cut the characters into intervals, of which each letter has all or nothing. A mask is valid up to the one
 * after the next.
 */
export function createLetterMasks(letters: Array<Letter | undefined>): (letter: Letter) => Bits {
  const changes = new Map<number, number[]>([[0, []]]);
  for (const [state, letter] of letters.entries()) {
    for (const [first, last] of letter === undefined ? [] : rangesOf(letter)) {
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
  const mask = bitsOf([], letters.length);
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

  /** Adds the masks of a range to a mask. */
  function add([first, last]: CharSet[number], to: Bits): void {
    const from = intervalOf(first);
    const count = first === last ? 1 : intervalOf(last) - from + 1;
    const level = 31 - Math.clz32(count);
    const one = spanOf(level, from);
    if (count === 2 ** level) {
      for (let n = 0; n < to.length; n++) to[n]! |= one[n]!;
      return;
    }
    const other = spanOf(level, from + count - 2 ** level);
    for (let n = 0; n < to.length; n++) to[n]! |= one[n]! | other[n]!;
  }

  let [several, before] = [mask.slice(), mask.slice()];
  const any = bitsOf(letters.keys().filter((state) => letters[state] !== undefined), letters.length);
  const ascii = Array.from({ length: 128 }, (_, code) => spans[0]![intervalOf(code)]!);

  return (letter) => {
    if (typeof letter === "number") return ascii[letter] ?? spans[0]![intervalOf(letter)]!;
    if (letter === ANY) return any;
    [several, before] = [before, several];
    several.fill(0);
    for (let n = 0; n < letter.length; n++) add(letter[n]!, several);
    return several;
  };
}

function union(one: Bits, other: Bits): Bits {
  const both = one.slice();
  for (let n = 0; n < both.length; n++) both[n]! |= other[n]!;
  return both;
}
