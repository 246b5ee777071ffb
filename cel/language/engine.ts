/**
 * The one place that knows the inside of @marcbachmann/cel-js. Its parser, type checker and registry of
 * functions are used as they are; what the nodes of a syntax tree do (`nodes.ts`, `cel/language/std/operators.ts`,
 * `cel/language/std/macros.ts`) is ours. tests/cel/hooks.test.ts fails when one of the seams below moves.
 */
import { Environment, Optional } from "@marcbachmann/cel-js";
import { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";

export { Duration, Environment, Optional, UnsignedInt };

/** A node of the syntax tree. `args` depends on `op`; see `children`. */
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

/** A static type, one object a type within an environment. */
export interface CelType {
  readonly kind: "primitive" | "dyn" | "list" | "map" | "message" | "optional" | "param";
  readonly name: string;
  readonly keyType?: CelType;
  readonly valueType?: CelType;
}

/** Variables by name: of the room, or of the loops around a node. */
export interface Scope {
  forkWithVariable(name: string, type: CelType): Scope & { iterValue: unknown };
  getVariable(name: string): { readonly type: CelType; readonly constant: boolean } | undefined;
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

/** The overloads of one name and number of arguments. */
export interface Overloads {
  declarations: Declaration[];
  macro: unknown;
  returnType: CelType | null;
  findFunction(
    argumentTypes: CelType[],
    receiverType: CelType | null,
  ): { handler(...args: unknown[]): unknown } | null;
}

export interface Registry {
  functionCandidates(method: boolean, name: string, argumentCount: number): Overloads;
  readonly variables: ReadonlyMap<string, { readonly value?: unknown }>;
  deleteVariable(name: string): void;
  registerConstant(name: string, type: string, value: unknown): void;
}

/** A parsed expression: `check` types it and reports the first error; calling it evaluates it. */
export interface Parsed {
  (context: ReadonlyMap<string, unknown>): unknown;
  readonly ast: Node;
  check(): { valid: boolean; error?: unknown };
}

/** What a macro is called with, while parsing. */
export interface MacroCall {
  readonly ast: Node;
  readonly args: Node[];
  readonly receiver: Node | null;
}

/** What a macro's handler returns: how its call is typed and evaluated. */
export interface Macro {
  typeCheck(checker: Checker, macro: unknown, scope: Scope): CelType;
  evaluate(evaluator: Evaluator, macro: unknown, scope: Scope): unknown;
  async: false;
}

/** Evaluates a node in a scope. */
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

/** The environment's evaluator, which it keeps to itself: the first argument of every node's `evaluate`. */
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
 * The registry keeps an entry for every function name it was ever asked for. Names come from strangers, so
 * unknown ones are answered here and leave no trace.
 */
export function rememberOnlyKnown(registry: Registry, names: ReadonlySet<string>): void {
  const lookUp = registry.functionCandidates.bind(registry);
  registry.functionCandidates = (method, name, count) => {
    const safe = names.has(name) && count <= MAX_ARGUMENTS;
    return lookUp(method, safe ? name : "no such function", safe ? count : 0);
  };
}

/** Calls with more arguments are refused by the parser. */
export const MAX_ARGUMENTS = 32;

/** Takes an overload, or every overload of a macro's name and arity, out of a registry of our own. */
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

/** The constant `google`, which holds the types of timestamps and durations, as Maps like all else. */
export function nameTypesByMaps(registry: Registry): void {
  const { protobuf } = registry.variables.get("google")?.value as { protobuf: Record<string, unknown> };
  registry.deleteVariable("google");
  const types = new Map([["protobuf", new Map(Object.entries(protobuf))]]);
  registry.registerConstant("google", "map<string, map<string, type>>", types);
}
