import { staticName, typeName } from "./describe.ts";
import {
  type CelType,
  type Checker,
  type Evaluator,
  type Node,
  run,
  type Scope,
  UnsignedInt,
} from "./engine.ts";
import { lookUp } from "./equality.ts";
import { integral } from "./numbers.ts";
import { fail, refuse, type Rule, runAll } from "./rules.ts";

/** Literal lists and maps. Elements and values may mix types; maps are Maps, so that any key is just a key. */
export const COLLECTIONS: readonly [string, Rule][] = [
  ["list", { check: checkList, evaluate: evaluateList }],
  ["map", { check: checkMap, evaluate: evaluateMap }],
];

/**
 * The type of what is in a list or map. Types nest no further: the registry keeps every type it ever met,
 * and expressions come from strangers.
 */
export function elementType(checker: Checker, types: CelType[]): CelType {
  const [first] = types;
  if (!first || types.some((type) => type !== first)) return checker.getType("dyn");
  return first.kind === "primitive" ? first : checker.getType("dyn");
}

function checkList(checker: Checker, node: Node, scope: Scope): CelType {
  const element = elementType(checker, (node.args as Node[]).map((item) => checker.check(item, scope)));
  return checker.getType(`list<${element.name}>`);
}

function evaluateList(ev: Evaluator, node: Node, scope: Scope): unknown[] {
  return runAll(node.args as Node[], ev, scope);
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
  const values = entries.map(([, value]) => checker.check(value, scope));
  return checker.getType(`map<${elementType(checker, keys).name}, ${elementType(checker, values).name}>`);
}

function evaluateMap(ev: Evaluator, node: Node, scope: Scope): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (const [keyNode, valueNode] of node.args as [Node, Node][]) {
    const key = run(keyNode, ev, scope);
    put(map, key, run(valueNode, ev, scope), keyNode);
  }
  return map;
}

/** Adds an entry to a map being built; a key that is there already, or that can be none, is an error. */
export function put(map: Map<unknown, unknown>, key: unknown, value: unknown, node: Node): void {
  // Numbers of the room are doubles; whole ones stand for integers.
  if (typeof key === "number") key = integral(key) ?? key;
  const isKey = typeof key === "string" || typeof key === "bigint" || typeof key === "boolean" ||
    key instanceof UnsignedInt;
  if (!isKey) fail("invalid_map_key", `A map key cannot be a ${typeName(key)}`, node);
  if (map.has(key) || lookUp(map, key) !== undefined) {
    fail("duplicate_key", `Duplicate map key: ${key}`, node);
  }
  map.set(key, value);
}
