import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { formatDuration } from "../std/durations.ts";
import { Duration, UnsignedInt } from "../engine.ts";
import { formatTimestamp } from "../std/conversions.ts";
import { typeName } from "../describe.ts";
import { isNumeric } from "../std/numbers.ts";

/** The maximum precision of a clause, in digits after the point. */
const MAX_PRECISION = 100;

/**
 * `"%s has %d".format([name, count])`, cel-go's strings extension: %s any value, %d whole numbers, %f and %e
 * doubles with `%.2f` precision, %b binary, %o octal, %x and %X hexadecimal, %% a percent sign.
 */
export function format(template: string, args: unknown[]): string {
  let next = 0;
  return template.replace(/%(?:\.(\d+))?([\s\S]?)/g, (clause, precision, verb) => {
    if (clause === "%%") return "%";
    const digits = precision === undefined ? undefined : Number(precision);
    if (digits !== undefined && digits > MAX_PRECISION) refuse(`Precision is at most ${MAX_PRECISION}`);
    if (!VERBS[verb]) refuse(`Unknown formatting clause: %${verb}`);
    if (next >= args.length) refuse(`Index ${next} is outside of the arguments`);
    const text = VERBS[verb](args[next++], digits);
    charge(8 + text.length / 8);
    return text;
  });
}

function refuse(message: string): never {
  throw new EvaluationFailed("invalid_argument", `format(): ${message}`);
}

type Verb = (value: unknown, digits?: number) => string;

const VERBS: Record<string, Verb> = {
  s: (value) => text(value),
  d: decimal,
  f: (value, digits = 6) => fraction("f", value, (number) => number.toFixed(digits)),
  e: (value, digits = 6) => fraction("e", value, (number) => exponent(number.toExponential(digits))),
  b: (value) => typeof value === "boolean" ? String(Number(value)) : integer("b", value, 2),
  o: (value) => integer("o", value, 8),
  x: (value) => hexadecimal("x", value),
  X: (value) => hexadecimal("X", value).toUpperCase(),
};

/** A value as %s shows it: lists and maps with their elements, maps ordered by key. */
function text(value: unknown): string {
  charge(1);
  if (typeof value === "string") return value;
  if (value === null || typeof value === "boolean" || isNumeric(value)) return String(value);
  if (value instanceof Date) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) {
    charge(value.length / 16);
    return new TextDecoder().decode(value);
  }
  if (Array.isArray(value)) return `[${joined(value.map(text))}]`;
  if (value instanceof Map) return `{${joined([...value.entries()].map(entryText).sort())}}`;
  if (typeName(value) === "type") return (value as { name: string }).name;
  return refuse(`%s cannot show a ${typeName(value)}`);
}

function joined(parts: string[]): string {
  for (const part of parts) charge(part.length / 16);
  return parts.join(", ");
}

function entryText([key, value]: [unknown, unknown]): string {
  const parts = [text(key), text(value)];
  // It is copied to be sorted.
  for (const part of parts) charge(part.length / 16);
  return parts.join(": ");
}

function decimal(value: unknown): string {
  if (isNumeric(value)) return value.toString();
  return refuse(`%d takes a number, not a ${typeName(value)}`);
}

function fraction(verb: string, value: unknown, show: (number: number) => string): string {
  if (!isNumeric(value)) return refuse(`%${verb} takes a number, not a ${typeName(value)}`);
  const number = typeof value === "number" ? value : Number(value.toString());
  if (Number.isNaN(number)) return "NaN";
  return Number.isFinite(number) ? show(number) : number > 0 ? "Infinity" : "-Infinity";
}

/** Pads an exponent to two digits, as C and Go print it. */
function exponent(shown: string): string {
  return shown.replace(/e([-+])(\d)$/, "e$10$2");
}

function integer(verb: string, value: unknown, radix: number): string {
  if (typeof value === "bigint") return value.toString(radix);
  if (value instanceof UnsignedInt) return value.value.toString(radix);
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value).toString(radix);
  return refuse(`%${verb} takes an integer, not a ${typeName(value)}`);
}

function hexadecimal(verb: string, value: unknown): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (!(bytes instanceof Uint8Array)) return integer(verb, value, 16);
  charge(bytes.length);
  return bytes.toHex();
}
