import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { typeName } from "../describe.ts";
import { Optional } from "../engine.ts";
import { contains, equal } from "../std/equality.ts";
import type { Functions } from "../std/functions.ts";
import { sorted } from "../std/loops.ts";
import { extreme } from "./math.ts";
import { operation } from "../std/operators.ts";

/** cel-go's lists and sets extensions, and the sums that Kubernetes adds. */
export const LISTS: Functions = {
  "size(list): int": (list: unknown[]) => BigInt(list.length),
  "list.size(): int": (list: unknown[]) => BigInt(list.length),
  "size(map): int": (map: Map<unknown, unknown>) => BigInt(map.size),
  "map.size(): int": (map: Map<unknown, unknown>) => BigInt(map.size),
  "list.sort(): list": (list: unknown[]) => sorted(list, (element) => element),
  "list.distinct(): list": distinct,
  "list.reverse(): list": (list: unknown[]) => list.toReversed(),
  "list.slice(int, int): list": slice,
  "list.flatten(): list": (list: unknown[]) => flatten(list, 1),
  "list.flatten(int): list": (list: unknown[], depth: bigint) => flatten(list, depthOf(depth)),
  "list.first(): optional": (list: unknown[]) => Optional.of(list[0]),
  "list.last(): optional": (list: unknown[]) => Optional.of(list.at(-1)),
  "list.sum(): dyn": (list: unknown[]) => list.length === 0 ? 0n : list.reduce(operation("+")),
  "list.min(): dyn": (list: unknown[]) => extreme(list, (order) => order <= 0, "min()"),
  "list.max(): dyn": (list: unknown[]) => extreme(list, (order) => order >= 0, "max()"),
  "ListsNamespace.range(int): list<int>": (_: unknown, length: bigint) => range(length),
  "SetsNamespace.contains(list, list): bool": (_: unknown, list: unknown[], part: unknown[]) =>
    part.every((element) => contains(list, element)),
  "SetsNamespace.equivalent(list, list): bool": (_: unknown, a: unknown[], b: unknown[]) =>
    a.every((element) => contains(b, element)) && b.every((element) => contains(a, element)),
  "SetsNamespace.intersects(list, list): bool": (_: unknown, a: unknown[], b: unknown[]) =>
    a.some((element) => contains(b, element)),
};

function refuse(message: string): never {
  throw new EvaluationFailed("index_out_of_bounds", message);
}

function distinct(list: unknown[]): unknown[] {
  const found: unknown[] = [];
  const strings = new Set<unknown>();
  for (const element of list) {
    charge(1);
    if (typeof element === "string") {
      if (strings.has(element)) continue;
      strings.add(element);
    } else {
      charge(found.length / 2);
      if (found.some((other) => equal(other, element))) continue;
    }
    found.push(element);
  }
  return found;
}

function slice(list: unknown[], from: bigint, to: bigint): unknown[] {
  if (from < 0n || to < from || to > list.length) {
    refuse(`slice(${from}, ${to}) of a list of ${list.length}`);
  }
  return list.slice(Number(from), Number(to));
}

function depthOf(depth: bigint): number {
  if (depth < 0n) refuse(`flatten(${depth})`);
  return Number(depth > 100n ? 100n : depth);
}

function flatten(list: unknown[], depth: number): unknown[] {
  charge(list.length);
  if (depth === 0) return list;
  const flat: unknown[] = [];
  for (const element of list) {
    if (Array.isArray(element)) { for (const inner of flatten(element, depth - 1)) flat.push(inner); }
    else flat.push(element);
  }
  return flat;
}

function range(length: bigint): bigint[] {
  if (length < 0n) refuse(`lists.range(${length})`);
  charge(Number(length));
  return Array.from({ length: Number(length) }, (_, i) => BigInt(i));
}

/** The functions of optional values. `or`, `orValue`, `optMap` and `optFlatMap` are macros. */
export const OPTIONALS: Functions = {
  "OptionalNamespace.none(): optional": () => Optional.none(),
  "OptionalNamespace.of(A): optional": (_: unknown, value: unknown) => Optional.of(value),
  "OptionalNamespace.ofNonZeroValue(A): optional": (_: unknown, value: unknown) =>
    isZero(value) ? Optional.none() : Optional.of(value),
  "OptionalNamespace.unwrap(list): list": (_: unknown, list: unknown[]) => unwrap(list),
  "list.unwrapOpt(): list": unwrap,
};

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === "" || value === 0 || value === 0n) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return typeName(value) === "uint" && String(value) === "0";
}

function unwrap(list: unknown[]): unknown[] {
  return list.flatMap((element) => {
    charge(1);
    if (!(element instanceof Optional)) {
      throw new EvaluationFailed("optional_expected", `A ${typeName(element)} is no optional`);
    }
    return element.hasValue() ? [element.value()] : [];
  });
}
