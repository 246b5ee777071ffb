import { ANY } from "./char_set.ts";
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
  closeBy,
  enter,
  hasAny,
  letterTurnsOf,
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

/** The maximum number of first tokens, and of last letters, of which the states are remembered. */
const MAX_KNOWN = 128;

/** The automaton of some globs. */
interface Automaton {
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
  const [turns, letterTurns] = [turnsOf(states), letterTurnsOf(states)];
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
      return read(table, letterTurns, from, to, bits, maskOf(token), stays);
    }
    if (token === SLASH) return endSegment(from, to, none);
    const isLeft = readSegments(states, from, to);
    if (isLeft && hasBraces) enter(table, turns, to);
    return isLeft;
  }

  /** Reads two tokens at once, which takes less time; returns undefined where that is not possible. */
  function stepTwo(from: Bits, to: Bits, token: Token, next: Token | undefined): boolean | undefined {
    if (next === undefined) return undefined;
    if (token === STAR && next === SLASH) return endSegment(from, to, fills);
    if (!isLetter(token) || !isLetter(next)) return undefined;
    return readTwo(table, letterTurns, from, to, bits, maskOf(token), maskOf(next), stays);
  }

  /** Reads a slash, after any text if `skipping` is `fills`. */
  function endSegment(from: Bits, to: Bits, skipping: Bits): boolean {
    const isLeft = readSlash(states, skipping, from, to);
    if (isLeft && hasBraces) enter(table, turns, to);
    return isLeft;
  }

  const first: Bits = states.starts.slice();
  if (hasBraces) enter(table, turns, first);
  /** The states by now; the sets that hold them, those after an alternative, and those after several. */
  let [now, set, one, several] = [first, createSet(), createSet(), createSet()];
  /** In a segment that may be empty, the states after a text of it. */
  let [withText, needsText] = [createSet(), false];

  /** The states after the first token of another glob, and before its last letter: many globs begin or end alike. */
  const begun = new Map<Token, Bits>();
  const closed = new Map<Token, Bits>();

  /** Returns what is remembered of a token, or makes it in a new set, or in `spare` if it is not to be remembered. */
  function recall(
    known: Map<Token, Bits>,
    token: Token,
    spare: Bits,
    make: (token: Token, to: Bits) => Bits,
  ): Bits {
    const found = known.get(token);
    if (found) return found;
    const isKept = known.size < MAX_KNOWN && (typeof token === "number" || token === ANY);
    const made = make(token, isKept ? createSet() : spare);
    if (isKept) known.set(token, made);
    return made;
  }

  const begin = (token: Token, to: Bits): Bits => step(first, to, token) ? to : none;

  function close(token: Token, to: Bits): Bits {
    closeBy(states, to, bits, maskOf(token));
    return to;
  }

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
    const isBegun = other[0] !== OPEN && other[0] !== WITH_TEXT;
    now = isBegun ? recall(begun, other[0]!, set, begin) : first;
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
        if (at === end - 1 && isLetter(token)) return recall(closed, token, one, close);
        // The last letter stays for the end.
        const next = at === end - 2 && isLetter(token) ? undefined : other[at + 1];
        const areLeft = stepTwo(now, set, token, next);
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
