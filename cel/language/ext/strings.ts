import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { matches } from "../regex.ts";
import { ESCAPES } from "../syntax.ts";
import { SURROGATE } from "../std/equality.ts";
import type { Functions } from "../std/functions.ts";
import { format } from "./format.ts";
import { typeName } from "../describe.ts";

/** Characters that one step of the budget builds. */
const BUILT_AT_ONCE = 16;

/**
 * The language's own functions of strings, and cel-go's strings extension. As there, positions count code points and
 * ASCII functions change no other letters; cel-js's count UTF-16 units and change every letter.
 */
export const STRINGS: Functions = {
  "size(string): int": (text: string) => BigInt(length(text)),
  "string.size(): int": (text: string) => BigInt(length(text)),
  "string.contains(string): bool": (text: string, part: string) => {
    chargeForSearch(text, part);
    return text.includes(part);
  },
  "string.startsWith(string): bool": (text: string, part: string) => text.startsWith(part),
  "string.endsWith(string): bool": (text: string, part: string) => text.endsWith(part),
  "string.matches(string): bool": (text: string, pattern: string) => matches(text, pattern),
  "matches(string, string): bool": (text: string, pattern: string) => matches(text, pattern),
  "string.charAt(int): string": charAt,
  "string.indexOf(string): int": (text: string, part: string) => indexOf(text, part, 0n),
  "string.indexOf(string, int): int": indexOf,
  "string.lastIndexOf(string): int": (text: string, part: string) =>
    lastIndexOf(text, part, BigInt(length(text))),
  "string.lastIndexOf(string, int): int": lastIndexOf,
  "string.lowerAscii(): string": (text: string) =>
    isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (run) => run.toLowerCase()),
  "string.upperAscii(): string": (text: string) =>
    isAscii(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (run) => run.toUpperCase()),
  "string.substring(int): string": (text: string, from: bigint) =>
    substring(text, from, BigInt(length(text))),
  "string.substring(int, int): string": substring,
  "string.trim(): string": (text: string) => text.replace(LEADING, "").replace(TRAILING, ""),
  "string.reverse(): string": (text: string) => {
    charge(text.length / 3);
    return [...text].reverse().join("");
  },
  "string.replace(string, string): string": (text: string, part: string, by: string) =>
    replace(text, part, by, -1n),
  "string.replace(string, string, int): string": replace,
  "string.split(string): list<string>": (text: string, by: string) => split(text, by, -1n),
  "string.split(string, int): list<string>": split,
  "list<string>.join(): string": (list: unknown[]) => joinList(list, ""),
  "list<string>.join(string): string": joinList,
  "string.format(list): string": format,
  "StringsNamespace.quote(string): string": (_: unknown, text: string) => quote(text),
};

// Unicode's White_Space, which differs from what JavaScript trims.
const SPACE = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`(?<!${SPACE})${SPACE}+$`);

/** Tells whether a text is ASCII. Charges for the extra work of any other text. */
function isAscii(text: string): boolean {
  if (!/[\u0080-\uffff]/.test(text)) return true;
  charge(text.length / 3);
  return false;
}

function length(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  charge(text.length / 8);
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** A string or array that is indexed by code point. */
function points(text: string): string | string[] {
  if (!SURROGATE.test(text)) return text;
  charge(text.length / 4);
  return [...text];
}

/** Charges for a search. JavaScript's is quadratic at worst: every start may match all but the last letter. */
function chargeForSearch(text: string, part: string): void {
  charge(text.length / 64 + (text.length * part.length) / 512);
}

function outOfRange(index: bigint): never {
  throw new EvaluationFailed("index_out_of_bounds", `Index ${index} is outside of the string`);
}

function charAt(text: string, index: bigint): string {
  const characters = points(text);
  if (index < 0n || index > characters.length) outOfRange(index);
  return characters[Number(index)] ?? "";
}

function substring(text: string, from: bigint, to: bigint): string {
  const characters = points(text);
  if (from < 0n || from > characters.length) outOfRange(from);
  if (to < from || to > characters.length) outOfRange(to);
  const part = characters.slice(Number(from), Number(to));
  return typeof part === "string" ? part : part.join("");
}

/** Converts a position from UTF-16 units to code points; -1 stays. */
function toPoints(text: string, units: number): bigint {
  return BigInt(units < 0 ? -1 : length(text.slice(0, units)));
}

function toUnits(text: string, index: bigint): number {
  const characters = points(text);
  if (index < 0n || index > characters.length) outOfRange(index);
  if (typeof characters === "string") return Number(index);
  return characters.slice(0, Number(index)).join("").length;
}

function indexOf(text: string, part: string, from: bigint): bigint {
  chargeForSearch(text, part);
  return toPoints(text, text.indexOf(part, toUnits(text, from)));
}

function lastIndexOf(text: string, part: string, from: bigint): bigint {
  chargeForSearch(text, part);
  return toPoints(text, text.lastIndexOf(part, toUnits(text, from)));
}

function replace(text: string, part: string, by: string, limit: bigint): string {
  if (limit === 0n) return text;
  chargeForSearch(text, part);
  const all = part === "" ? ["", ...text, ""] : text.split(part);
  const pieces = atMost(all, limit < 0n ? Infinity : Number(limit) + 1, part);
  charge((text.length + (pieces.length - 1) * by.length) / BUILT_AT_ONCE);
  return pieces.join(by);
}

/** Joins the last of the pieces that `part` separates, so that at most `limit` are left. */
function atMost(pieces: string[], limit: number, part: string): string[] {
  charge(pieces.length);
  if (pieces.length <= limit) return pieces;
  return [...pieces.slice(0, limit - 1), pieces.slice(limit - 1).join(part)];
}

function split(text: string, by: string, limit: bigint): string[] {
  if (limit === 0n) return [];
  chargeForSearch(text, by);
  return atMost(by === "" ? [...text] : text.split(by), limit < 0n ? Infinity : Number(limit), by);
}

function joinList(list: unknown[], by: string): string {
  let size = 0;
  for (const text of list) {
    if (typeof text !== "string") {
      const hint = "Convert the elements to text first: list.map(x, string(x)).join(...).";
      throw new EvaluationFailed(
        "no_such_overload",
        `join() takes strings, not a ${typeName(text)}`,
        undefined,
        hint,
      );
    }
    size += text.length + by.length;
    if (size > 4096) {
      charge(size / BUILT_AT_ONCE);
      size = 0;
    }
  }
  charge(size / BUILT_AT_ONCE);
  return list.join(by);
}

const LETTERS = new Map(Object.entries(ESCAPES).map(([letter, character]) => [character, letter]));
const ESCAPED = new RegExp(`[${Object.values(ESCAPES).join("")}\\\\"]`, "g");

function quote(text: string): string {
  charge(text.length / 4);
  const escaped = text.replace(ESCAPED, (it) => `\\${LETTERS.get(it) ?? it}`);
  return `"${escaped.toWellFormed()}"`;
}
