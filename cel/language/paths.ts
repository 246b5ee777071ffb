import { children, lastStep, literal, type Node } from "./engine.ts";
import { FAMILIES, type Family } from "./families.ts";
import { variablesOf } from "./std/macros.ts";

/** The variables of every expression over a room, with their CEL types. */
export const ROOTS: Readonly<Record<string, string>> = {
  state: "map<string, map<string, dyn>>",
  agents: "map<string, map<string, dyn>>",
  messages: "map<string, double>",
  self: "dyn",
  now: "google.protobuf.Timestamp",
};

/** The further variable of an expression that is judged of a message. */
export const OF_A_MESSAGE: Readonly<Record<string, string>> = { message: "dyn" };

export const SYSTEM_SCOPES = ["_shared", "_view"];
export const NO_LIST =
  "`messages` is not a list. It has `count`, `unclaimed`, `last`, and by name `kind[k]`, `to[a]`, `from[a]`, `id[n]`.";

/** A path from a root: `state._shared[k].x` has the root `state` and the steps `_shared`, undefined (any), `x`. */
export interface Path {
  readonly root: string;
  readonly steps: readonly (string | undefined)[];
}

/** How a path is used: for its value, for the names below it only, or as the argument of has(). */
export type Use = "value" | "names" | "has";

type Visit = (path: Path, node: Node, use: Use) => void;

/**
 * Calls `visit` for every longest path from a root in a tree. Variables of macros hide roots. Their values need no
 * visit: the path that they come from has been visited, with all that is below it.
 */
export function visitPaths(root: Node, visit: Visit): void {
  walk(root, new Set(), visit);
}

/** The family that a node of a path is: `messages.kind`, however it is written. The root may be a variable. */
export function familyOf(node: Node): Family | undefined {
  const last = lastStep(node);
  if (last?.target.op !== "id" || last.target.args !== "messages") return undefined;
  const name = literal(last.step);
  return name !== undefined && Object.hasOwn(FAMILIES, name) ? name as Family : undefined;
}

function pathOf(node: Node, bound: ReadonlySet<string>): Path | undefined {
  if (node.op === "id") {
    const root = node.args as string;
    const isRoot = Object.hasOwn(ROOTS, root) || Object.hasOwn(OF_A_MESSAGE, root);
    return isRoot && !bound.has(root) ? { root, steps: [] } : undefined;
  }
  const last = lastStep(node);
  const base = last && pathOf(last.target, bound);
  return base && { root: base.root, steps: [...base.steps, literal(last.step)] };
}

function walk(node: Node, bound: ReadonlySet<string>, visit: Visit, use: Use = "value"): void {
  const path = pathOf(node, bound);
  if (path) {
    visit(path, node, use);
    walkIndexes(node, bound, visit);
  } else if (node.op === "in") walkMembership(node, bound, visit);
  else if (node.op === "call") walkCall(node, bound, visit);
  else if (node.op === "rcall") walkMethod(node, bound, visit);
  else for (const child of children(node)) walk(child, bound, visit);
}

/** Visits the paths within a path's brackets. */
function walkIndexes(node: Node, bound: ReadonlySet<string>, visit: Visit): void {
  const last = lastStep(node);
  if (!last) return;
  if (typeof last.step !== "string") walk(last.step, bound, visit);
  walkIndexes(last.target, bound, visit);
}

/** Visits `"x" in state._shared` as the key x, and `x in agents` as the names of all. */
function walkMembership(node: Node, bound: ReadonlySet<string>, visit: Visit): void {
  const [member, container] = node.args as [Node, Node];
  const path = pathOf(container, bound);
  const key = literal(member);
  walk(member, bound, visit);
  if (!path || key === undefined) return walk(container, bound, visit, "names");
  visit({ root: path.root, steps: [...path.steps, key] }, container, "names");
  walkIndexes(container, bound, visit);
}

function walkCall(node: Node, bound: ReadonlySet<string>, visit: Visit): void {
  const [name, args] = node.args as [string, Node[]];
  const use = name === "has" ? "has" : name === "size" ? "names" : "value";
  for (const argument of args) walk(argument, bound, visit, use);
}

function walkMethod(node: Node, bound: ReadonlySet<string>, visit: Visit): void {
  const [name, receiver, args] = node.args as [string, Node, Node[]];
  const { count, ofNames, outside } = variablesOf(name, args.length);
  walk(receiver, bound, visit, ofNames ? "names" : "value");
  const inner = new Set([...bound, ...args.slice(0, count).map((argument) => argument.args as string)]);
  args.slice(count).forEach((argument, i) => walk(argument, i < outside ? bound : inner, visit));
}
