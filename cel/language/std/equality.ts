import { charge } from "../budget.ts";
import { ComputedMap } from "../computed_map.ts";
import { Duration, Optional, UnsignedInt } from "../engine.ts";
import { comparable, double, integral, isNumeric } from "./numbers.ts";
import { nanoseconds } from "./durations.ts";

/** Characters that one step of the budget compares. */
const COMPARED_AT_ONCE = 64;

/**
 * CEL's `==` over any two values: numbers by value across int, uint and double, lists and maps by content,
 * false across types.
 */
export function equal(left: unknown, right: unknown): boolean {
  if (left === right) {
    if (typeof left === "string" && left.length > COMPARED_AT_ONCE) charge(left.length / COMPARED_AT_ONCE);
    return true;
  }
  if (isNumeric(left)) return isNumeric(right) && comparable(left) == comparable(right);
  if (typeof left === "string") {
    if (typeof right === "string" && left.length === right.length) charge(left.length / COMPARED_AT_ONCE);
    return false;
  }
  if (typeof left !== "object" || left === null || typeof right !== "object" || right === null) return false;
  return equalObjects(left, right);
}

function equalObjects(left: object, right: object): boolean {
  if (Array.isArray(left)) return Array.isArray(right) && equalLists(left, right);
  if (left instanceof Map) return right instanceof Map && equalMaps(left, right);
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime();
  if (left instanceof Duration) return right instanceof Duration && nanoseconds(left) === nanoseconds(right);
  if (left instanceof Uint8Array) return right instanceof Uint8Array && compareBytes(left, right) === 0;
  if (left instanceof Optional) {
    if (!(right instanceof Optional) || left.hasValue() !== right.hasValue()) return false;
    return !left.hasValue() || equal(left.value(), right.value());
  }
  return false;
}

function equalLists(left: unknown[], right: unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) {
    charge(1);
    if (!equal(left[i], right[i])) return false;
  }
  return true;
}

function equalMaps(left: Map<unknown, unknown>, right: Map<unknown, unknown>): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left.entries()) {
    charge(2);
    const other = lookUp(right, key);
    if (other === undefined || !equal(value, other)) return false;
  }
  return true;
}

/** The value at a key, or undefined. Numeric keys match by value, whatever their type. */
export function lookUp(map: ReadonlyMap<unknown, unknown>, key: unknown): unknown {
  if (typeof key === "string" || typeof key === "boolean") return map.get(key);
  if (map instanceof ComputedMap) return map.get(key);
  const number = integral(key);
  if (number === undefined) return undefined;
  const value = map.get(number);
  if (value !== undefined) return value;
  for (const candidate of map.keys()) {
    charge(1);
    if (candidate instanceof UnsignedInt && candidate.value === number) return map.get(candidate);
  }
  return undefined;
}

/** True where `list` has an element equal to `value`. */
export function contains(list: readonly unknown[], value: unknown): boolean {
  charge(list.length / 4);
  for (const element of list) if (equal(element, value)) return true;
  return false;
}

/** Compares two values: negative, 0 or positive; NaN if one is NaN; undefined if their types have no common order. */
export function compare(left: unknown, right: unknown): number | undefined {
  // A difference will not do: that of two infinities is NaN.
  if (typeof left === "number" && typeof right === "number") {
    return left < right ? -1 : left > right ? 1 : left === right ? 0 : NaN;
  }
  if (isNumeric(left) && isNumeric(right)) {
    // The spec compares an integer with a double as doubles, even where that loses digits.
    const mixed = typeof left === "number" || typeof right === "number";
    const [a, b] = mixed ? [double(left), double(right)] : [comparable(left), comparable(right)];
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : NaN;
  }
  if (typeof left === "string" && typeof right === "string") return compareStrings(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Date && right instanceof Date) return left.getTime() - right.getTime();
  if (left instanceof Duration && right instanceof Duration) {
    const difference = nanoseconds(left) - nanoseconds(right);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right);
  return undefined;
}

/** Compares strings by code point, as CEL does. JavaScript's `<` compares UTF-16 units. */
function compareStrings(left: string, right: string): number {
  if (left === right) {
    charge(left.length / COMPARED_AT_ONCE);
    return 0;
  }
  const shorter = Math.min(left.length, right.length);
  for (let i = commonStart(left, right, shorter); i < shorter; i++) {
    const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

/** Returns the length of some text that both strings begin with: all that they do, but for less than a block. */
function commonStart(left: string, right: string, shorter: number): number {
  let length = 0;
  for (; length < shorter; length += BLOCK) {
    charge(Math.min(BLOCK, shorter - length) / COMPARED_AT_ONCE);
    if (left.slice(length, length + BLOCK) !== right.slice(length, length + BLOCK)) break;
  }
  return length;
}

/** Characters of two texts that are compared before they are looked at one by one. */
const BLOCK = 256;

export const SURROGATE = /[\ud800-\udfff]/;

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.length, right.length);
  charge(shorter / 8);
  for (let i = 0; i < shorter; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return left.length - right.length;
}
