/** The pieces of a text, roughly as tokenizers cut it: words, numbers, blanks, and each other character by itself. */
const PIECES = /[A-Z]?[a-z]+|[A-Z]+|[0-9]+| +|[^]/gu;

/** A word of at most `SHORT` letters is one token, each `LETTERS` beyond them another one. */
const SHORT = 4;
const LETTERS = 2.5;
/** More letters than `LONGEST_WORD` are no word: each `UNREADABLE` of them are a token. */
const LONGEST_WORD = 12;
const UNREADABLE = 1.5;

/** The digits of a number, and the blanks, that are one token; `SIGN`: the tokens of any other ASCII character. */
const DIGITS = 3;
const BLANKS = 8;
const SIGN = 0.9;

/** The tokens of what ends a line for some readers: a frame escapes it. */
const ESCAPED = 4;

/** The first characters beyond ASCII of scripts, with the tokens that a character of them takes. */
const SCRIPTS: Array<[from: number, tokens: number]> = [
  [0x80, 1.6],
  [0x85, ESCAPED],
  [0x86, 1.6],
  [0x400, 1.2],
  [0x480, 2],
  [0x600, 1.3],
  [0x700, 3],
  [0x2028, ESCAPED],
  [0x202a, 3],
  [0x4e00, 2.4],
  [0xa000, 3],
  [0x1f300, 2.5],
  [0x1fb00, 4],
];

/**
 * Estimates how many tokens of a model a text takes: above what common tokenizers count of prose, code, JSON and random
 * text in any script, up to some 30% too low for letters that make no words. Of a text beyond `max` it counts no more
 * than it needs to tell so.
 */
export function estimateTokens(text: string, max = Infinity): number {
  let tokens = 0;
  for (const { 0: piece } of text.matchAll(PIECES)) {
    tokens += tokensOf(piece);
    if (tokens > max) break;
  }
  return tokens;
}

/** Returns the length of the longest beginning of a text that is estimated as at most so many tokens. */
export function lengthWithin(text: string, max: number): number {
  let tokens = 0;
  for (const { 0: piece, index } of text.matchAll(PIECES)) {
    tokens += tokensOf(piece);
    if (tokens > max) return index;
  }
  return text.length;
}

function tokensOf(piece: string): number {
  const code = piece.codePointAt(0)!;
  if (code > 0x7f) return SCRIPTS.findLast(([from]) => code >= from)![1];
  if (/\d/.test(piece)) return Math.ceil(piece.length / DIGITS);
  if (code === 0x20) return piece.length === 1 ? 0 : piece.length / BLANKS;
  if (!/[A-Za-z]/.test(piece)) return SIGN;
  if (piece.length > LONGEST_WORD) return piece.length / UNREADABLE;
  return 1 + Math.max(0, piece.length - SHORT) / LETTERS;
}
