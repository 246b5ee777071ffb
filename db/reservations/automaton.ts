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
import {
  enter,
  hasAny,
  meet,
  read,
  readSegments,
  readSlash,
  readText,
  readTwo,
  tableOf,
  turnsOf,
  unite,
} from "./steps.ts";
import { type Bits, statesOf } from "./states.ts";

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
  const { bits, maskOf } = createLetterMasks(states.letters, words);
  const createSet = (): Bits => new Int32Array(words);
  const none = createSet();

  /** Reads what a token stands for, from a set to another or to itself. Returns whether any state is left. */
  function step(from: Bits, to: Bits, token: Token): boolean {
    if (token === STAR) {
      readText(table, turns, fills, from, to);
      return true;
    }
    if (token !== SLASH && token !== GLOBSTAR) {
      return read(table, turns, from, to, bits, maskOf(token), stays);
    }
    const isLeft = token === SLASH ? readSlash(states, none, from, to) : readSegments(states, from, to);
    if (isLeft && hasBraces) enter(table, turns, to);
    return isLeft;
  }

  /** Reads two tokens at once, which takes less time; returns undefined where that is not possible. */
  function stepTwo(from: Bits, to: Bits, token: Token, next: Token | undefined): boolean | undefined {
    if (next === undefined) return undefined;
    if (token === STAR && next === SLASH) {
      const isLeft = readSlash(states, fills, from, to);
      if (isLeft && hasBraces) enter(table, turns, to);
      return isLeft;
    }
    if (!isLetter(token) || !isLetter(next)) return undefined;
    return readTwo(table, turns, from, to, bits, maskOf(token), maskOf(next), stays);
  }

  const first: Bits = states.starts.slice();
  if (hasBraces) enter(table, turns, first);
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
      let from = now;
      let isLeft = true;
      for (; !endsAlternative(tokens[at]!); at++) {
        if (!isLeft) continue;
        const areLeft = stepTwo(from, one, tokens[at]!, tokens[at + 1]);
        if (areLeft !== undefined) at++;
        isLeft = areLeft ?? step(from, one, tokens[at]!);
        from = one;
      }
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
