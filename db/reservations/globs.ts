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
  const segments = [...states].map(([segment, states]): OwnSegment => {
    return { ...segment!, states, shape: shapeOf(segment!) };
  });
  const none = bitsOf([], own.length);
  const literals = new Map(segments.map(({ text, states }) => [text, states]));
  const addAny = createMeeting(segments, none);
  const addLiteral = createMeeting(segments.filter(({ isLiteral }) => !isLiteral), none);

  const mask = none.slice();
  return (other) => {
    if (other.mask) return other.mask;
    mask.fill(0);
    if (other.isLiteral) {
      addLiteral(other, mask);
      for (const state of literals.get(other.text) ?? []) mask[wordOf(state)]! |= bitOf(state);
    } else addAny(other, mask);
    return other.mask = mask.every((word) => word === 0) ? none : mask.slice();
  };
}

/** A segment of the globs that are compared with many others, and the states that read it. */
interface OwnSegment extends Segment {
  states: number[];
  shape: Shape;
}

/** Adds the states of the segments that meet another to a mask. */
type Meeting<Other> = (other: Other, mask: Bits) => void;

/** Returns the function that compares another segment with all of the segments at once. */
function createMeeting(segments: OwnSegment[], none: Bits): Meeting<Segment> {
  const starred = segments.filter(({ shape }) => shape.head);
  const whole = createAmong(segments, ({ items }) => items);
  const rest = createAmong(segments.filter(({ shape }) => !shape.head), ({ items }) => items);
  const [heads, tails] = [createAmong(starred, ({ head }) => head!), createAmong(starred, tailOf)];
  const [beginning, ending] = [none.slice(), none.slice()];

  return (other, mask) => {
    const shape = shapeOf(other);
    const items = withText(shape.items);
    if (!shape.head) return whole(items, mask);
    rest(items, mask);
    if (starred.length === 0) return;
    // Between the ends of two with stars there is room for all the rest of both, and for a character.
    heads(shape.head, beginning.fill(0));
    tails(tailOf(shape), ending.fill(0));
    for (let n = 0; n < mask.length; n++) mask[n]! |= beginning[n]! & ending[n]!;
  };
}

/** States as the bits of some words of a mask. */
type Part = Array<{ word: number; bits: number }>;

/**
 * Returns the function that compares segments with another, by some of their items. What the segments of one word of
 * the automaton add is remembered, since there are many segments and few different sets of those of a word.
 */
function createAmong(segments: OwnSegment[], itemsOf: (shape: Shape) => Chars): Meeting<Chars> {
  if (segments.length === 0) return () => {};
  let automaton: Automaton<CharSet> | undefined;
  const parts: Array<Map<number, Part>> = [];

  function partOf(n: number, lasts: number): Part {
    const states = automaton!.patternsIn(n, lasts).flatMap((pattern) => segments[pattern]!.states);
    return [...Map.groupBy(states, wordOf)].map(([word, states]) => {
      return { word, bits: states.reduce((bits, state) => bits | bitOf(state), 0) };
    });
  }

  let to: Bits;
  function add(n: number, lasts: number) {
    const known = parts[n] ??= new Map();
    let part = known.get(lasts);
    if (part === undefined) known.set(lasts, part = partOf(n, lasts));
    for (let k = 0; k < part.length; k++) to[part[k]!.word]! |= part[k]!.bits;
  }

  return (other, mask) => {
    automaton ??= createAutomaton(segments.map(({ shape }) => itemsOf(shape)), createCharMasks);
    to = mask;
    automaton.eachMeeting(other, add);
  };
}

function tailOf({ items }: Shape): Chars {
  return headOf(reversed(items))!;
}
