import { invalidMember } from "../errors.ts";
import { endOfString, slipOf } from "./json_slips.ts";
import { LIMITS } from "../limits.ts";

type Path = Array<string | number>;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A body's bytes as the JSON that they are; nothing but space counts as `{}`. Errors: `invalid_request`. */
export function parseJson(bytes: ArrayBuffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidMember([], "The body must be UTF-8.");
  }
  if (text.trim() === "") return {};
  const { depth, lost, names } = scan(text);
  if (depth > LIMITS.jsonDepth) {
    throw invalidMember([], `The body may be nested at most ${LIMITS.jsonDepth} deep.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw invalidMember([], `The body must be JSON: ${message}`, slipOf(text, message));
  }
  const fault = faultOf(text, value, { lost, names });
  if (fault) throw invalidMember(fault.path, fault.message, fault.hint);
  return value;
}

/** What of a JSON text its value does not hold: where it stands, and what to say of it. */
export interface Fault {
  path: Path;
  message: string;
  hint: string;
}

/** Levels that a message of MCP has around the body that the API is sent for it: batch, message, arguments, writes. */
const LEVELS_AROUND = 6;

/**
 * What of a JSON text of MCP is not in the `value` that it was parsed to: a number that would come back as another one,
 * a member that stands twice in its object; or that it is nested deeper than any body may be. Undefined where all is
 * well.
 */
export function lostOf(text: string, value: unknown): Fault | undefined {
  const { depth, ...seen } = scan(text);
  if (depth <= LIMITS.jsonDepth + LEVELS_AROUND) return faultOf(text, value, seen);
  const message = `may be nested at most ${LIMITS.jsonDepth} deep.`;
  return { path: ["params"], message, hint: "Send what is deeper as text." };
}

function faultOf(text: string, value: unknown, { lost, names }: Omit<Scan, "depth">): Fault | undefined {
  if (lost) return numberFault(text, lost);
  if (names === namesIn(value)) return undefined;
  const hint = "Send each member once: of two the last alone would count.";
  return { path: pathTo(text), message: "stands twice in its object", hint };
}

/** How many members the objects of a value have. */
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

interface Scan {
  /** How deep brackets nest. */
  depth: number;
  /** The first number that is not held. */
  lost?: Token;
  /** How many members objects are given. */
  names: number;
}

interface Token {
  start: number;
  source: string;
}

const OF_NUMBER = /[-+.\deE]*/y;
/** A number that is shorter and has no exponent is held. */
const LONG = 16;

/**
 * Looks at a text outside of its strings, before a parser has to follow its brackets. One pass: a reviver of
 * `JSON.parse` takes twenty times as long, and holds up others.
 */
function scan(text: string): Scan {
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
 * Whether a double holds what is written. Digits that are written out count: past 2^53 - 1 an integer is refused, a
 * number with a fraction where its integer part changes. With an exponent only what becomes infinite is refused.
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

/** Members that hold any JSON, text as well. */
const FREE = new Set<string | number>(["value", "body", "meta"]);
const BOUNDED = "It must be a number within ±(2^53 - 1), as all ids and versions are.";

/** Digits of a number that are shown. */
const SHOWN = 40;

function numberFault(text: string, { start, source }: Token): Fault {
  const shown = source.length > SHOWN ? `${source.slice(0, SHOWN)}...` : source;
  const message = `${shown} is more than a JSON number (a double) holds.`;
  const path = pathTo(text, start);
  const hint = path.some((name) => FREE.has(name)) ? 'Send it as text: "...".' : BOUNDED;
  return { path, message, hint };
}

/**
 * The names and indexes that lead to a place of a JSON text; without a place, to the first name that stands twice in
 * its object.
 */
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
