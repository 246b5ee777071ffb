/**
 * The only file that depends on internals of cel-js (@marcbachmann/cel-js). Its parser, type checker and registry of
 * functions serve as they are; the nodes' checks and evaluation (`nodes.ts`, `cel/language/std/operators.ts`,
 * `cel/language/std/macros.ts`) are ours. tests/cel/hooks.test.ts fails when an internal below changes.
 */
import { Environment, Optional } from "@marcbachmann/cel-js";
import { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";

export { Duration, Environment, Optional, UnsignedInt };

/** The types of times as signatures name them. */
export const TIMESTAMP = "google.protobuf.Timestamp";
export const DURATION = "google.protobuf.Duration";

/** A node of the syntax tree. The shape of `args` depends on `op`: see `children`. */
export interface Node {
  readonly op: string;
  args: unknown;
  readonly pos: number;
  readonly start: number;
  readonly end: number;
  readonly meta: { readonly check: (checker: Checker, node: Node, scope: Scope) => CelType };
  setMeta(key: "check" | "evaluate", rule: unknown): Node;
  evaluate(evaluator: Evaluator, node: Node, scope: Scope): unknown;
}

/** A static type. An environment has one object for each type. */
export interface CelType {
  readonly kind: "primitive" | "dyn" | "list" | "map" | "message" | "optional" | "param";
  readonly name: string;
  readonly keyType?: CelType;
  readonly valueType?: CelType;
}

/** Variables by name: the roots, and those of the loops around a node. */
export interface Scope {
  forkWithVariable(name: string, type: CelType): Scope & { iterValue: unknown };
}

export interface Checker {
  check(node: Node, scope: Scope): CelType;
  getType(name: string): CelType;
}

export interface Evaluator {
  registry: Registry;
  debugType(value: unknown): CelType;
}

interface Declaration {
  readonly signature: string;
}

/** The overloads of a function with one name and number of arguments. */
export interface Overloads {
  declarations: Declaration[];
  macro: unknown;
  returnType: CelType | null;
  findFunction(
    argumentTypes: CelType[],
    receiverType: CelType | null,
  ): { handler(...args: unknown[]): unknown } | null;
}

interface Registry {
  functionCandidates(method: boolean, name: string, argumentCount: number): Overloads;
  readonly variables: ReadonlyMap<string, { readonly value?: unknown }>;
  deleteVariable(name: string): void;
  registerConstant(name: string, type: string, value: unknown): void;
}

/** A parsed expression. `check` infers its types and reports the first error. Calling it evaluates it. */
export interface Parsed {
  (context: ReadonlyMap<string, unknown>): unknown;
  readonly ast: Node;
  check(): { valid: boolean; error?: unknown };
}

/** The call of a macro, which the parser passes to its handler. */
export interface MacroCall {
  readonly ast: Node;
  readonly args: Node[];
  readonly receiver: Node | null;
}

/** A macro's handler returns how its call is checked and evaluated. */
export interface Macro {
  typeCheck(checker: Checker, macro: unknown, scope: Scope): CelType;
  evaluate(evaluator: Evaluator, macro: unknown, scope: Scope): unknown;
}

export function run(node: Node, evaluator: Evaluator, scope: Scope): unknown {
  return node.evaluate(evaluator, node, scope);
}

/** The nodes directly below a node, receivers and arguments of calls included. */
export function children(node: Node): Node[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [(node.args as [Node, string])[0]];
    case "!_":
    case "-_":
      return [node.args as Node];
    case "call":
      return (node.args as [string, Node[]])[1];
    case "rcall": {
      const [, receiver, args] = node.args as [string, Node, Node[]];
      return [receiver, ...args];
    }
    case "map":
      return (node.args as [Node, Node][]).flat();
    default:
      return node.args as Node[];
  }
}

/** The first node of a tree that is wanted, and the nodes above it. */
export function findNode(
  root: Node,
  isWanted: (node: Node) => boolean,
  above: Node[] = [],
): [above: Node[], node?: Node] {
  if (isWanted(root)) return [above, root];
  for (const child of children(root)) {
    const found = findNode(child, isWanted, [...above, root]);
    if (found[1]) return found;
  }
  return [above];
}

const STEPS = new Set([".", ".?", "[]", "[?]"]);

/** The last step of a path, and the node that it starts from; undefined at the root. */
export function lastStep(node: Node): { target: Node; step: Node | string; optional: boolean } | undefined {
  if (!STEPS.has(node.op)) return undefined;
  const [target, step] = node.args as [Node, Node | string];
  return { target, step, optional: node.op === ".?" || node.op === "[?]" };
}

/** The string that a step names literally; undefined where it depends on data. */
export function literal(step: Node | string): string | undefined {
  if (typeof step === "string") return step;
  return step.op === "value" && typeof step.args === "string" ? step.args : undefined;
}

/** Obtains an environment's private evaluator, which is the first argument of every node's `evaluate`. */
export function evaluatorOf(environment: Environment): Evaluator {
  const probe = environment.parse("null") as unknown as Parsed;
  let found: Evaluator | undefined;
  probe.ast.setMeta("evaluate", (evaluator: Evaluator) => {
    found = evaluator;
    return null;
  });
  probe.check();
  probe(new Map());
  if (!found) throw new Error("cel-js no longer hands its evaluator to the nodes");
  return found;
}

/**
 * Maps look-ups of unknown functions to one name. The registry keeps an entry for every name it was asked for, and
 * names come from strangers.
 */
export function rememberOnlyKnown(registry: Registry, names: ReadonlySet<string>): void {
  const lookUp = registry.functionCandidates.bind(registry);
  registry.functionCandidates = (method, name, count) => {
    const safe = names.has(name) && count <= MAX_ARGUMENTS;
    return lookUp(method, safe ? name : "no such function", safe ? count : 0);
  };
}

/** The maximum number of arguments of a call, which the parser enforces. */
export const MAX_ARGUMENTS = 32;

/** Removes an overload, or all overloads of a macro's name and arity, from an environment's own registry. */
export function forget(registry: Registry, signature: string): void {
  const match = /^(?:([\w.<>]+)\.)?(\w+)\(([^)]*)\)/.exec(signature);
  if (!match) throw new Error(`not a signature: ${signature}`);
  const args = match[3] ? match[3].split(",") : [];
  const candidates = registry.functionCandidates(match[1] !== undefined, match[2]!, args.length);
  if (args.some((type) => type.trim() === "ast")) {
    candidates.declarations.length = 0;
    candidates.macro = false;
    candidates.returnType = null;
    return;
  }
  const kept = candidates.declarations.filter((declared) =>
    !declared.signature.replace(/<dyn>|<dyn, dyn>/g, "").startsWith(`${match[0]}:`)
  );
  candidates.declarations.splice(0, Infinity, ...kept);
}

/** Replaces the constant `google`, which holds the types of timestamps and durations, by Maps, which our nodes read. */
export function nameTypesByMaps(registry: Registry): void {
  const { protobuf } = registry.variables.get("google")?.value as { protobuf: Record<string, unknown> };
  registry.deleteVariable("google");
  const types = new Map([["protobuf", new Map(Object.entries(protobuf))]]);
  registry.registerConstant("google", "map<string, map<string, type>>", types);
}
