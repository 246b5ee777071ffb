import { EvaluationFailed } from "../errors.ts";
import { UnsignedInt } from "../engine.ts";

export const MIN_INT = -(2n ** 63n);
export const MAX_INT = 2n ** 63n - 1n;
export const MAX_UINT = 2n ** 64n - 1n;

/** Checks that a signed integer fits 64 bits. Throws `numeric_overflow`. */
export function int(value: bigint): bigint {
  if (value > MAX_INT || value < MIN_INT) throw new EvaluationFailed("numeric_overflow", "Integer overflow");
  return value;
}

/** Makes an unsigned integer of 64 bits. Throws `numeric_overflow`. */
export function uint(value: bigint): UnsignedInt {
  if (value > MAX_UINT || value < 0n) {
    throw new EvaluationFailed("numeric_overflow", "Unsigned integer overflow");
  }
  return new UnsignedInt(value);
}

export const NUMERIC: ReadonlySet<string> = new Set(["int", "uint", "double"]);

export function isNumeric(value: unknown): value is number | bigint | UnsignedInt {
  return typeof value === "number" || typeof value === "bigint" || value instanceof UnsignedInt;
}

/** A number in a type that JavaScript compares exactly, even a bigint with a double. */
export function comparable(value: number | bigint | UnsignedInt): number | bigint {
  return value instanceof UnsignedInt ? value.value : value;
}

export function double(value: number | bigint | UnsignedInt): number {
  return typeof value === "number" ? value : Number(comparable(value));
}

/** A whole number of any type as an integer, since the room's numbers are doubles; undefined for anything else. */
export function integral(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : undefined;
  return value instanceof UnsignedInt ? value.value : undefined;
}
