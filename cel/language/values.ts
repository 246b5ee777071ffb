import { charge, underBudget } from "./budget.ts";
import type { Json } from "../../db/json.ts";
import { EvaluationFailed } from "./errors.ts";
import { encodeBase64 } from "./ext/base64.ts";
import { typeName } from "./describe.ts";
import { formatDuration } from "./std/durations.ts";
import { Duration, Optional, UnsignedInt } from "./engine.ts";

/** Converts JSON to CEL values. Objects become Maps at every depth, so that no key means a prototype's member. */
export function toCel(value: Json): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toCel);
  return new Map(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
}

/**
 * Converts a result to JSON as docs/api.md says: integers to numbers, or strings beyond ±(2^53 - 1); timestamps to ISO
 * 8601 with milliseconds; durations to "90s"; bytes to base64; an optional to its value. Throws EvaluationFailed
 * `not_json` for NaN, infinities, types and empty optionals.
 */
export function toJson(value: unknown): Json {
  return underBudget(() => resultToJson(value));
}

/** `toJson` within an evaluation, under its budget. */
export function resultToJson(value: unknown): Json {
  charge(1);
  switch (typeof value) {
    case "string":
      charge(value.length / 64);
      return value;
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : refuse(String(value));
    case "bigint":
      return integerToJson(value);
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(resultToJson);
  if (value instanceof Map) return mapToJson(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof UnsignedInt) return integerToJson(value.value);
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (value instanceof Optional) {
    return value.hasValue()
      ? resultToJson(value.value())
      : refuse("An empty optional", "Add .orValue(null).");
  }
  return refuse(`A ${typeName(value)}`, "Compare types with ==.");
}

function refuse(what: string, hint?: string): never {
  throw new EvaluationFailed("not_json", `${what} is no JSON value`, undefined, hint);
}

function integerToJson(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function mapToJson(map: ReadonlyMap<unknown, unknown>): Json {
  let members: { [member: string]: Json } = {};
  for (const [key, value] of map.entries()) {
    const json = resultToJson(value);
    const name = String(key);
    // Assigning this member would set the prototype.
    if (name === "__proto__") members = { ...members, [name]: json };
    else members[name] = json;
  }
  return members;
}
