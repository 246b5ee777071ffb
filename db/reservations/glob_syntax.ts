import { ANY, charSet, type Letter, otherThan, rangesOf } from "./char_set.ts";

/** What a glob is made of: letters, and the marks below. Each segment but `**` ends with a slash, the last one too. */
export type Token = Letter | Mark;
type Mark = number;

export const SLASH = 0x2f;
/** Any text within a segment. */
export const STAR = -1;
/** Any number of segments, each with its slash. */
export const GLOBSTAR = -2;
/** Alternatives stand between `OPEN` and `CLOSE`, divided by `NEXT`. They hold neither alternatives nor slashes. */
export const OPEN = -3;
export const NEXT = -4;
export const CLOSE = -5;
/** Stands before a segment all of whose items are alternatives that may be empty. Its text is not. */
export const WITH_TEXT = -6;

export function isLetter(token: Token): boolean {
  return typeof token !== "number" || token >= 0 && token !== SLASH;
}

export const endsAlternative = (token: Token) => token === NEXT || token === CLOSE;

/** The maximum number of alternatives of a glob, in all its braces. */
export const MAX_ALTERNATIVES = 64;

/** Tells where a glob is malformed. `position`: the offset in UTF-16 code units. */
export class InvalidGlob extends Error {
  override readonly name = "InvalidGlob";
  constructor(message: string, readonly position: number, readonly hint?: string) {
    super(message);
  }
}

const UNUSABLE = /[\p{Cc}\p{Surrogate}]/u;
const IN_BRACES = "Braces hold at least two alternatives between commas: {a,b}.";

/** Parses a glob. Errors: `InvalidGlob`. */
export function parseGlob(text: string): Token[] {
  const bad = text.search(UNUSABLE);
  if (bad >= 0) throw new InvalidGlob("A path has no control characters and is well-formed Unicode", bad);
  return tokensOf(text);
}

/** Parses a glob that is well formed. */
export function tokensOf(text: string): Token[] {
  return new Parser(text).glob();
}

class Parser {
  readonly #text: string;
  // It holds a set at first: where some arrays hold numbers alone, the runtime compiles their readers again and again.
  readonly #tokens: Token[] = [ANY];
  #at = 0;
  #alternatives = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens.pop();
  }

  glob(): Token[] {
    for (;;) {
      this.#segment();
      if (this.#at >= this.#text.length) return this.#tokens;
      this.#at++;
    }
  }

  #fail(message: string, position = this.#at, hint?: string): never {
    throw new InvalidGlob(message, position, hint);
  }

  #segment(): void {
    const [text, tokens, start] = [this.#text, this.#tokens, this.#at];
    const slash = text.indexOf("/", start);
    const end = slash < 0 ? text.length : slash;
    const own = end - start <= 2 ? text.slice(start, end) : undefined;
    if (own === "") {
      if (text === "") this.#fail("A glob is not empty", 0);
      this.#fail(
        start === 0 ? "A glob does not begin with /" : "A segment is not empty",
        start,
        end === text.length
          ? "All below a directory is src/**."
          : "Paths are relative to the project's root.",
      );
    }
    if (own === "." || own === "..") {
      this.#fail(`${own} is no segment`, start, "Name the path from the project's root.");
    }
    if (own === "**") {
      this.#at = end;
      if (tokens.at(-1) !== GLOBSTAR) tokens.push(GLOBSTAR);
      return;
    }
    const first = tokens.length;
    let mayBeEmpty = true;
    while (this.#at < end) if (!this.#item(end, false)) mayBeEmpty = false;
    if (mayBeEmpty) tokens.splice(first, 0, WITH_TEXT);
    tokens.push(SLASH);
  }

  /** Returns whether it is alternatives of which one is empty. */
  #item(end: number, inBraces: boolean): boolean {
    const text = this.#text;
    switch (text[this.#at]) {
      case "*":
        if (text[this.#at + 1] === "*") {
          this.#fail("** is a segment of its own", this.#at, "Write a/**/b, or * within a segment.");
        }
        this.#at++;
        this.#star();
        return false;
      case "?":
        this.#at++;
        this.#tokens.push(ANY);
        return false;
      case "[":
        this.#tokens.push(this.#characters(end));
        return false;
      case "{":
        if (inBraces) this.#fail("Braces are not nested");
        return this.#braces(end);
      case "]":
      case "}":
        return this.#fail(`${text[this.#at]} closes nothing`, this.#at, "A ? stands for any character.");
      case "\\":
        return this.#fail(
          "There are no escapes",
          this.#at,
          "Write / between segments; [*] is a star itself.",
        );
    }
    this.#tokens.push(this.#character());
    return false;
  }

  #star(): void {
    if (this.#tokens.at(-1) !== STAR) this.#tokens.push(STAR);
  }

  #character(): number {
    const code = this.#text.codePointAt(this.#at)!;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #characters(end: number): Letter {
    const [text, start] = [this.#text, this.#at++];
    const close = text.indexOf("]", this.#at);
    if (close < 0 || close > end) this.#fail("[ is not closed in its segment", start);
    const isNegated = text[this.#at] === "!";
    if (text[this.#at] === "^") this.#fail("[^...] is written [!...]");
    if (isNegated) this.#at++;
    if (this.#at === close) this.#fail("[] holds no character", start);
    const ranges: Array<[number, number]> = [];
    while (this.#at < close) {
      const from = this.#at;
      const first = this.#member();
      const isRange = text[this.#at] === "-" && this.#at + 1 < close;
      if (isRange) this.#at++;
      const last = isRange ? this.#member() : first;
      if (last < first) this.#fail("A range goes from the lower to the higher character", from);
      ranges.push([first, last]);
    }
    this.#at = close + 1;
    return isNegated ? otherThan(charSet(ranges)) : charSet(ranges);
  }

  #member(): number {
    const [text, at] = [this.#text, this.#at];
    if (text[at] === "\\") this.#fail("There are no escapes");
    if (text[at] === "[" && ":.=".includes(text[at + 1]!)) this.#fail("There are no named classes");
    return this.#character();
  }

  #braces(end: number): boolean {
    const [text, tokens, start] = [this.#text, this.#tokens, this.#at++];
    const open = tokens.push(OPEN) - 1;
    let [count, hasStar, hasEmpty, areLetters] = [0, false, false, true];
    for (;; tokens.push(NEXT)) {
      if (++this.#alternatives > MAX_ALTERNATIVES) {
        this.#fail(`A glob has at most ${MAX_ALTERNATIVES} alternatives in all`);
      }
      count++;
      const first = tokens.length;
      while (this.#at < end && text[this.#at] !== "," && text[this.#at] !== "}") this.#item(end, true);
      if (this.#at >= end) {
        const slash = end < text.length && text.indexOf("}", end) > 0;
        this.#fail(slash ? "Braces hold no slash" : "{ is not closed in its segment", slash ? end : start);
      }
      const length = tokens.length - first;
      if (length === 0) hasEmpty = true;
      if (length !== 1 || !isLetter(tokens[first]!)) areLetters = false;
      if (length === 1 && tokens[first] === STAR) hasStar = true;
      if (text[this.#at++] === "}") break;
    }
    if (count === 1) this.#fail("Braces hold one alternative", start, IN_BRACES);
    if (tokens.length === open + count) this.#fail("Braces hold no character", start, IN_BRACES);
    if (hasStar) {
      tokens.length = open;
      this.#star();
      return false;
    }
    if (areLetters) {
      tokens.push(charSet(tokens.splice(open).filter(isLetter).flatMap(rangesOf)));
      return false;
    }
    tokens.push(CLOSE);
    return hasEmpty;
  }
}
