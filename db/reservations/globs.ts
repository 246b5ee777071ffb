import { type Automaton, createAutomaton } from "./automaton.ts";
import { type CharSet, charsMeet } from "./char_set.ts";
import { type Chars, parseGlob, withText } from "./glob_syntax.ts";
import { createCharMasks } from "./masks.ts";
import { headOf, type Item, type Plain, plainOf, plainsMeet, reversed, STAR } from "./pattern.ts";
import { type Bits, bitsOf } from "./states.ts";

/** A segment, parsed when it is first needed. */
interface Segment {
  text: string;
  isLiteral: boolean;
  shape?: Shape;
  /** The states of the globs whose segments meet it. */
  mask?: Bits;
}

interface Shape {
  items: Chars;
  /** Undefined where it has alternatives. */
  plain?: Plain<CharSet>;
  /** The items up to the first star outside of alternatives; undefined without one. */
  head?: Chars;
  /** The items backwards from the end to the last such star, made when they are first needed. */
  tail?: Chars;
  /** The items without the empty text, made when they are first needed. */
  whole?: Chars;
}

/** A segment of the globs that are compared with many others. */
interface OwnSegment extends Segment {
  automata: { whole?: Automaton<CharSet>; head?: Automaton<CharSet>; tail?: Automaton<CharSet> };
}

/** The number of steps of an automaton that take as long as a comparison of two segments. */
const STEPS_OF_PAIR = 50;

/**
 * Returns the function that decides exactly whether one of these globs has a path in common with one of others. A path
 * has one segment or more, and a segment one character or more. All globs must be well formed.
 *
 * A glob is a pattern of segments, and a segment is one of characters. Both levels are compared as automata
 * (automaton.ts), long segments by their ends where these decide (pattern.ts).
 */
export function createOverlaps(globs: string[]): (others: string[]) => boolean {
  const own = [...new Set(globs)];
  const owned = internBy((text): OwnSegment => ({ ...createSegment(text), automata: {} }));
  const other = internBy(createSegment);
  const automaton = createAutomaton(own.map((glob) => itemsOf(glob, owned)), createSegmentMasks);
  const isCandidate = createEndsFilter(own, owned);
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

function itemsOf<T extends Segment>(glob: string, read: (text: string) => T): Item<T>[] {
  return glob.split("/").map((text) => text === "**" ? STAR : { letter: read(text) });
}

const SPECIAL = /[*?[{]/;

function createSegment(text: string): Segment {
  return { text, isLiteral: !SPECIAL.test(text) };
}

function shapeOf(segment: Segment): Shape {
  if (segment.shape) return segment.shape;
  const { text, isLiteral } = segment;
  const items = isLiteral ? literal(text) : parseGlob(text)[0]!;
  return segment.shape = { items, plain: plainOf(items), head: headOf(items) };
}

const letterOf = (code: number): Chars[number] => ({ letter: [[code, code]] });
const ASCII = Array.from({ length: 128 }, (_, code) => letterOf(code));

function literal(text: string): Chars {
  return Array.from(text, (char) => {
    const code = char.codePointAt(0)!;
    return ASCII[code] ?? letterOf(code);
  });
}

/** Returns whether any of the globs may have a path in common with another, by their first and last characters. */
function createEndsFilter(own: string[], read: (text: string) => Segment): (glob: string) => boolean {
  const ends = own.map((glob) => {
    const items = itemsOf(glob, read);
    const [first, last] = [items[0]!, items.at(-1)!].map((item) =>
      item !== STAR && "letter" in item ? shapeOf(item.letter).items : []
    );
    return { first: firstOf(first!), last: firstOf(reversed(last!)) };
  });
  const known = new Map<number, boolean>();
  return (glob) => {
    const [first, last] = [literalAt(glob, 0), literalAt(glob, glob.length - 1)];
    const key = first * 0x10000 + last;
    let found = known.get(key);
    if (found === undefined) {
      found = ends.some((own) => mayBe(own.first, first) && mayBe(own.last, last));
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

function mayBe(chars: CharSet | undefined, code: number): boolean {
  return chars === undefined || code === 0 || charsMeet(chars, [[code, code]]);
}

/** Creates the function that makes the masks of the states whose segments meet another. */
function createSegmentMasks(own: Array<OwnSegment | undefined>): (other: Segment) => Bits {
  const states = Map.groupBy(own.keys(), (state) => own[state]);
  states.delete(undefined);
  const segments = [...states.keys()] as OwnSegment[];
  const bits = new Map(segments.map((segment) => [segment, bitsOf(states.get(segment)!, own.length)]));
  const [meetingAny, meetingLiteral] = [
    createMeeting(segments),
    createMeeting(segments.filter(({ isLiteral }) => !isLiteral)),
  ];
  const literals = new Map(
    segments.filter(({ isLiteral }) => isLiteral).map((segment) => [segment.text, segment]),
  );
  const none = bitsOf([], own.length);

  function meetingOf(other: Segment): OwnSegment[] {
    if (!other.isLiteral) return meetingAny(other);
    const equal = literals.get(other.text);
    return equal ? [equal, ...meetingLiteral(other)] : meetingLiteral(other);
  }

  return (other) => {
    if (other.mask) return other.mask;
    const meeting = meetingOf(other);
    if (meeting.length === 0) return other.mask = none;
    const mask = other.mask = none.slice();
    for (const segment of meeting) bits.get(segment)!.forEach((word, n) => mask[n]! |= word);
    return mask;
  };
}

/** Returns the function that finds which of the segments meet another: all at once, or one by one if that is long. */
function createMeeting(segments: OwnSegment[]): (other: Segment) => OwnSegment[] {
  if (segments.length === 0) return () => [];
  let automaton: Automaton<CharSet> | undefined;
  return (other) => {
    const shape = shapeOf(other);
    automaton ??= createAutomaton(segments.map((segment) => shapeOf(segment).items), createCharMasks);
    if (other.text.length * automaton.words > STEPS_OF_PAIR * segments.length) {
      return segments.filter((segment) => segmentsMeet(segment, shape));
    }
    return automaton.meeting(wholeOf(shape)).map((n) => segments[n]!);
  };
}

function segmentsMeet({ shape, automata }: OwnSegment, other: Shape): boolean {
  const own = shape!;
  const meet = own.plain && other.plain && plainsMeet(own.plain, other.plain, charsMeet);
  if (meet !== undefined) return meet;
  if (own.head && other.head) {
    // Between the ends there is room for all the rest of both, and for a character.
    automata.head ??= createAutomaton([own.head], createCharMasks);
    automata.tail ??= createAutomaton([tailOf(own)], createCharMasks);
    return automata.head.meets(other.head) && automata.tail.meets(tailOf(other));
  }
  automata.whole ??= createAutomaton([own.items], createCharMasks);
  return automata.whole.meets(wholeOf(other));
}

function tailOf(shape: Shape): Chars {
  return shape.tail ??= headOf(reversed(shape.items))!;
}

function wholeOf(shape: Shape): Chars {
  return shape.whole ??= withText(shape.items);
}
