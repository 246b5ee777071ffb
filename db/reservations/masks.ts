import { ANY, type CharSet, type Letter } from "./char_set.ts";
import { bitOf, type Bits, wordOf } from "./states.ts";

/** Masks of states side by side: one array in place of thousands, which would be garbage by the next request. */
interface LetterMasks {
  bits: Bits;
  /** Returns where the mask begins of the states that read a letter, or one of a set. It is valid up to the next but one. */
  maskOf(letter: Letter): number;
}

/**
 * Creates the masks of letters. The bounds of all letters cut the characters into intervals, of which each letter has all
 * or nothing. `letters`: what the states read; `words`: the length of a mask.
 */
export function createLetterMasks(letters: Array<Letter | undefined>, words: number): LetterMasks {
  const { count, intervalOf } = intervalsOf(letters);
  const anyMask = count * words;
  let [several, before] = [anyMask + words, anyMask + 2 * words];
  const bits = new Int32Array(before + words);

  /** Has a state read the characters from here on, or no longer. */
  function toggle(char: number, state: number): void {
    bits[intervalOf(char) * words + wordOf(state)]! ^= bitOf(state);
  }

  for (let state = 0; state < letters.length; state++) {
    const letter = letters[state];
    if (letter === undefined) continue;
    bits[anyMask + wordOf(state)]! |= bitOf(state);
    if (letter === ANY) toggle(0, state);
    else if (typeof letter === "number") {
      toggle(letter, state);
      toggle(letter + 1, state);
    } else {
      for (const [first, last] of letter) {
        toggle(first, state);
        toggle(last + 1, state);
      }
    }
  }
  for (let at = words; at < anyMask; at++) bits[at]! ^= bits[at - words]!;

  /** By level and number: the masks of `2 ** level` intervals from that number on, and whether they are made. */
  const spans = [{ masks: bits, made: new Uint8Array(count).fill(1) }];

  /** Returns the masks of a level, of which the one from number `n` on is made. */
  function spanOf(level: number, n: number): Bits {
    const { masks, made } = spans[level] ??= {
      masks: new Int32Array(count * words),
      made: new Uint8Array(count),
    };
    if (made[n] === 0) {
      const [from, half] = [n * words, 2 ** (level - 1)];
      spanOf(level - 1, n + half);
      const below = spanOf(level - 1, n);
      for (let at = from; at < from + words; at++) masks[at] = below[at]! | below[at + half * words]!;
      made[n] = 1;
    }
    return masks;
  }

  /** Adds the masks of a range to a mask. */
  function add([first, last]: CharSet[number], to: number): void {
    const from = intervalOf(first);
    const length = first === last ? 1 : intervalOf(last) - from + 1;
    const level = 31 - Math.clz32(length);
    const other = from + length - 2 ** level;
    spanOf(level, other);
    const masks = spanOf(level, from);
    const [one, two] = [from * words, other * words];
    for (let n = 0; n < words; n++) bits[to + n]! |= masks[one + n]! | masks[two + n]!;
  }

  function maskOf(letter: Letter): number {
    if (typeof letter === "number") return intervalOf(letter) * words;
    if (letter === ANY) return anyMask;
    [several, before] = [before, several];
    bits.fill(0, several, several + words);
    for (let n = 0; n < letter.length; n++) add(letter[n]!, several);
    return several;
  }
  return { bits, maskOf };
}

/** Returns how many intervals there are, and the function that tells the number of the one that a character is in. */
function intervalsOf(
  letters: Array<Letter | undefined>,
): { count: number; intervalOf(char: number): number } {
  const bounds = new Set([0]);
  // Most letters are of these, which are looked up faster.
  const hasAscii = new Uint8Array(129);
  function addBound(char: number): void {
    if (char >= hasAscii.length) bounds.add(char);
    else if (hasAscii[char] === 0) {
      hasAscii[char] = 1;
      bounds.add(char);
    }
  }

  for (const letter of letters) {
    if (letter === undefined || letter === ANY) continue;
    if (typeof letter === "number") {
      addBound(letter);
      addBound(letter + 1);
    } else {
      for (const [first, last] of letter) {
        addBound(first);
        addBound(last + 1);
      }
    }
  }
  const starts = Uint32Array.from(bounds).sort();

  function search(char: number): number {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= char) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  const ascii = Uint32Array.from({ length: 128 }, (_, char) => search(char));
  return { count: starts.length, intervalOf: (char) => char < 128 ? ascii[char]! : search(char) };
}
