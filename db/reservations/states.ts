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

/** A set of states, 31 in a word: the highest bit is where the sum of two words carries. */
export type Bits = Int32Array;

const WORD = 31;
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
  /** The first state of each glob, and the number of all states. */
  firsts: number[];
  starts: Bits;
  /** The last state of each glob, which reads nothing. */
  lasts: Bits;
  /** The states that come to it by a slash. */
  endings: Bits;
  /** The states that come to one of `endings` by their letter, and those that come or stay there by any. */
  closings: Bits;
  closed: Bits;
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

/** Makes the states of globs. */
export function statesOf(globs: Token[][]): States {
  const letters: Array<Letter | undefined> = [];
  // Each token makes one state at most.
  const maxWords = wordOf(globs.reduce((sum, tokens) => sum + tokens.length + 1, 0)) + 1;
  const createSet = (): Bits => new Int32Array(maxWords);
  const sets = {
    starts: createSet(),
    lasts: createSet(),
    endings: createSet(),
    closings: createSet(),
    closed: createSet(),
    boundaries: createSet(),
    fills: createSet(),
    slashes: createSet(),
    stays: createSet(),
    globstars: createSet(),
    moves: createSet(),
    leaves: createSet(),
    inside: createSet(),
    begins: createSet(),
    opens: createSet(),
    runs: createSet(),
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
    put(sets.boundaries, first);
  }

  function addGlobstar(isFirst: boolean) {
    for (const set of [sets.slashes, sets.stays, sets.globstars]) put(set, state);
    beginSegment();
    if (isFirst) put(sets.starts, state);
  }

  function addLetter(letter: Letter, following: Token) {
    letters[state] = letter;
    if (endsAlternative(following)) {
      put(sets.leaves, state);
      return;
    }
    put(sets.moves, state);
    next();
  }

  function addStar(following: Token) {
    put(sets.stays, state);
    if (!endsAlternative(following)) return;
    // The letter before it leaves the alternative, and so does any after it.
    letters[state] = ANY;
    put(sets.leaves, state - 1);
    put(sets.leaves, state);
  }

  function addAlternative(following: Token) {
    if (endsAlternative(following)) hasEmpty = true;
    else put(sets.begins, next());
  }

  function closeAlternatives() {
    if (hasEmpty) put(sets.runs, open);
    hasEmpty = false;
    putAll(sets.inside, open + 1, state);
    putAll(sets.runs, open + 1, state);
    next();
  }

  function endSegment() {
    put(sets.slashes, state);
    putAll(sets.fills, first, state - 1);
    beginSegment();
  }

  function add(token: Token, following: Token, isFirst: boolean) {
    if (isLetter(token)) addLetter(token, following);
    else if (token === STAR) addStar(following);
    else if (token === SLASH) endSegment();
    else if (token === GLOBSTAR) addGlobstar(isFirst);
    else if (token === OPEN) {
      open = state;
      put(sets.opens, open);
      addAlternative(following);
    } else if (token === NEXT) addAlternative(following);
    else if (token === CLOSE) closeAlternatives();
  }

  /** Adds what comes to the endings of the last glob by a letter. */
  function addClosings(start: number) {
    let isEnd = true;
    for (let at = state - 1; isEnd && at >= start; at--) {
      const isInside = has(sets.inside, at);
      if (has(isInside ? sets.leaves : sets.moves, at)) put(sets.closings, at);
      if (isInside) continue;
      // Through alternatives that may be empty.
      isEnd = has(sets.endings, at) || has(sets.runs, at);
      if (isEnd && has(sets.stays, at)) put(sets.closed, at);
    }
  }

  const firsts: number[] = [];
  for (const tokens of globs) {
    beginSegment();
    firsts.push(state);
    put(sets.starts, state);
    for (let n = 0; n < tokens.length; n++) add(tokens[n]!, tokens[n + 1]!, n === 0);
    put(sets.lasts, state);
    put(sets.endings, state - 1);
    if (tokens.length > 1 && tokens.at(-1) === GLOBSTAR) put(sets.endings, state - 2);
    addClosings(firsts.at(-1)!);
  }
  firsts.push(letters.length);
  const words = wordOf(state) + 1;
  for (const name of Object.keys(sets) as Array<keyof typeof sets>) sets[name] = sets[name].slice(0, words);
  return { letters, firsts, ...sets };
}

function put(set: Bits, state: number): void {
  set[wordOf(state)]! |= bitOf(state);
}

function has(set: Bits, state: number): boolean {
  return (set[wordOf(state)]! & bitOf(state)) !== 0;
}

/** Adds the states from the first to the last. */
function putAll(set: Bits, first: number, last: number): void {
  for (let n = wordOf(first); n <= wordOf(last); n++) {
    const from = Math.max(first - WORD * n, 0);
    const to = Math.min(last - WORD * n, WORD - 1);
    set[n]! |= ALL >> WORD - 1 - to + from << from;
  }
}

/** The number of the word that has a state, and its bit there. */
export const wordOf = (state: number) => state / WORD | 0;
export const bitOf = (state: number) => 1 << state % WORD;
