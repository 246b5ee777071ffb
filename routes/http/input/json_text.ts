import { invalidMember, type Path } from "../errors.ts";
import { endOfString, slipOf } from "./json_slips.ts";
import { LIMITS } from "../limits.ts";
import { DEEPER } from "./wordings.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Parses a body's JSON; a body of spaces alone counts as `{}`. Errors: `invalid_request`. */
export function parseJson(bytes: ArrayBuffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidMember([], "The body must be UTF-8.", "Encode the JSON as UTF-8 and send it again.");
  }
  if (text.trim() === "") return {};
  const seen = scan(text);
  if (seen.depth > LIMITS.jsonDepth) {
    throw invalidMember([], `The body may be nested at most ${LIMITS.jsonDepth} deep.`, DEEPER);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw invalidMember([], `The body must be JSON: ${message}`, slipOf(text, message));
  }
  const fault = faultOf(text, value, seen);
  if (fault) throw invalidMember(fault.path, fault.message, fault.hint);
  return value;
}

/** What the parsed value of a JSON text would lose: its path, and what to say of it. */
export interface Fault {
  path: Path;
  message: string;
  hint: string;
}

/** Levels of an MCP message around the body that it makes for the API: batch, message, arguments, writes. */
const LEVELS_AROUND = 6;

/**
 * Finds what `value`, parsed from an MCP message, has lost: a number that a double does not hold, or a member that
 * stands twice in its object. Also finds too deep nesting. Undefined if there is nothing.
 */
export function lostOf(text: string, value: unknown): Fault | undefined {
  const seen = scan(text);
  if (seen.depth <= LIMITS.jsonDepth + LEVELS_AROUND) return faultOf(text, value, seen);
  const message = `may be nested at most ${LIMITS.jsonDepth} deep.`;
  return { path: ["params"], message, hint: DEEPER };
}

function faultOf(text: string, value: unknown, { lost, names }: ReturnType<typeof scan>): Fault | undefined {
  if (lost) return numberFault(text, lost);
  if (names === namesIn(value)) return undefined;
  const hint = "Send each member once: of two the last alone would count.";
  return { path: pathTo(text), message: "stands twice in its object", hint };
}

function namesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += namesIn(item);
  } else {
    for (const name in value) {
      count++;
      const member = (value as Record<string, unknown>)[name];
      if (typeof member === "object") count += namesIn(member);
    }
  }
  return count;
}

interface Token {
  start: number;
  source: string;
}

const OF_NUMBER = /[-+.\deE]*/y;
/** A double holds any shorter number without an exponent. */
const LONG = 16;

/**
 * Scans a text outside of its strings in one pass, before a parser follows its brackets. A reviver of `JSON.parse`
 * takes twenty times as long and blocks other requests. `lost`: the first number that a double does not hold; `names`: the
 * number of members of all objects, repeated ones included.
 */
function scan(text: string) {
  let [depth, max, names] = [0, 0, 0];
  let lost: Token | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') i = endOfString(text, i);
    else if (character === "{" || character === "[") max = Math.max(max, ++depth);
    else if (character === "}" || character === "]") depth--;
    else if (character === ":") names++;
    else if (character === "-" || (character >= "0" && character <= "9")) {
      OF_NUMBER.lastIndex = i;
      OF_NUMBER.test(text);
      const end = OF_NUMBER.lastIndex;
      const source = text.slice(i, end);
      if (lost === undefined && !isHeld(source)) lost = { start: i, source };
      i = end - 1;
    }
  }
  return { depth: max, lost, names };
}

/**
 * Tells whether a double holds a number as written. It does not hold an integer past 2^53 - 1, nor a fraction whose
 * integer part would change. A number with an exponent need only be finite.
 */
function isHeld(source: string): boolean {
  const exponent = /[eE]/.test(source);
  if (source.length < LONG && !exponent) return true;
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  if (exponent || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return true;
  const [whole, fraction] = source.split(".");
  return fraction !== undefined && BigInt(whole!) === BigInt(Math.trunc(value));
}

/** Members that take any JSON, or hold some: where a number is lost, text may stand. */
const FREE = new Set<string | number>([
  "value",
  "body",
  "meta",
  "merge",
  "append",
  "append_all",
  "remove",
  "set",
  "result",
  "error",
  "note",
]);
const BOUNDED = "It must be a number within ±(2^53 - 1), as all ids and versions are.";

/** Digits of a number that an error repeats. */
const SHOWN = 40;

function numberFault(text: string, { start, source }: Token): Fault {
  const shown = source.length > SHOWN ? `${source.slice(0, SHOWN)}...` : source;
  const message = `${shown} is more than a JSON number (a double) holds.`;
  const path = pathTo(text, start);
  const hint = path.some((name) => FREE.has(name)) ? 'Send it as text: "...".' : BOUNDED;
  return { path, message, hint };
}

/** Returns the path to a position of a JSON text; without a position, to the first member that stands twice. */
function pathTo(text: string, position = text.length): Path {
  const path: Path = [];
  const known: Array<Set<string>> = [];
  let name = "";
  for (let i = 0; i < position; i++) {
    const character = text[i];
    if (character === '"') {
      const end = endOfString(text, i);
      name = text.slice(i, end + 1);
      i = end;
    } else if (character === "[" || character === "{") {
      path.push(character === "[" ? 0 : "");
      known.push(new Set());
    } else if (character === "]" || character === "}") {
      path.pop();
      known.pop();
    } else if (character === ":") {
      const member = path[path.length - 1] = JSON.parse(name) as string;
      if (position === text.length && known.at(-1)!.has(member)) return path;
      known.at(-1)!.add(member);
    } else if (character === ",") {
      const last = path.at(-1);
      if (typeof last === "number") path[path.length - 1] = last + 1;
    }
  }
  return path;
}
