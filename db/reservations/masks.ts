import { ANY, type CharSet, type Letter, rangesOf } from "./char_set.ts";
import { bitOf, type Bits, bitsOf, wordOf } from "./states.ts";

/** Masks of states side by side: one array in place of thousands, which would be garbage by the time of the next request. */
export interface LetterMasks {
  bits: Bits;
  /** Returns where the mask begins of the states that read a letter, or one of a set. It is valid up to the next but one. */
  maskOf(letter: Letter): number;
}

/**
 * Creates the masks of letters. The bounds of all letters cut the characters into intervals, of which each letter has all
 * or nothing. `letters`: what the states read.
 */
export function createLetterMasks(letters: Array<Letter | undefined>): LetterMasks {
  const any = bitsOf(letters.keys().filter((state) => letters[state] !== undefined), letters.length);
  const words = any.length;
  const { starts, masks } = intervalsOf(letters, words);
  const count = starts.length;
  const bits = new Int32Array(masks.length + 3 * words);
  bits.set(masks);
  bits.set(any, masks.length);
  const anyMask = masks.length;
  let [several, before] = [anyMask + words, anyMask + 2 * words];
  /** By level and number: the masks of `2 ** level` intervals from that number on, and whether they are made. */
  const spans = [{ masks: bits, made: new Uint8Array(count).fill(1) }];

  /** Returns the number of the interval that a character is in. */
  function intervalOf(char: number): number {
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= char) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Returns the masks of a level, the mask of which from number `n` on is made. */
  function spanOf(level: number, n: number): Bits {
    const { masks, made } = spans[level] ??= {
      masks: new Int32Array(count * words),
      made: new Uint8Array(count),
    };
    if (made[n] === 0) {
      const [from, half] = [n * words, 2 ** (level - 1) * words];
      spanOf(level - 1, n + 2 ** (level - 1));
      const below = spanOf(level - 1, n);
      for (let at = from; at < from + words; at++) masks[at] = below[at]! | below[at + half]!;
      made[n] = 1;
    }
    return masks;
  }

  /** Adds the masks of a range to a mask. */
  function add([first, last]: CharSet[number], to: number): void {
    const from = intervalOf(first);
    const count = first === last ? 1 : intervalOf(last) - from + 1;
    const level = 31 - Math.clz32(count);
    const other = from + count - 2 ** level;
    spanOf(level, other);
    const masks = spanOf(level, from);
    const [one, two] = [from * words, other * words];
    for (let n = 0; n < words; n++) bits[to + n]! |= masks[one + n]! | masks[two + n]!;
  }

  const ascii = Int32Array.from({ length: 128 }, (_, code) => intervalOf(code) * words);

  function maskOf(letter: Letter): number {
    if (typeof letter === "number") return letter < 128 ? ascii[letter]! : intervalOf(letter) * words;
    if (letter === ANY) return anyMask;
    [several, before] = [before, several];
    bits.fill(0, several, several + words);
    for (let n = 0; n < letter.length; n++) add(letter[n]!, several);
    return several;
  }
  return { bits, maskOf };
}

/** Returns the first characters of the intervals, and the masks of these. */
function intervalsOf(
  letters: Array<Letter | undefined>,
  words: number,
): { starts: Uint32Array; masks: Bits } {
  const states = letters.length;
  const bounds: number[] = [];
  for (const [state, letter] of letters.entries()) {
    for (const [first, last] of letter === undefined ? [] : rangesOf(letter)) {
      bounds.push(first * states + state, (last + 1) * states + state);
    }
  }
  const sorted = Float64Array.from(bounds).sort();
  const starts = Uint32Array.from(new Set([0, ...sorted.map((bound) => Math.floor(bound / states))]));
  const masks = new Int32Array(starts.length * words);
  let next = 0;
  for (let n = 0; n < starts.length; n++) {
    const at = n * words;
    if (n > 0) masks.copyWithin(at, at - words, at);
    for (; next < sorted.length && Math.floor(sorted[next]! / states) === starts[n]; next++) {
      const state = sorted[next]! % states;
      masks[at + wordOf(state)]! ^= bitOf(state);
    }
  }
  return { starts, masks };
}
