import { type Item, STAR } from "./pattern.ts";
import { type Bits, type States, statesOf, WORD } from "./states.ts";

/** Makes the function that returns the states whose letters meet another letter. */
export type MaskMaker<Letter, Other> = (letters: Array<Letter | undefined>) => (other: Other) => Bits;

const ALL = 2 ** WORD - 1;

/** Decides for many patterns at once which of them have a text in common with another. */
export interface Automaton<Other> {
  meets(others: Item<Other>[]): boolean;
  /** Visits the words that have last states of these patterns. `lasts`: the bits of these states. */
  eachMeeting(others: Item<Other>[], visit: (word: number, lasts: number) => void): void;
  /** The numbers of the patterns whose last states these are. */
  patternsIn(word: number, lasts: number): number[];
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
  const createSet = (): StateSet => ({ bits: new Int32Array(words), low: 0, high: -1 });
  const sets: StateSet[] = [];

  function setAt(n: number): StateSet {
    return sets[n] ??= createSet();
  }

  /** Moves on by one letter, from a set to another or to itself. Returns whether any state is left. */
  function read(from: StateSet, to: StateSet, mask: Bits): boolean {
    const { bits, high: last } = from;
    const moved = to.bits;
    let [carry, turning, low, high] = [0, 0, from.low, last];
    for (let n = low; n <= last; n++) {
      const word = bits[n]!;
      const taken = word & mask[n]!;
      const next = (taken << 1 | carry) & ALL | word & stays[n]!;
      carry = taken >> WORD - 1;
      moved[n] = next;
      turning |= next & turns[n]!;
    }
    if (carry !== 0) {
      high++;
      moved[high] = carry;
      turning |= carry & turns[high]!;
    }
    while (low <= high && moved[low] === 0) low++;
    while (high >= low && moved[high] === 0) high--;
    [to.low, to.high] = [low, high];
    if (turning !== 0) enter(to, states);
    return high >= low;
  }

  /** Moves a set on by what is left of some items. Returns whether any state is left. */
  function walk(set: StateSet, items: Item<Other>[], depth: number, from = 0): boolean {
    for (let n = from; n < items.length; n++) {
      if (!move(set, set, items[n]!, depth)) return false;
    }
    return true;
  }

  function move(from: StateSet, to: StateSet, item: Item<Other>, depth: number): boolean {
    if (item !== STAR && "letter" in item) return read(from, to, maskOf(item.letter));
    if (to !== from) copy(from, to);
    if (item !== STAR) return walkAny(to, item.alternatives, depth);
    flood(to, states);
    return true;
  }

  function walkAny(set: StateSet, alternatives: Item<Other>[][], depth: number): boolean {
    const [one, all] = [setAt(2 * depth + 1), setAt(2 * depth + 2)];
    [all.low, all.high] = [words, -1];
    for (const items of alternatives) {
      if (items.length === 0) unite(all, set);
      else if (move(set, one, items[0]!, depth + 1) && walk(one, items, depth + 1, 1)) unite(all, one);
    }
    exchange(set, all);
    return set.high >= set.low;
  }

  const first: StateSet = { bits: starts, low: 0, high: words - 1 };
  if (hasBraces) enter(first, states);

  /** Returns the states in which the automaton can be after the other pattern. */
  function walkAll(others: Item<Other>[]): StateSet {
    const set = setAt(0);
    copy(first, set);
    return walk(set, others, 0) ? set : NOWHERE;
  }

  return {
    meets(others) {
      const { bits, low, high } = walkAll(others);
      for (let n = low; n <= high; n++) if ((bits[n]! & lasts[n]!) !== 0) return true;
      return false;
    },
    eachMeeting(others, visit) {
      const { bits, low, high } = walkAll(others);
      for (let n = low; n <= high; n++) {
        const found = bits[n]! & lasts[n]!;
        if (found !== 0) visit(n, found);
      }
    },
    patternsIn(word, lasts) {
      const patterns: number[] = [];
      for (let left = lasts; left !== 0; left &= left - 1) {
        patterns.push(patternOf[word * WORD + 31 - Math.clz32(left & -left)]!);
      }
      return patterns;
    },
  };
}

/** A set of states. What the words before `low` and after `high` hold means nothing. */
interface StateSet {
  bits: Bits;
  low: number;
  high: number;
}

const NOWHERE: StateSet = { bits: new Int32Array(0), low: 0, high: -1 };

function copy({ bits, low, high }: StateSet, to: StateSet): void {
  for (let n = low; n <= high; n++) to.bits[n] = bits[n]!;
  [to.low, to.high] = [low, high];
}

function exchange(one: StateSet, other: StateSet): void {
  const { bits, low, high } = one;
  [one.bits, one.low, one.high] = [other.bits, other.low, other.high];
  [other.bits, other.low, other.high] = [bits, low, high];
}

/** Adds a set to another, which may be empty. */
function unite(all: StateSet, set: StateSet): void {
  if (all.high < all.low) return copy(set, all);
  const { bits, low, high } = set;
  const united = all.bits;
  for (let n = low; n < all.low; n++) united[n] = 0;
  for (let n = all.high + 1; n <= high; n++) united[n] = 0;
  for (let n = low; n <= high; n++) united[n]! |= bits[n]!;
  if (low < all.low) all.low = low;
  if (high > all.high) all.high = high;
}

/**
 * Adds the states that are reached without reading: from `ends` the state after, from the state before to all `begins`.
 */
function enter(set: StateSet, { inside, begins, ends, skips, opens, closes, turns }: States<unknown>): void {
  const { bits } = set;
  let [left, skipped, entered, borrowed] = [0, 0, 0, 0];
  for (let n = set.low; n < bits.length; n++) {
    if (n > set.high && (left | skipped | entered | borrowed) === 0) return;
    const before = n > set.high ? 0 : bits[n]!;
    if ((before & turns[n]! | left | skipped | entered | borrowed) === 0) continue;
    const leaving = inside[n]! + (before & ends[n]!) + left;
    left = leaving >> WORD;
    let word = before | leaving & closes[n]!;
    const skipping = skips[n]! + (word & opens[n]! & skips[n]!) + skipped;
    skipped = skipping >> WORD;
    word |= (skipping ^ skips[n]!) & (opens[n]! | closes[n]!);
    const opened = word & opens[n]!;
    // From the state after, less the first inside: ones at all that are inside.
    const entering = closes[n]! - ((opened << 1 | entered) & ALL) - borrowed;
    [entered, borrowed] = [opened >> WORD - 1, entering < 0 ? 1 : 0];
    bits[n] = word | entering & begins[n]!;
    if (n > set.high) set.high = n;
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
    const before = n > set.high ? 0 : bits[n]!;
    const running = reading[n]! + (before & reading[n]!) + run;
    run = running >> WORD;
    let word = before | (running ^ reading[n]!) & ALL;
    const leaving = inside[n]! + (word & ends[n]!) + left;
    left = leaving >> WORD;
    word |= leaving & closes[n]!;
    const filling = goesOn[n]! + (word & outside[n]! & goesOn[n]!) + filled;
    filled = filling >> WORD;
    bits[n] = word | (filling ^ goesOn[n]!) & ALL;
    if (n > set.high) set.high = n;
  }
}
