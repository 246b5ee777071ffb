import {
  endsAlternative,
  GLOBSTAR,
  isLetter,
  NEXT,
  OPEN,
  SLASH,
  STAR,
  type Token,
  WITH_TEXT,
} from "./glob_syntax.ts";
import { createLetterMasks } from "./masks.ts";
import { ALL, bitOf, type Bits, type States, statesOf, WORD, wordOf } from "./states.ts";

/** The maximum number of first tokens after which the states are remembered. */
const MAX_BEGUN = 128;

/** The automaton of some globs. */
export interface Automaton {
  /** Whether one of the globs has a path in common with another. */
  meets(other: Token[]): boolean;
  /** Returns the numbers of the globs that have a path in common with another. */
  meeting(other: Token[]): number[];
}

/**
 * Creates the automaton of some globs. It walks another glob with the set of states that it can be in by then.
 *
 * Empty segments, which no path has, are left out by the other glob alone. Where a segment here and one there both may
 * be empty, and one of the two has a star, they have a text in common as well.
 */
export function createAutomaton(globs: Token[][]): Automaton {
  const states = statesOf(globs);
  const { lasts, endings, fills, stays } = states;
  const words = lasts.length;
  const table = tableOf(states);
  const turns = turnsOf(states);
  const hasBraces = turns.length > 1;
  /** Whether most words have alternatives. */
  const areDense = 2 * states.inside.filter((word) => word !== 0).length > words;
  const { bits, maskOf } = createLetterMasks(states.letters, words);
  const createSet = (): Bits => new Int32Array(words);
  const none = createSet();

  /** Reads what a token stands for, from a set to another or to itself. Returns whether any state is left. */
  function step(from: Bits, to: Bits, token: Token): boolean {
    if (token === STAR) {
      readText(table, from, to);
      return true;
    }
    if (token !== SLASH && token !== GLOBSTAR) {
      return read(table, turns, from, to, bits, maskOf(token), stays);
    }
    const isLeft = token === SLASH ? readSlash(states, none, from, to) : readSegments(states, from, to);
    if (isLeft && hasBraces) enter(table, to);
    return isLeft;
  }

  /** Reads two tokens at once, where that takes less time; returns undefined elsewhere. */
  function stepTwo(from: Bits, to: Bits, token: Token, next: Token | undefined): boolean | undefined {
    if (next === undefined) return undefined;
    if (token === STAR && next === SLASH) {
      const isLeft = readSlash(states, fills, from, to);
      if (isLeft && hasBraces) enter(table, to);
      return isLeft;
    }
    if (!areDense || !isLetter(token) || !isLetter(next)) return undefined;
    return readTwo(table, from, to, bits, maskOf(token), maskOf(next), stays);
  }

  const first: Bits = states.starts.slice();
  if (hasBraces) enter(table, first);
  /** The states after the first token of another glob: many globs begin alike. */
  const begun = new Map<Token, Bits>();

  function begin(token: Token): Bits {
    const known = begun.get(token);
    if (known) return known;
    const set = createSet();
    const after = step(first, set, token) ? set : none;
    if (begun.size < MAX_BEGUN) begun.set(token, after);
    return after;
  }

  /** The states by now; the sets that hold them, those after an alternative, and those after several. */
  let [now, set, one, several] = [first, createSet(), createSet(), createSet()];
  /** In a segment that may be empty, the states after a text of it. */
  let [withText, needsText] = [createSet(), false];

  /** Reads alternatives. Returns where they end. */
  function readAny(tokens: Token[], open: number): number {
    let [at, hasEmpty] = [open, false];
    several.fill(0);
    do {
      if (endsAlternative(tokens[++at]!)) {
        hasEmpty = true;
        continue;
      }
      let isLeft = step(now, one, tokens[at]!);
      while (!endsAlternative(tokens[++at]!)) isLeft &&= step(one, one, tokens[at]!);
      if (isLeft) unite(several, one);
    } while (tokens[at] === NEXT);
    if (needsText) unite(withText, several);
    if (hasEmpty) unite(several, now);
    [set, several] = [several, set];
    now = set;
    return at;
  }

  /** Walks a glob to `now`. Returns the states that end it, if any is left. */
  function walk(other: Token[]): Bits | undefined {
    const isBegun = typeof other[0] === "number" && other[0] !== OPEN && other[0] !== WITH_TEXT;
    now = isBegun ? begin(other[0]!) : first;
    if (now === none) return undefined;
    needsText = false;
    const end = other.length - 1;
    for (let at = isBegun ? 1 : 0; at <= end; at++) {
      const token = other[at]!;
      if (token === OPEN) at = readAny(other, at);
      else if (token === WITH_TEXT) {
        needsText = true;
        withText.fill(0);
      } else {
        if (needsText) [set, withText, now, needsText] = [withText, set, withText, false];
        if (at === end && token === SLASH) return endings;
        const areLeft = stepTwo(now, set, token, other[at + 1]);
        if (areLeft !== undefined) at++;
        if (!(areLeft ?? step(now, set, token))) return undefined;
        now = set;
      }
    }
    return lasts;
  }

  return {
    meets(other) {
      const ends = walk(other);
      return ends !== undefined && meet(now, ends);
    },
    meeting(other) {
      const ends = walk(other);
      if (ends === undefined || !meet(now, ends)) return [];
      return globs.flatMap((_, n) => hasAny(now, ends, states.firsts[n]!, states.firsts[n + 1]!) ? [n] : []);
    },
  };
}

