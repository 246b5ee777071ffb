import { excerpt, staticName, typeName } from "../describe.ts";
import {
  type CelType,
  type Checker,
  type Evaluator,
  lastStep,
  literal,
  type Node,
  Optional,
  run,
  type Scope,
} from "../engine.ts";
import { byNameHint, misnamed } from "../by_name.ts";
import { ComputedMap } from "../computed_map.ts";
import { FAMILIES, type Family } from "../families.ts";
import { lookUp } from "./equality.ts";
import { comparable, integral, isNumeric, NUMERIC } from "./numbers.ts";
import { fail, refuse, type Rule } from "../rules.ts";

/** `a.b`, `a[b]`, and the optional `a.?b`, `a[?b]`. */
export const ACCESS: readonly [string, Rule][] = [
  [".", { check: checkAccess, evaluate: evaluateAccess }],
  ["[]", { check: checkAccess, evaluate: evaluateAccess }],
  [".?", { check: checkOptionalAccess, evaluate: evaluateOptionalAccess }],
  ["[?]", { check: checkOptionalAccess, evaluate: evaluateOptionalAccess }],
];

/** A step of a path, of which the shapes of the roots tell more than its type does. */
interface Step extends Node {
  /** It is a family of records that are read by name (`FAMILIES`). */
  family?: Family;
}

export function markFamily(node: Node, family: Family): void {
  (node as Step).family = family;
}

function checkAccess(checker: Checker, node: Step, scope: Scope): CelType {
  const [target, key] = node.args as [Step, Node | string];
  const type = checker.check(target, scope);
  if (node.family !== undefined) return checker.getType(FAMILIES[node.family]);
  const keyType = typeof key === "string" ? checker.getType("string") : checker.check(key, scope);
  if (target.family !== undefined) return checkName(checker, target.family, keyType, node);
  const element = checkKey(checker, node, type.kind === "optional" ? type.valueType! : type, keyType);
  return type.kind === "optional" ? checker.getType("optional") : element;
}

function checkOptionalAccess(checker: Checker, node: Node, scope: Scope): CelType {
  checkAccess(checker, node, scope);
  return checker.getType("optional");
}

/** The type of a family's record. Refuses a name of a type that never matches. */
function checkName(checker: Checker, family: Family, keyType: CelType, node: Node): CelType {
  const isName = family === "id" ? NUMERIC.has(keyType.name) : keyType.name === "string";
  if (!isName && keyType.kind !== "dyn" && keyType.name !== "null") {
    const [, key] = node.args as [Node, Node | string];
    const at = typeof key === "string" ? node : key;
    refuse("no_such_overload", misnamed(family, staticName(keyType)), at, byNameHint(family));
  }
  return checker.getType(FAMILIES[family]).valueType!;
}

const KEYS = new Set(["string", "int", "uint", "double", "bool"]);

/** The type of a member or element. Refuses targets that have none, and keys of a type that never matches. */
function checkKey(checker: Checker, node: Node, target: CelType, keyType: CelType): CelType {
  const [of, key] = node.args as [Node, Node | string];
  const isKey = keyType.kind === "dyn" || KEYS.has(keyType.name);
  if (isKey && (target.kind === "dyn" || target.kind === "param")) return checker.getType("dyn");
  if (isKey && target.kind === "map") {
    return mayBeFamily(target, key) ? checker.getType("dyn") : target.valueType!;
  }
  const isIndex = isKey && keyType.name !== "string" && keyType.name !== "bool";
  if (isIndex && target.kind === "list") return target.valueType!;
  const what = staticName(target);
  if (typeof key === "string") {
    const hint = LENGTHS.has(key) ? sizeHint(what, of) : undefined;
    refuse("no_such_overload", `A ${what} has no member \`${key}\``, node, hint);
  }
  refuse("no_such_overload", `A ${what} has no elements by ${staticName(keyType)}`, key);
}

/** True of a family of `messages` where that is read by another name: its type tells of its counts alone. */
function mayBeFamily(target: CelType, key: Node | string): boolean {
  const name = literal(key);
  return target.valueType!.name === "double" && name !== undefined && Object.hasOwn(FAMILIES, name);
}

function evaluateAccess(ev: Evaluator, node: Node, scope: Scope): unknown {
  const args = node.args as [Node, Node | string];
  const target = run(args[0], ev, scope);
  const key = keyOf(args[1], ev, scope);
  if (typeof key === "string" && target instanceof Map) {
    const value = target.get(key);
    if (value !== undefined) return value;
  }
  return indexOf(target, key, node);
}

function evaluateOptionalAccess(ev: Evaluator, node: Node, scope: Scope): unknown {
  const [target, step] = node.args as [Node, Node | string];
  return indexOf(run(target, ev, scope), keyOf(step, ev, scope), node, true);
}

/** The key of a step: the name of a member, or the value in brackets. */
export function keyOf(step: Node | string, ev: Evaluator, scope: Scope): unknown {
  return typeof step === "string" ? step : run(step, ev, scope);
}

/** How to handle a key that may be absent. */
const NOT_YET = "It may not be written yet: guard it with has(...), or give a default: `.?key.orValue(...)`.";

