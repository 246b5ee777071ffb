import { ANY, type Letter } from "./char_set.ts";
import {
  CLOSE,
  endsAlternative,
  GLOBSTAR,
  isLetter,
  NEXT,
  OPEN,
  SLASH,
  STAR,
  type Token,
} from "./glob_syntax.ts";

/** A set of states, 30 in a word: the sum of two words is a small integer, which the runtime adds fastest. */
export type Bits = Int32Array;

export const WORD = 30;
/** A word of all states. */
export const ALL = 2 ** WORD - 1;

/**
 * The automaton of some globs. A state reads a letter or a slash, if anything, and goes to the next state. Of
 * alternatives, the state before them (`opens`) and the state after them are outside. Between these, each that is not
 * empty has its states, the first of which is one of `begins`. A globstar is a state that reads anything and stays, or
 * reads a slash and goes on. Who comes to it comes to the next one, too.
 */
export interface States {
  /** What the states read, by states; undefined for slashes. */
  letters: Array<Letter | undefined>;
  starts: Bits;
  /** The last state of each glob, which reads nothing. */
  lasts: Bits;
  /** The states that come to it by a slash. */
  endings: Bits;
  /** The states before a segment or a globstar, and the last ones. */
  boundaries: Bits;
  /** The states of a segment before the one that reads its slash. */
  fills: Bits;
  /** The states that read a slash. */
  slashes: Bits;
  /** The states that read any letter and stay, and those of them that read a slash, too. */
  stays: Bits;
  globstars: Bits;
  /** The states that go to the next one by a letter. */
  moves: Bits;
  /** The states that leave alternatives by a letter. */
  leaves: Bits;
  inside: Bits;
  begins: Bits;
  opens: Bits;
  /** What is inside, and the states before alternatives of which one is empty. */
  runs: Bits;
}

type Sets = Record<Exclude<keyof States, "letters">, number[]>;

/** Makes the states of globs. */
export function statesOf(globs: Token[][]): States {
  const letters: Array<Letter | undefined> = [];
  const sets: Sets = {
    starts: [],
    lasts: [],
    endings: [],
    boundaries: [],
    fills: [],
    slashes: [],
    stays: [],
    globstars: [],
    moves: [],
    leaves: [],
    inside: [],
    begins: [],
    opens: [],
    runs: [],
  };
  /** The last state so far, the first of its segment, and the one before the alternatives that it is in. */
  let [state, first, open] = [-1, 0, 0];
  let hasEmpty = false;

  function next(): number {
    letters.push(undefined);
    return ++state;
  }

  function beginSegment() {
    first = next();
    sets.boundaries.push(first);
  }

  function addGlobstar(isFirst: boolean) {
    for (const name of ["slashes", "stays", "globstars"] as const) sets[name].push(state);
    beginSegment();
    if (isFirst) sets.starts.push(state);
  }

  function addLetter(letter: Letter, following: Token) {
    letters[state] = letter;
    if (endsAlternative(following)) {
      sets.leaves.push(state);
      return;
    }
    sets.moves.push(state);
    next();
  }

  function addStar(following: Token) {
    sets.stays.push(state);
    if (!endsAlternative(following)) return;
    // The letter before it leaves the alternative, and so does any after it.
    letters[state] = ANY;
    sets.leaves.push(state - 1, state);
  }

  function addAlternative(following: Token) {
    if (endsAlternative(following)) hasEmpty = true;
    else sets.begins.push(next());
  }

  function closeAlternatives() {
    if (hasEmpty) sets.runs.push(open);
    hasEmpty = false;
    for (let inner = open + 1; inner <= state; inner++) {
      sets.inside.push(inner);
      sets.runs.push(inner);
    }
    next();
  }

  function endSegment() {
    sets.slashes.push(state);
    for (let filled = first; filled < state; filled++) sets.fills.push(filled);
    beginSegment();
  }

  function add(token: Token, following: Token, isFirst: boolean) {
    if (isLetter(token)) addLetter(token, following);
    else if (token === STAR) addStar(following);
    else if (token === SLASH) endSegment();
    else if (token === GLOBSTAR) addGlobstar(isFirst);
    else if (token === OPEN) {
      sets.opens.push(open = state);
      addAlternative(following);
    } else if (token === NEXT) addAlternative(following);
    else if (token === CLOSE) closeAlternatives();
  }

  for (const tokens of globs) {
    beginSegment();
    sets.starts.push(state);
    for (let n = 0; n < tokens.length; n++) add(tokens[n]!, tokens[n + 1]!, n === 0);
    sets.lasts.push(state);
    sets.endings.push(state - 1);
    if (tokens.length > 1 && tokens.at(-1) === GLOBSTAR) sets.endings.push(state - 2);
  }
  const bits = Object.entries(sets).map(([name, states]) => [name, bitsOf(states, letters.length)]);
  return { letters, ...Object.fromEntries(bits) as Record<keyof Sets, Bits> };
}

export function bitsOf(states: Iterable<number>, count: number): Bits {
  const bits = new Int32Array(Math.ceil(count / WORD));
  for (const state of states) bits[wordOf(state)]! |= bitOf(state);
  return bits;
}

/** The number of the word that has a state, and its bit there. */
export const wordOf = (state: number) => Math.floor(state / WORD);
export const bitOf = (state: number) => 1 << state % WORD;
