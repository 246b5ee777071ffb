import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { matches } from "../regex.ts";
import type { Functions } from "../std/functions.ts";
import { format } from "./format.ts";
import { typeName } from "../describe.ts";

/** Characters that one step builds. */
export const BUILT_AT_ONCE = 16;

/**
 * Strings: the language's own functions and cel-go's strings extension. Positions count code points, and
 * ASCII functions leave other letters alone, as the extension has it; the library's go by UTF-16 unit and
 * change every letter.
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

// Unicode's White_Space, which is not quite what JavaScript trims.
const SPACE = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`(?<!${SPACE})${SPACE}+$`);
const SURROGATE = /[\ud800-\udfff]/;

/** Pays for what non-ASCII text costs beyond ASCII. */
function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return true;
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

/** The string as something that is indexed by code point. */
function points(text: string): string | string[] {
  if (!SURROGATE.test(text)) return text;
  charge(text.length / 4);
  return [...text];
}

/** JavaScript's search is quadratic at worst: every start may match all but the last letter. */
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

/** A position in UTF-16 units as one in code points, and back. */
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
  const pieces = pieces_(text, part, limit < 0n ? Infinity : Number(limit) + 1);
  charge((text.length + (pieces.length - 1) * by.length) / BUILT_AT_ONCE);
  return pieces.join(by);
}

/** Cuts at every occurrence of `part`, into at most `limit` pieces; an empty part cuts between characters. */
function pieces_(text: string, part: string, limit: number): string[] {
  const pieces = part === "" ? ["", ...text, ""] : text.split(part);
  charge(pieces.length);
  if (pieces.length <= limit) return pieces;
  return [...pieces.slice(0, limit - 1), pieces.slice(limit - 1).join(part)];
}

function split(text: string, by: string, limit: bigint): string[] {
  if (limit === 0n) return [];
  chargeForSearch(text, by);
  const pieces = by === "" ? [...text] : text.split(by);
  charge(pieces.length);
  if (limit < 0n || pieces.length <= limit) return pieces;
  return [...pieces.slice(0, Number(limit) - 1), pieces.slice(Number(limit) - 1).join(by)];
}

function joinList(list: unknown[], by: string): string {
  let size = 0;
  for (const text of list) {
    if (typeof text !== "string") {
      const hint = "Turn elements into text first: list.map(x, string(x)).join(...).";
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

const ESCAPES: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quote(text: string): string {
  charge(text.length / 4);
  // deno-lint-ignore no-control-regex
  const escaped = text.replace(/[\x07\b\f\n\r\t\v\\"]/g, (character) => ESCAPES[character]!);
  return `"${escaped.toWellFormed()}"`;
}
