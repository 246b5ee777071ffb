import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { durationOf, formatDuration, nanoseconds, parseDuration, timestampOf } from "./durations.ts";
import { DURATION, type Duration, TIMESTAMP, type UnsignedInt } from "../engine.ts";
import type { Functions } from "./functions.ts";
import { MAX_INT, MAX_UINT, MIN_INT, uint } from "./numbers.ts";
import { parseTimestamp } from "./timestamps.ts";

/**
 * Conversions between types. They replace cel-js's, which let integers overflow, accept number syntax that is not
 * CEL's, lose the fraction of durations and accept invalid timestamps.
 */
export const CONVERSIONS: Functions = {
  "bool(string): bool": toBool,
  "int(double): int": doubleToInt,
  "int(uint): int": (value: UnsignedInt) => inRange("int", value.value, MIN_INT, MAX_INT),
  "int(string): int": (text: string) => inRange("int", parseInteger("int", text), MIN_INT, MAX_INT),
  [`int(${TIMESTAMP}): int`]: (moment: Date) => BigInt(Math.floor(moment.getTime() / 1000)),
  [`int(${DURATION}): int`]: (duration: Duration) => duration.seconds,
  "uint(int): uint": (value: bigint) => uint(inRange("uint", value, 0n, MAX_UINT)),
  "uint(double): uint": doubleToUint,
  "uint(string): uint": (text: string) => uint(inRange("uint", parseInteger("uint", text), 0n, MAX_UINT)),
  "double(int): double": Number,
  "double(uint): double": (value: UnsignedInt) => Number(value.value),
  "double(string): double": toDouble,
  "string(int): string": String,
  "string(uint): string": String,
  "string(double): string": formatDouble,
  "string(bytes): string": decodeText,
  "bytes.string(): string": (bytes: Uint8Array) => decodeText(bytes),
  [`string(${TIMESTAMP}): string`]: formatTimestamp,
  [`string(${DURATION}): string`]: formatDuration,
  "bytes(string): bytes": (text: string) => new TextEncoder().encode(text),
  [`timestamp(string): ${TIMESTAMP}`]: parseTimestamp,
  [`timestamp(int): ${TIMESTAMP}`]: (seconds: bigint) => timestampOf(Number(seconds) * 1000),
  [`timestamp(double): ${TIMESTAMP}`]: (seconds: number) => timestampOf(Math.floor(seconds * 1000)),
  [`timestamp(${TIMESTAMP}): ${TIMESTAMP}`]: (moment: Date) => moment,
  [`duration(string): ${DURATION}`]: parseDuration,
  [`duration(int): ${DURATION}`]: (seconds: bigint) => durationOf(seconds * 1_000_000_000n),
  [`duration(double): ${DURATION}`]: secondsToDuration,
  [`duration(${DURATION}): ${DURATION}`]: (duration: Duration) => durationOf(nanoseconds(duration)),
};

function refuse(type: string, text: string): never {
  const shown = text.length > 50 ? `${text.slice(0, 50)}...` : text;
  throw new EvaluationFailed("conversion_failed", `${type}() cannot read "${shown}"`);
}

function inRange(type: string, value: bigint, min: bigint, max: bigint): bigint {
  if (value >= min && value <= max) return value;
  throw new EvaluationFailed("numeric_overflow", `${type}(): ${value} is out of range`);
}

function toBool(text: string): boolean {
  if (["1", "t", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "false", "FALSE", "False"].includes(text)) return false;
  return refuse("bool", text);
}

function doubleToInt(value: number): bigint {
  // The spec excludes the ends, which no double represents exactly.
  if (value > -(2 ** 63) && value < 2 ** 63) return BigInt(Math.trunc(value));
  throw new EvaluationFailed("numeric_overflow", `int(): ${value} is out of range`);
}

function doubleToUint(value: number): UnsignedInt {
  if (value >= 0 && value < 2 ** 64) return uint(BigInt(Math.trunc(value)));
  throw new EvaluationFailed("numeric_overflow", `uint(): ${value} is out of range`);
}

function secondsToDuration(seconds: number): Duration {
  if (!Number.isFinite(seconds)) {
    throw new EvaluationFailed("numeric_overflow", `duration(): ${seconds} is out of range`);
  }
  return durationOf(BigInt(Math.trunc(seconds * 1e3)) * 1_000_000n);
}

function parseInteger(type: string, text: string): bigint {
  charge(4);
  return /^[-+]?\d{1,25}$/.test(text) ? BigInt(text.replace("+", "")) : refuse(type, text);
}

function toDouble(text: string): number {
  if (text.length > 400) refuse("double", text);
  // Digits can be matched in one way alone: else a text that is no number takes quadratic time.
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text)) return Number(text);
  const name = text.toLowerCase().replace(/^\+/, "");
  if (name === "nan") return NaN;
  if (name === "inf" || name === "infinity") return Infinity;
  if (name === "-inf" || name === "-infinity") return -Infinity;
  return refuse("double", text);
}

function decodeText(bytes: Uint8Array): string {
  charge(bytes.length / 16);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EvaluationFailed("conversion_failed", "string(): the bytes are not UTF-8");
  }
}

/** A double as text, with infinities as Go writes them. */
function formatDouble(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : Object.is(value, -0) ? "-0" : String(value);
}

/** A timestamp in RFC 3339 without trailing zeros in the fraction: `2026-11-22T04:20:00Z`. */
export function formatTimestamp(moment: Date): string {
  return moment.toISOString().replace(/\.?0*Z$/, "Z");
}