/**
 * Evaluates `target[key]`, or with `optional` `target[?key]`, where a missing key or index gives an empty optional.
 * Access to an optional target applies to its value and gives an optional. Whole doubles are indexes.
 */
function indexOf(target: unknown, key: unknown, node: Node, optional = false): unknown {
  if (target instanceof Optional) {
    const value = target.hasValue() ? find(target.value(), key, node, true) : undefined;
    return Optional.of(value);
  }
  const value = find(target, key, node, optional);
  return optional ? Optional.of(value) : value;
}

/** True where `target` has a member at `key`. Never throws. */
export function hasMember(target: unknown, key: unknown): boolean {
  if (target instanceof Optional) return target.hasValue() && hasMember(target.value(), key);
  if (target instanceof Map) {
    return typeof key === "string" ? target.has(key) : lookUp(target, key) !== undefined;
  }
  const index = Array.isArray(target) ? integral(key) : undefined;
  return index !== undefined && index >= 0n && index < (target as unknown[]).length;
}

function find(target: unknown, key: unknown, node: Node, orNothing: boolean): unknown {
  if (target instanceof Map) {
    const value = lookUp(target, key);
    if (value !== undefined) return value;
    const computed = target instanceof ComputedMap ? target : undefined;
    const problem = computed?.problemOf(key);
    if (problem !== undefined) fail("no_such_overload", problem, node);
    if (orNothing) return undefined;
    const why = computed?.whyAbsent(key);
    const cause = isNullSelf(key, node) ? ", since `self` is null" : "";
    const message = `No such key: ${describe(key, node)}${cause}`;
    fail("no_such_key", message, node, why ?? hintOfMissing(key, node));
  }
  if (Array.isArray(target)) return element(target, key, node, orNothing);
  const message = `${describe(key, node)}: a ${typeName(target)} has no members`;
  const hint = LENGTHS.has(String(key)) ? sizeHint(typeName(target), (node.args as [Node])[0]) : undefined;
  fail("no_such_overload", message, node, hint);
}

/** True of a step whose key is written as `self`, and null. */
function isNullSelf(key: unknown, node: Node): boolean {
  const written = (node.args as [Node, Node | string])[1];
  return key === null && typeof written !== "string" && written.op === "id" && written.args === "self";
}

/** The hint for a key that is missing: of `state` it is a scope, of which each registered agent has one. */
function hintOfMissing(key: unknown, node: Node): string {
  if (isNullSelf(key, node)) {
    return "Send your id as `agent`. In a view `self` is always null: write the agent's id there.";
  }
  const [target] = node.args as [Node];
  if (target.op === "id" && target.args === "state" && typeof key === "string" && key.length <= 128) {
    const member = /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    return `There is no scope \`${key}\`. Did you mean the key \`state._shared${member}\`? ` +
      "An agent's scope is there once it is registered: guard it with has(...).";
  }
  return key === "length" ? `${NOT_YET} How many there are is ${sizeOf(target)}.` : NOT_YET;
}

/** The call that gives the size of what a node reads. */
function sizeOf(node: Node): string {
  return `\`size(${pathText(node) ?? "x"})\``;
}

const SIZED = new Set(["list", "string", "bytes"]);
const LENGTHS = new Set(["length", "size", "count"]);

/** The hint for what asks a value of this type, which a node reads, for its size; undefined where nothing is near. */
export function sizeHint(type: string, node: Node): string | undefined {
  if (SIZED.has(type)) return `Write ${sizeOf(node)}.`;
  const path = pathText(node) ?? "x";
  return NUMERIC.has(type) ? `\`${path}\` is a number: compare it, \`${path} > 0\`.` : undefined;
}

function element(list: unknown[], key: unknown, node: Node, orNothing: boolean): unknown {
  const index = integral(key);
  if (index === undefined) {
    const hint = LENGTHS.has(String(key)) ? `Write ${sizeOf((node.args as [Node])[0])}.` : undefined;
    fail("no_such_overload", `A list has no element at a ${typeName(key)}`, node, hint);
  }
  if (index >= 0n && index < list.length) return list[Number(index)];
  if (orNothing) return undefined;
  const hint = "Check size(list) first, or write list[?index].orValue(...).";
  fail("index_out_of_bounds", `Index ${index} is outside of a list of ${list.length}`, node, hint);
}

/** The path of a node as written, or its key where the path is long. */
function describe(key: unknown, node: Node): string {
  const path = pathText(node);
  return path && path.length <= 200 ? `\`${path}\`` : `\`${excerpt(String(key))}\``;
}

/** A path as written; undefined for anything but literal steps from a name. */
export function pathText(node: Node): string | undefined {
  if (node.op === "id") return node.args as string;
  const last = lastStep(node);
  const base = last && pathText(last.target);
  if (base === undefined) return undefined;
  const key = last!.step;
  if (typeof key === "string") return `${base}.${key}`;
  if (key.op === "id") return `${base}[${key.args}]`;
  if (key.op !== "value") return undefined;
  return `${base}[${isNumeric(key.args) ? comparable(key.args) : JSON.stringify(String(key.args))}]`;
}
