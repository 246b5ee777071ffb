import { type Automaton, createAutomaton } from "./automaton.ts";
import { type CharSet, charsMeet } from "./char_set.ts";
import { type Chars, letterOf, parseGlob, withText } from "./glob_syntax.ts";
import { createCharMasks } from "./masks.ts";
import { headOf, type Item, reversed, STAR } from "./pattern.ts";
import { bitOf, type Bits, bitsOf, wordOf } from "./states.ts";

interface Segment {
  text: string;
  isLiteral: boolean;
  /** The states of the globs whose segments meet it, made when they are first needed. */
  mask?: Bits;
}

/** A segment as the pattern that it is. */
interface Shape {
  items: Chars;
  /** The items up to the first star outside of alternatives; undefined without one. */
  head?: Chars;
}

/**
 * Returns the function that decides exactly whether one of these globs has a path in common with one of others. A path
 * has one segment or more, and a segment one character or more. All globs must be well formed.
 *
 * A glob is a pattern of segments, and a segment is one of characters. Both levels are compared as automata
 * (automaton.ts), those of all globs at once, and segments by their ends where these decide.
 */
export function createOverlaps(globs: string[]): (others: string[]) => boolean {
  const own = [...new Set(globs)];
  const [owned, other] = [internBy(createSegment), internBy(createSegment)];
  const automaton = createAutomaton(own.map((glob) => itemsOf(glob, owned)), createSegmentMasks);
  const isCandidate = createEndsFilter(own);
  return (others) => others.some((glob) => isCandidate(glob) && automaton.meets(itemsOf(glob, other)));
}

function internBy<T>(make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>();
  return (text) => {
    let found = made.get(text);
    if (found === undefined) made.set(text, found = make(text));
    return found;
  };
}

function itemsOf(glob: string, read: (text: string) => Segment): Item<Segment>[] {
  return glob.split("/").map((text) => text === "**" ? STAR : { letter: read(text) });
}

