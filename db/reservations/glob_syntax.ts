import { ANY, type CharSet, charSet, otherThan } from "./char_set.ts";
import { type Item, STAR } from "./pattern.ts";

/** A segment of a glob: what stands between slashes. */
export type Chars = Item<CharSet>[];

/** The maximum number of alternatives of a glob, in all its braces. */
const MAX_ALTERNATIVES = 64;

/** Tells where a glob is malformed. `position`: the offset in UTF-16 code units. */
export class InvalidGlob extends Error {
  override readonly name = "InvalidGlob";
  constructor(message: string, readonly position: number, readonly hint?: string) {
    super(message);
  }
}

const createLetter = (code: number): Item<CharSet> => ({ letter: [[code, code]] });
const ASCII = Array.from({ length: 128 }, (_, code) => createLetter(code));

/** Makes the item of a character that stands for itself. */
export function letterOf(code: number): Item<CharSet> {
  return ASCII[code] ?? createLetter(code);
}

const UNUSABLE = /[\p{Cc}\p{Surrogate}]/u;
const IN_BRACES = "Braces hold at least two alternatives between commas: {a,b}.";

/** Parses a glob into its segments, undefined for each `**`. Errors: `InvalidGlob`. */
export function parseGlob(text: string): Array<Chars | undefined> {
  let [at, alternatives] = [0, 0];

  function fail(message: string, position = at, hint?: string): never {
    throw new InvalidGlob(message, position, hint);
  }

  function take(): string {
    const char = String.fromCodePoint(text.codePointAt(at)!);
    at += char.length;
    return char;
  }

  function segment(): Chars | undefined {
    const start = at;
    const end = text.indexOf("/", at) < 0 ? text.length : text.indexOf("/", at);
    const own = text.slice(start, end);
    if (own === "") {
      if (text === "") fail("A glob is not empty", 0);
      fail(
        start === 0 ? "A glob does not begin with /" : "A segment is not empty",
        start,
        end === text.length
          ? "All below a directory is src/**."
          : "Paths are relative to the project's root.",
      );
    }
    if (own === "." || own === "..") {
      fail(`${own} is no segment`, start, "Name the path from the project's root.");
    }
    if (own === "**") {
      at = end;
      return undefined;
    }
    return items(end, false);
  }

  /** Reads up to the end of the segment, or of an alternative. */
  function items(end: number, inBraces: boolean): Chars {
    const all: Chars = [];
    while (at < end) {
      const char = text[at]!;
      if (inBraces && (char === "," || char === "}")) break;
      const item = itemAt(char, end, inBraces);
      if (item !== STAR || all.at(-1) !== STAR) all.push(item);
    }
    return all;
  }

  function itemAt(char: string, end: number, inBraces: boolean): Item<CharSet> {
    switch (char) {
      case "*":
        if (text[at + 1] === "*") {
          fail("** is a segment of its own", at, "Write a/**/b, or * within a segment.");
        }
        at++;
        return STAR;
      case "?":
        at++;
        return { letter: ANY };
      case "[":
        return { letter: characters(end) };
      case "{":
        if (inBraces) fail("Braces are not nested");
        return braces(end);
      case "]":
      case "}":
        return fail(`${char} closes nothing`, at, "A ? stands for any character.");
      case "\\":
        return fail("There are no escapes", at, "Write / between segments; [*] is a star itself.");
    }
    const code = text.codePointAt(at)!;
    at += code > 0xffff ? 2 : 1;
    return letterOf(code);
  }

  function characters(end: number): CharSet {
    const start = at++;
    const close = text.indexOf("]", at);
    if (close < 0 || close > end) fail("[ is not closed in its segment", start);
    const isNegated = text[at] === "!";
    if (text[at] === "^") fail("[^...] is written [!...]");
    if (isNegated) at++;
    if (at === close) fail("[] holds no character", start);
    const ranges: Array<[number, number]> = [];
    while (at < close) {
      const from = at;
      const first = memberOf();
      const isRange = text[at] === "-" && at + 1 < close;
      if (isRange) at++;
      const last = isRange ? memberOf() : first;
      if (last < first) fail("A range goes from the lower to the higher character", from);
      ranges.push([first, last]);
    }
    at = close + 1;
    return isNegated ? otherThan(charSet(ranges)) : charSet(ranges);
  }

  function memberOf(): number {
    if (text[at] === "\\") fail("There are no escapes");
    if (text[at] === "[" && ":.=".includes(text[at + 1]!)) fail("There are no named classes");
    return take().codePointAt(0)!;
  }

  function braces(end: number): Item<CharSet> {
    const start = at++;
    const found: Chars[] = [];
    for (;;) {
      if (++alternatives > MAX_ALTERNATIVES) {
        fail(`A glob has at most ${MAX_ALTERNATIVES} alternatives in all`);
      }
      found.push(items(end, true));
      if (at >= end) {
        const slash = end < text.length && text.indexOf("}", end) > 0;
        fail(slash ? "Braces hold no slash" : "{ is not closed in its segment", slash ? end : start);
      }
      if (text[at++] === "}") break;
    }
    if (found.length === 1) fail("Braces hold one alternative", start, IN_BRACES);
    if (found.every((items) => items.length === 0)) fail("Braces hold no character", start, IN_BRACES);
    return alternativesOf(found);
  }

  const bad = text.search(UNUSABLE);
  if (bad >= 0) fail("A path has no control characters and is well-formed Unicode", bad);
  const segments: Array<Chars | undefined> = [];
  for (;;) {
    segments.push(segment());
    if (at >= text.length) return segments;
    at++;
  }
}

/** Makes alternatives of one character each a set of characters. */
function alternativesOf(alternatives: Chars[]): Item<CharSet> {
  const ranges: Array<readonly [number, number]> = [];
  for (const [item, ...others] of alternatives) {
    if (item === undefined || item === STAR || !("letter" in item) || others.length > 0) {
      return { alternatives };
    }
    ranges.push(...item.letter);
  }
  return { letter: charSet(ranges) };
}

/**
 * Makes the items of a segment that match what these do, but not the empty text, which is no segment: alternatives by
 * the first item that is not empty.
 */
export function withText(items: Chars): Chars {
  if (!items.every(isNullable)) return items;
  const begun = items.map((item, n) => [...begin(item), ...items.slice(n + 1)]).filter((all) =>
    all.length > 0
  );
  return begun.length === 1 ? begun[0]! : [{ alternatives: begun }];
}

function isNullable(item: Item<CharSet>): boolean {
  return item === STAR || "alternatives" in item && item.alternatives.some((all) => all.every(isNullable));
}

/** Makes the items that match what a nullable one does, but not the empty text. */
function begin(item: Item<CharSet>): Chars {
  if (item === STAR) return [{ letter: ANY }, STAR];
  if ("letter" in item) return [item];
  return [{ alternatives: item.alternatives.filter((all) => all.length > 0).map(withText) }];
}