/** The number of sets in a table. */
const SETS = 7;

/**
 * Puts the sets that are read together side by side, which takes a third less time.
 *
 * A sum moves all states of a word at once, however many alternatives there are: a carry runs through ones up to the
 * next zero, and from a word to the next. What a word holds beyond its states means nothing.
 */
function tableOf({ inside, runs, opens, moves, leaves, begins, fills }: States): Int32Array {
  const table = new Int32Array(SETS * inside.length);
  for (const [k, set] of [inside, runs, opens, moves, leaves, begins, fills].entries()) {
    for (let n = 0; n < set.length; n++) table[SETS * n + k] = set[n]!;
  }
  return table;
}

/** Returns where words without alternatives end, where words with alternatives end after these, and so on. */
function turnsOf({ inside, opens }: States): number[] {
  const turns: number[] = [];
  for (let n = 0; n < inside.length; n++) {
    // The state after alternatives may be the first of the next word.
    const isBraced = (inside[n]! | opens[n]! | inside[n - 1]! >> WORD - 1) !== 0;
    if (isBraced === (turns.length % 2 === 0)) turns.push(n);
  }
  turns.push(inside.length);
  return turns;
}

/**
 * Reads a letter. `mask`: where the mask begins of the states that read it; `turns`: from `turnsOf`. Returns whether any
 * state is left.
 */
function read(
  table: Int32Array,
  turns: number[],
  from: Bits,
  to: Bits,
  masks: Bits,
  mask: number,
  staying: Bits,
): boolean {
  let [any, carry, n] = [0, 0, 0];
  for (let turn = 0; turn < turns.length; turn++) {
    const end = turns[turn]!;
    if (turn % 2 === 0) {
      for (; n < end; n++) {
        const before = from[n]!;
        const taken = before & masks[mask + n]!;
        const word = taken << 1 | carry | before & staying[n]!;
        carry = taken >> WORD - 1;
        to[n] = word;
        any |= word;
      }
      continue;
    }
    let [left, entered] = [0, 0];
    for (let at = SETS * n; n < end; n++, at += SETS) {
      const before = from[n]!;
      const taken = before & masks[mask + n]!;
      const moving = taken & table[at + 3]!;
      let word = moving << 1 | carry | before & staying[n]!;
      carry = moving >> WORD - 1;
      // Through the rest of the alternatives to the state after them, and on while alternatives follow that may be empty.
      const inside = table[at]!;
      const runs = table[at + 1]!;
      const exits = taken & table[at + 4]! | word & (runs ^ inside) | left;
      if (exits !== 0) {
        const leaving = runs + exits;
        left = leaving >> WORD;
        word |= (leaving ^ runs) & ~inside;
      }
      // From the first state within alternatives to all of them.
      const entries = (word & table[at + 2]!) << 1 | entered;
      if (entries !== 0) {
        const entering = inside + entries;
        entered = entering >>> WORD;
        word |= (entering ^ inside) & table[at + 5]!;
      }
      to[n] = word;
      any |= word;
    }
  }
  return any !== 0;
}