const SPECIAL = /[*?[{]/;

function createSegment(text: string): Segment {
  return { text, isLiteral: !SPECIAL.test(text) };
}

function shapeOf({ text, isLiteral }: Segment): Shape {
  const items = isLiteral ? literal(text) : parseGlob(text)[0]!;
  return { items, head: headOf(items) };
}

function literal(text: string): Chars {
  const items: Chars = [];
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!;
    items.push(letterOf(code));
    at += code > 0xffff ? 2 : 1;
  }
  return items;
}

/**
 * Returns whether any of the globs may have a path in common with another, by their first and last characters, and by
 * how many segments they have.
 */
function createEndsFilter(own: string[]): (glob: string) => boolean {
  const ends = own.map((glob) => {
    const segments = parseGlob(glob);
    return {
      first: firstOf(segments[0] ?? []),
      last: firstOf(reversed(segments.at(-1) ?? [])),
      count: segments.filter((segment) => segment !== undefined).length,
      hasMore: segments.includes(undefined),
    };
  });
  const known = new Map<number, boolean>();
  return (glob) => {
    const [first, last] = [literalAt(glob, 0), literalAt(glob, glob.length - 1)];
    const { count, hasMore } = segmentsIn(glob);
    const key = ((first * 0x10000 + last) * 1_024 + count) * 2 + Number(hasMore);
    let found = known.get(key);
    if (found === undefined) {
      found = ends.some((own) =>
        mayBe(own.first, first) && mayBe(own.last, last) &&
        (hasMore || count >= own.count) && (own.hasMore || own.count >= count)
      );
      known.set(key, found);
    }
    return found;
  };
}

/** Returns the characters with which a segment may begin; undefined where its first item does not tell. */
function firstOf([item]: Chars): CharSet | undefined {
  return item !== undefined && item !== STAR && "letter" in item ? item.letter : undefined;
}

/** Returns the code of a character of a glob that stands for itself, else 0. */
function literalAt(glob: string, at: number): number {
  const code = glob.charCodeAt(at);
  return "*?[]{}".includes(glob[at]!) || code >= 0xd800 && code < 0xe000 ? 0 : code;
}

/** Counts the segments of a glob that stand for one each; `hasMore`: whether others may stand for any number. */
function segmentsIn(glob: string): { count: number; hasMore: boolean } {
  let [count, hasMore] = [0, false];
  for (let from = 0; from <= glob.length;) {
    const slash = glob.indexOf("/", from);
    const end = slash < 0 ? glob.length : slash;
    if (end - from === 2 && glob[from] === "*" && glob[from + 1] === "*") hasMore = true;
    else count++;
    from = end + 1;
  }
  return { count, hasMore };
}

function mayBe(chars: CharSet | undefined, code: number): boolean {
  return chars === undefined || code === 0 || charsMeet(chars, [[code, code]]);
}

/** Creates the function that makes the masks of the states whose segments meet another. */
function createSegmentMasks(own: Array<Segment | undefined>): (other: Segment) => Bits {
  const states = Map.groupBy(own.keys(), (state) => own[state]);
  states.delete(undefined);
  const segments = [...states.keys()] as Segment[];
  const firsts = segments.map((segment) => states.get(segment)![0]!);
  const [words, bits] = [Int32Array.from(firsts, wordOf), Int32Array.from(firsts, bitOf)];
  const others = segments.map((segment) => states.get(segment)!.slice(1));
  const areOnce = others.every(({ length }) => length === 0);
  const numbers = [...segments.keys()];
  const literals = new Map(segments.map(({ text }, n) => [text, n]));
  const meetingAny = createMeeting(segments, numbers);
  const meetingLiteral = createMeeting(segments, numbers.filter((n) => !segments[n]!.isLiteral));
  const none = bitsOf([], own.length);
  const every = bitsOf([...states.values()].flat(), own.length);

  function add(mask: Bits, n: number) {
    mask[words[n]!]! |= bits[n]!;
    if (areOnce) return;
    for (const state of others[n]!) mask[wordOf(state)]! |= bitOf(state);
  }

  return (other) => {
    if (other.mask) return other.mask;
    const meeting = (other.isLiteral ? meetingLiteral : meetingAny)(other);
    const equal = other.isLiteral ? literals.get(other.text) : undefined;
    if (meeting.length === 0 && equal === undefined) return other.mask = none;
    if (meeting.length === segments.length) return other.mask = every;
    const mask = none.slice();
    for (let n = 0; n < meeting.length; n++) add(mask, meeting[n]!);
    if (equal !== undefined) add(mask, equal);
    return other.mask = mask;
  };
}

/** Finds which of some patterns meet another: their numbers, which are valid up to the next call. */
type Meeting<Other> = (other: Other) => number[];

/** Returns the function that compares another segment with those of the segments that have these numbers, at once. */
function createMeeting(segments: Segment[], numbers: number[]): Meeting<Segment> {
  const shapes = numbers.map((n) => shapeOf(segments[n]!));
  const all = [...shapes.keys()];
  const [starred, others] = [all.filter((n) => shapes[n]!.head), all.filter((n) => !shapes[n]!.head)];
  const among = (chosen: number[], itemsOf: (shape: Shape) => Chars) =>
    createAmong(chosen.map((n) => numbers[n]!), () => chosen.map((n) => itemsOf(shapes[n]!)));
  const [whole, rest] = [all, others].map((chosen) => among(chosen, ({ items }) => items));
  const [heads, tails] = [among(starred, ({ head }) => head!), among(starred, tailOf)];

  return (other) => {
    const shape = shapeOf(other);
    const items = withText(shape.items);
    if (!shape.head) return whole!(items);
    // Between the ends of two with stars there is room for all the rest of both, and for a character.
    const meeting = rest!(items);
    const beginning = heads(shape.head);
    if (beginning.length === 0) return meeting;
    const both = new Set(beginning);
    for (const n of tails(tailOf(shape))) if (both.has(n)) meeting.push(n);
    return meeting;
  };
}

/** Returns the function that compares patterns, which have these numbers, with another. */
function createAmong(numbers: number[], patterns: () => Chars[]): Meeting<Chars> {
  const found: number[] = [];
  const areAll = numbers.every((number, n) => number === n);
  let automaton: Automaton<CharSet> | undefined;
  return (other) => {
    found.length = 0;
    if (numbers.length === 0) return found;
    automaton ??= createAutomaton(patterns(), createCharMasks);
    automaton.findMeeting(other, found);
    for (let n = 0; n < found.length && !areAll; n++) found[n] = numbers[found[n]!]!;
    return found;
  };
}

function tailOf({ items }: Shape): Chars {
  return headOf(reversed(items))!;
}
