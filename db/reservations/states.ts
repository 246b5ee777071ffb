import { type Item, STAR } from "./pattern.ts";

/** A set of states, 30 in a word: the sum of two words is a small integer, which the runtime adds fastest. */
export type Bits = Int32Array;

export const WORD = 30;

/**
 * The automaton of some patterns. A state reads its letter, if it has one, and goes to the next state. Of alternatives,
 * the state before them (`opens`) and the state after (`closes`) are outside. Between these each has its states, from
 * one of `begins` to one of `ends`, which reads nothing.
 */
export interface States<Letter> {
  letters: Array<Letter | undefined>;
  starts: Bits;
  /** The last state of each pattern, which reads nothing. */
  lasts: Bits;
  /** All other states. */
  goesOn: Bits;
  /** The states that a star lets read any letter and stay. */
  stays: Bits;
  /** The states within alternatives, and those of them that have a letter. */
  inside: Bits;
  reading: Bits;
  outside: Bits;
  begins: Bits;
  ends: Bits;
  opens: Bits;
  closes: Bits;
  /** Alternatives of which one may be empty: from `opens` to the state before `closes`. */
  skips: Bits;
  /** The states from which others are reached without reading. */
  turns: Bits;
  hasBraces: boolean;
  /** The number of the pattern of which a state is the last, by states; undefined for others. */
  patternOf: Array<number | undefined>;
}

/** Makes the states of patterns. Alternatives must have no alternatives within. */
export function statesOf<Letter>(patterns: Item<Letter>[][]): States<Letter> {
  const letters: Array<Letter | undefined> = [];
  const [starts, stays, inside, begins, ends, opens, closes, skips]: number[][] = [
    [],
    [],
    [],
    [],
    [],
    [],
    [],
    [],
  ];
  const patternOf: Array<number | undefined> = [];
  const next = () => letters.push(undefined) - 1;

  function add(items: Item<Letter>[]) {
    for (const item of items) {
      const state = letters.length - 1;
      if (item === STAR) stays!.push(state);
      else if ("letter" in item) {
        letters[state] = item.letter;
        next();
      } else branch(state, item.alternatives);
    }
  }

  function branch(open: number, alternatives: Item<Letter>[][]) {
    for (const items of alternatives) {
      begins!.push(next());
      add(items);
      ends!.push(letters.length - 1);
    }
    const close = next();
    opens!.push(open);
    closes!.push(close);
    for (let state = open + 1; state < close; state++) inside!.push(state);
    if (!alternatives.some((all) => all.every((item) => item === STAR))) return;
    for (let state = open; state < close; state++) skips!.push(state);
  }

  for (const [n, items] of patterns.entries()) {
    starts!.push(next());
    add(items);
    patternOf[letters.length - 1] = n;
  }
  const isLast = (state: number) => patternOf[state] !== undefined;
  const bits = (states: Iterable<number>) => bitsOf(states, letters.length);
  const within = new Set(inside);
  return {
    letters,
    starts: bits(starts!),
    lasts: bits(letters.keys().filter(isLast)),
    goesOn: bits(letters.keys().filter((state) => !isLast(state))),
    stays: bits(stays!),
    inside: bits(inside!),
    reading: bits(inside!.filter((state) => letters[state] !== undefined)),
    outside: bits(letters.keys().filter((state) => !within.has(state))),
    begins: bits(begins!),
    ends: bits(ends!),
    opens: bits(opens!),
    closes: bits(closes!),
    skips: bits(skips!),
    turns: bits([...ends!, ...opens!]),
    hasBraces: opens!.length > 0,
    patternOf,
  };
}

export function bitsOf(states: Iterable<number>, count: number): Bits {
  const bits = new Int32Array(Math.ceil(count / WORD));
  for (const state of states) bits[wordOf(state)]! |= bitOf(state);
  return bits;
}

/** The number of the word that has a state, and its bit there. */
export const wordOf = (state: number) => Math.floor(state / WORD);
export const bitOf = (state: number) => 1 << state % WORD;