/** Reads two letters, one after the other, in a sixth less time where most words have alternatives. */
function readTwo(
  table: Int32Array,
  from: Bits,
  to: Bits,
  masks: Bits,
  mask1: number,
  mask2: number,
  staying: Bits,
): boolean {
  let [any, carry1, left1, entered1, carry2, left2, entered2] = [0, 0, 0, 0, 0, 0, 0];
  for (let n = 0, at = 0; n < from.length; n++, at += SETS) {
    const before = from[n]!;
    const inside = table[at]!;
    const runs = table[at + 1]!;
    const opens = table[at + 2]!;
    const moves = table[at + 3]!;
    const leaves = table[at + 4]!;
    const begins = table[at + 5]!;
    const stays = staying[n]!;

    const taken1 = before & masks[mask1 + n]!;
    const moving1 = taken1 & moves;
    let word = moving1 << 1 | carry1 | before & stays;
    carry1 = moving1 >> WORD - 1;
    const leaving1 = runs + (taken1 & leaves | word & (runs ^ inside)) + left1;
    left1 = leaving1 >> WORD;
    word |= (leaving1 ^ runs) & ~inside;
    const entering1 = inside + ((word & opens) << 1) + entered1;
    entered1 = entering1 >>> WORD;
    word |= (entering1 ^ inside) & begins;

    const taken2 = word & masks[mask2 + n]!;
    const moving2 = taken2 & moves;
    word = moving2 << 1 | carry2 | word & stays;
    carry2 = moving2 >> WORD - 1;
    const leaving2 = runs + (taken2 & leaves | word & (runs ^ inside)) + left2;
    left2 = leaving2 >> WORD;
    word |= (leaving2 ^ runs) & ~inside;
    const entering2 = inside + ((word & opens) << 1) + entered2;
    entered2 = entering2 >>> WORD;
    word |= (entering2 ^ inside) & begins;

    to[n] = word;
    any |= word;
  }
  return any !== 0;
}

/** Adds the states that are reached without reading. */
function enter(table: Int32Array, set: Bits): void {
  let [left, entered] = [0, 0];
  for (let n = 0, at = 0; n < set.length; n++, at += SETS) {
    let word = set[n]!;
    const inside = table[at]!;
    const runs = table[at + 1]!;
    const leaving = runs + (word & (runs ^ inside)) + left;
    left = leaving >> WORD;
    word |= (leaving ^ runs) & ~inside;
    const entering = inside + ((word & table[at + 2]!) << 1) + entered;
    entered = entering >>> WORD;
    set[n] = word | (entering ^ inside) & table[at + 5]!;
  }
}

/** Reads any text within a segment. */
function readText(table: Int32Array, from: Bits, to: Bits): void {
  let [moved, left, filled] = [0, 0, 0];
  for (let n = 0, at = 0; n < from.length; n++, at += SETS) {
    const fills = table[at + 6]!;
    if (filled !== 0 && fills === ALL) {
      // All of it is reached: what is within alternatives leads nowhere else.
      to[n] = ALL;
      moved = left = 0;
      continue;
    }
    let word = from[n]!;
    const inside = table[at]!;
    if ((inside | left) !== 0) {
      // To the end of an alternative, and out of it.
      const movers = inside & table[at + 3]!;
      const moving = movers + (word & movers) + moved;
      moved = moving >> WORD;
      word |= moving ^ movers;
      const leaving = inside + (word & inside) + left;
      left = leaving >> WORD;
      word |= leaving & ~inside;
    }
    // From the first state outside to the slash.
    const filling = fills + (word & fills & ~inside) + filled;
    filled = filling >> WORD;
    to[n] = word | filling ^ fills;
  }
}

/**
 * Reads a slash, after any text if `skipping` has the states that a text leads to it. Returns whether any state is left.
 */
function readSlash({ slashes, globstars }: States, skipping: Bits, from: Bits, to: Bits): boolean {
  let [any, filled, carry, passed] = [0, 0, 0, 0];
  for (let n = 0; n < from.length; n++) {
    const before = from[n]!;
    const skips = skipping[n]!;
    const filling = skips + (before & skips) + filled;
    filled = filling >> WORD;
    const taken = (before | filling ^ skips) & slashes[n]!;
    const word = taken << 1 | carry;
    carry = taken >> WORD - 1;
    const stars = globstars[n]!;
    const passing = word & stars;
    to[n] = word | before & stars | passing << 1 | passed;
    passed = passing >> WORD - 1;
    any |= to[n]!;
  }
  return any !== 0;
}

/** Reads any number of segments. Returns whether any state is left. */
function readSegments({ lasts, boundaries }: States, from: Bits, to: Bits): boolean {
  let [any, filled] = [0, 0];
  for (let n = 0; n < from.length; n++) {
    const word = from[n]!;
    const fills = ALL ^ lasts[n]!;
    const filling = fills + (word & fills) + filled;
    filled = filling >> WORD;
    to[n] = word | (filling ^ fills) & boundaries[n]!;
    any |= word;
  }
  return any !== 0;
}

function meet(set: Bits, other: Bits): boolean {
  for (let n = 0; n < set.length; n++) if ((set[n]! & other[n]!) !== 0) return true;
  return false;
}

/** Whether a state from `first` up to `end` is in both sets. */
function hasAny(set: Bits, other: Bits, first: number, end: number): boolean {
  for (let state = first; state < end; state++) {
    if ((set[wordOf(state)]! & other[wordOf(state)]! & bitOf(state)) !== 0) return true;
  }
  return false;
}

function unite(set: Bits, other: Bits): void {
  for (let n = 0; n < set.length; n++) set[n]! |= other[n]!;
}
