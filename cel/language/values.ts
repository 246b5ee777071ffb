import { charge, underBudget } from "./budget.ts";
import type { Json } from "../../db/json.ts";
import { EvaluationFailed } from "./errors.ts";
import { encodeBase64 } from "./ext/base64.ts";
import { typeName } from "./describe.ts";
import { formatDuration } from "./std/durations.ts";
import { Duration, Optional, UnsignedInt } from "./engine.ts";

/** JSON as CEL sees it: objects become Maps, at every depth, so that a key is never a prototype's; numbers stay doubles. */
export function toCel(value: Json): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toCel);
  return new Map(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
}

/**
 * A result as JSON, by the rules of the contract: integers as numbers, or as text beyond ±(2^53 - 1);
 * timestamps in ISO 8601 with milliseconds; durations like "90s"; bytes as base64; an optional as what it
 * holds. Throws EvaluationFailed `not_json` for NaN, the infinities, types and empty optionals.
 */
export function toJson(value: unknown): Json {
  return underBudget(() => resultToJson(value));
}

/** `toJson` for what runs under a budget already. */
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
  const members: { [member: string]: Json } = {};
  for (const [key, value] of map.entries()) {
    const json = resultToJson(value);
    const name = String(key);
    // Assigned, this one member would be the prototype.
    if (name === "__proto__") {
      Object.defineProperty(members, name, {
        value: json,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else members[name] = json;
  }
  return members;
}
