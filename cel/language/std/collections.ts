import { excerpt, staticName, typeName } from "../describe.ts";
import {
  type CelType,
  type Checker,
  type Evaluator,
  type Node,
  run,
  type Scope,
  UnsignedInt,
} from "../engine.ts";
import { lookUp } from "./equality.ts";
import { integral } from "./numbers.ts";
import { checkOptional, runOptional } from "../ext/optionals.ts";
import { fail, refuse, type Rule, runAll } from "../rules.ts";

/** Literal lists and maps. Elements and values may mix types. Maps are Maps, so that no key means a prototype's member. */
export const COLLECTIONS: readonly [string, Rule][] = [
  ["list", { check: checkList, evaluate: evaluateList }],
  ["map", { check: checkMap, evaluate: evaluateMap }],
];

/**
 * The type of the elements of a list or map. It never nests, because cel-js's registry keeps every type for ever and
 * expressions come from strangers.
 */
export function elementType(checker: Checker, types: CelType[]): CelType {
  const [first] = types;
  if (!first || types.some((type) => type !== first)) return checker.getType("dyn");
  return first.kind === "primitive" ? first : checker.getType("dyn");
}

/** A list or map literal. `optional`: the indexes of elements and entries written `[?a]` and `{?k: v}`. */
interface Literal extends Node {
  optional?: ReadonlySet<number>;
}

/** Marks the elements or entries that a literal leaves out when they are empty optionals. */
export function markOptional(node: Node, indexes: ReadonlySet<number>): void {
  (node as Literal).optional = indexes;
}

function checkPart(checker: Checker, node: Literal, scope: Scope, part: Node, index: number): CelType {
  return node.optional?.has(index) ? checkOptional(checker, part, scope) : checker.check(part, scope);
}

function checkList(checker: Checker, node: Node, scope: Scope): CelType {
  const types = (node.args as Node[]).map((item, i) => checkPart(checker, node, scope, item, i));
  return checker.getType(`list<${elementType(checker, types).name}>`);
}

function evaluateList(ev: Evaluator, node: Node, scope: Scope): unknown[] {
  const { optional } = node as Literal;
  if (!optional) return runAll(node.args as Node[], ev, scope);
  return (node.args as Node[]).flatMap((item, i) => {
    if (!optional.has(i)) return [run(item, ev, scope)];
    const value = runOptional(item, ev, scope);
    return value.hasValue() ? [value.value()] : [];
  });
}

const MAP_KEYS = new Set(["string", "int", "uint", "bool"]);

function checkMap(checker: Checker, node: Node, scope: Scope): CelType {
  const entries = node.args as [Node, Node][];
  const keys = entries.map(([key]) => {
    const type = checker.check(key, scope);
    if (type.kind === "dyn" || MAP_KEYS.has(type.name)) return type;
    if (type.name === "double" && key.op !== "value") return checker.getType("int");
    refuse("invalid_map_key", `A map key must be a string, int, uint or bool, not ${staticName(type)}`, key);
  });
  const values = entries.map(([, value], i) => checkPart(checker, node, scope, value, i));
  return checker.getType(`map<${elementType(checker, keys).name}, ${elementType(checker, values).name}>`);
}

function evaluateMap(ev: Evaluator, node: Node, scope: Scope): Map<unknown, unknown> {
  const { optional } = node as Literal;
  const map = new Map<unknown, unknown>();
  const entries = node.args as [Node, Node][];
  for (let i = 0; i < entries.length; i++) {
    const [keyNode, valueNode] = entries[i]!;
    const key = run(keyNode, ev, scope);
    if (!optional?.has(i)) put(map, key, run(valueNode, ev, scope), keyNode);
    else {
      const value = runOptional(valueNode, ev, scope);
      if (value.hasValue()) put(map, key, value.value(), keyNode);
    }
  }
  return map;
}

/** Adds an entry to a map that is being built. Throws `duplicate_key` and `invalid_map_key`. */
export function put(map: Map<unknown, unknown>, key: unknown, value: unknown, node: Node): void {
  // The room's numbers are doubles: whole ones stand for integers.
  if (typeof key === "number") key = integral(key) ?? key;
  const isKey = typeof key === "string" || typeof key === "bigint" || typeof key === "boolean" ||
    key instanceof UnsignedInt;
  if (!isKey) fail("invalid_map_key", `A map key cannot be a ${typeName(key)}`, node);
  if (map.has(key) || lookUp(map, key) !== undefined) {
    fail("duplicate_key", `Duplicate map key: ${excerpt(String(key))}`, node);
  }
  map.set(key, value);
}
