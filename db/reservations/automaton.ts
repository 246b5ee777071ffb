import { type Item, STAR } from "./pattern.ts";
import { type Bits, type States, statesOf, WORD } from "./states.ts";

/** Makes the function that returns the states whose letters meet another letter. */
export type MaskMaker<Letter, Other> = (letters: Array<Letter | undefined>) => (other: Other) => Bits;

const ALL = 2 ** WORD - 1;

/** Decides for many patterns at once which of them have a text in common with another. */
export interface Automaton<Other> {
  /** Words of states: each letter of the other pattern takes as many steps. */
  words: number;
  meets(others: Item<Other>[]): boolean;
  /** The numbers of the patterns. */
  meeting(others: Item<Other>[]): number[];
}

/**
 * Creates the automaton of patterns. It walks the other pattern with the set of states that it can be in by then. Sums
 * and differences move all states of a word at once, however many alternatives there are: a carry runs through ones up
 * to the next zero.
 */
export function createAutomaton<Letter, Other>(
  patterns: Item<Letter>[][],
  createMask: MaskMaker<Letter, Other>,
): Automaton<Other> {
  const states = statesOf(patterns);
  const { letters, starts, lasts, stays, turns, hasBraces, patternOf } = states;
  const maskOf = createMask(letters);
  const words = stays.length;
  const set: StateSet = { bits: new Int32Array(words), low: 0, high: words - 1 };
  const { bits } = set;
  const buffers: Bits[] = [];

  function buffer(n: number): Bits {
    return buffers[n] ??= new Int32Array(words);
  }

  function begin() {
    for (let n = 0; n < words; n++) bits[n] = starts[n]!;
    [set.low, set.high] = [0, words - 1];
    if (hasBraces) enter(set, states);
  }

  /** Moves on by one letter. Returns whether any state is left. */
  function read(mask: Bits): boolean {
    const to = Math.min(set.high + 1, words - 1);
    let [carry, turning, low, high] = [0, 0, words, -1];
    for (let n = set.low; n <= to; n++) {
      const word = bits[n]!;
      const taken = word & mask[n]!;
      const next = (taken << 1 | carry) & ALL | word & stays[n]!;
      carry = taken >> WORD - 1;
      bits[n] = next;
      if (next === 0) continue;
      turning |= next & turns[n]!;
      if (high < 0) low = n;
      high = n;
    }
    [set.low, set.high] = [low, high];
    if (turning !== 0) enter(set, states);
    return high >= 0;
  }

  function walk(others: Item<Other>[], depth: number): boolean {
    for (const item of others) {
      if (item === STAR) flood(set, states);
      else if (!("letter" in item ? read(maskOf(item.letter)) : walkAny(item.alternatives, depth))) {
        return false;
      }
    }
    return true;
  }

  function walkAny(alternatives: Item<Other>[][], depth: number): boolean {
    const [before, after] = [buffer(2 * depth), buffer(2 * depth + 1)];
    const { low, high } = set;
    let [lowest, highest] = [words, -1];
    for (let n = 0; n < words; n++) after[n] = 0;
    for (let n = low; n <= high; n++) before[n] = bits[n]!;
    for (const items of alternatives) {
      for (let n = set.low; n <= set.high; n++) bits[n] = 0;
      for (let n = low; n <= high; n++) bits[n] = before[n]!;
      [set.low, set.high] = [low, high];
      if (!walk(items, depth + 1)) continue;
      for (let n = set.low; n <= set.high; n++) after[n]! |= bits[n]!;
      [lowest, highest] = [Math.min(lowest, set.low), Math.max(highest, set.high)];
    }
    for (let n = set.low; n <= set.high; n++) bits[n] = 0;
    for (let n = lowest; n <= highest; n++) bits[n] = after[n]!;
    [set.low, set.high] = [lowest, highest];
    return highest >= 0;
  }

  function walkAll(others: Item<Other>[]): boolean {
    begin();
    return walk(others, 0);
  }

  return {
    words,
    meets: (others) => walkAll(others) && lasts.some((word, n) => (word & bits[n]!) !== 0),
    meeting(others) {
      const found: number[] = [];
      if (!walkAll(others)) return found;
      for (let n = 0; n < words; n++) {
        for (let word = bits[n]! & lasts[n]!; word !== 0; word &= word - 1) {
          found.push(patternOf.get(n * WORD + 31 - Math.clz32(word & -word))!);
        }
      }
      return found;
    },
  };
}

/** A set of states. All words before `low` and after `high` are empty. */
interface StateSet {
  bits: Bits;
  low: number;
  high: number;
}

/**
 * Adds the states that are reached without reading: from `ends` the state after, from the state before to all `begins`.
 */
function enter(set: StateSet, { inside, begins, ends, skips, opens, closes }: States<unknown>): void {
  const { bits } = set;
  let [left, skipped, entered, borrowed] = [0, 0, 0, 0];
  for (let n = set.low; n < bits.length; n++) {
    if (n > set.high && (left | skipped | entered | borrowed) === 0) return;
    const leaving = inside[n]! + (bits[n]! & ends[n]!) + left;
    left = leaving >> WORD;
    let word = bits[n]! | leaving & closes[n]!;
    const skipping = skips[n]! + (word & opens[n]! & skips[n]!) + skipped;
    skipped = skipping >> WORD;
    word |= (skipping ^ skips[n]!) & (opens[n]! | closes[n]!);
    const opened = word & opens[n]!;
    // From the state after, less the first inside: ones at all that are inside.
    const entering = closes[n]! - ((opened << 1 | entered) & ALL) - borrowed;
    [entered, borrowed] = [opened >> WORD - 1, entering < 0 ? 1 : 0];
    bits[n] = word | entering & begins[n]!;
    set.high = Math.max(set.high, n);
  }
}

/**
 * Adds the states that are reached by any letters: the rest of an alternative, and all after the first state outside.
 */
function flood(set: StateSet, { inside, reading, outside, ends, closes, goesOn }: States<unknown>): void {
  const { bits } = set;
  let [run, left, filled] = [0, 0, 0];
  for (let n = set.low; n < bits.length; n++) {
    if (n > set.high && (run | left | filled) === 0) return;
    const running = reading[n]! + (bits[n]! & reading[n]!) + run;
    run = running >> WORD;
    let word = bits[n]! | (running ^ reading[n]!) & ALL;
    const leaving = inside[n]! + (word & ends[n]!) + left;
    left = leaving >> WORD;
    word |= leaving & closes[n]!;
    const filling = goesOn[n]! + (word & outside[n]! & goesOn[n]!) + filled;
    filled = filling >> WORD;
    bits[n] = word | (filling ^ goesOn[n]!) & ALL;
    set.high = Math.max(set.high, n);
  }
}
