import { invalidMember, RequestError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

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
  const { depth, lost } = scan(text);
  if (depth > LIMITS.jsonDepth) {
    throw invalidMember([], `The body may be nested at most ${LIMITS.jsonDepth} deep.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidMember(
      [],
      `The body must be JSON: ${(error as Error).message}`,
      "In a shell, quote the body with '...'.",
    );
  }
  if (lost) {
    const told = toldOf(text, lost);
    const message = `${told.path.join(".") || "The body"}: ${told.message}`;
    throw new RequestError("invalid_request", message, { issues: [told], hint: SEND_TEXT });
  }
  return value;
}

export const SEND_TEXT = 'Send it as text: "...".';

/** A number that a double does not hold: where it stands, and what to say of it. */
interface LostNumber {
  path: Path;
  message: string;
}

/** The first number of a JSON text that would come back as another one; undefined where there is none. */
export function lostNumber(text: string): LostNumber | undefined {
  const { lost } = scan(text);
  return lost && toldOf(text, lost);
}

interface Token {
  start: number;
  source: string;
}

const OF_NUMBER = /[-+.\deE]*/y;
/** A number that is shorter and has no exponent is held. */
const LONG = 16;

/**
 * How deep brackets nest outside of strings, found before a parser has to follow them, and the first number that is
 * not held. One pass: a reviver of `JSON.parse` takes twenty times as long, and holds up others.
 */
function scan(text: string): { depth: number; lost?: Token } {
  let [depth, most] = [0, 0];
  let lost: Token | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') i = endOfString(text, i);
    else if (character === "{" || character === "[") most = Math.max(most, ++depth);
    else if (character === "}" || character === "]") depth--;
    else if (character === "-" || (character >= "0" && character <= "9")) {
      OF_NUMBER.lastIndex = i;
      OF_NUMBER.test(text);
      const end = OF_NUMBER.lastIndex;
      const source = text.slice(i, end);
      if (lost === undefined && !isHeld(source)) lost = { start: i, source };
      i = end - 1;
    }
  }
  return { depth: most, lost };
}

/** Where a string's closing quote is. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
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

/** Digits of a number that are shown. */
const SHOWN = 40;

function toldOf(text: string, { start, source }: Token): LostNumber {
  const shown = source.length > SHOWN ? `${source.slice(0, SHOWN)}...` : source;
  return { path: pathAt(text, start), message: `${shown} is more than a JSON number (a double) holds.` };
}

/** The names and indexes that lead to a place of a JSON text. */
function pathAt(text: string, place: number): Path {
  const path: Path = [];
  let name = "";
  for (let i = 0; i < place; i++) {
    const character = text[i];
    if (character === '"') {
      const end = endOfString(text, i);
      name = text.slice(i, end + 1);
      i = end;
    } else if (character === "[") path.push(0);
    else if (character === "{") path.push("");
    else if (character === "]" || character === "}") path.pop();
    else if (character === ":") path[path.length - 1] = JSON.parse(name);
    else if (character === ",") {
      const last = path.at(-1);
      if (typeof last === "number") path[path.length - 1] = last + 1;
    }
  }
  return path;
}
