import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { typeName } from "../describe.ts";
import type { CelType, Evaluator, Node, Overloads, Scope } from "../engine.ts";
import { type Check, positioned, type Rule, runAll } from "../rules.ts";

/** Calls of functions, `f(x)`, and of methods, `x.f(y)`: checked by the library, carried out here. */
export const CALLS: readonly [string, Rule][] = [
  ["call", { wrap: widenResult, evaluate: evaluateCall }],
  ["rcall", { wrap: widenResult, evaluate: evaluateMethod }],
];

type Handler = (...args: unknown[]) => unknown;

/** A call as the library's check leaves it, and the handlers found so far, by the kinds of the arguments. */
interface Call extends Node {
  readonly argTypes: CelType[];
  readonly candidates: Overloads;
  readonly receiverWithArgs: Node[];
  handlers?: Map<number, Handler>;
}

/**
 * Where an argument's type is only known when it runs, the library takes the first overload's result for the
 * type of the call. Any overload may be the one.
 */
function widenResult(check: Check): Check {
  return (checker, node, scope) => {
    const type = check(checker, node, scope);
    const { argTypes, candidates } = node as Call;
    return argTypes.some(({ kind }) => kind === "dyn") ? candidates.returnType ?? type : type;
  };
}

function evaluateCall(ev: Evaluator, node: Node, scope: Scope): unknown {
  return call(node as Call, runAll((node.args as [string, Node[]])[1], ev, scope), ev, false);
}

function evaluateMethod(ev: Evaluator, node: Node, scope: Scope): unknown {
  return call(node as Call, runAll((node as Call).receiverWithArgs, ev, scope), ev, true);
}

function call(node: Call, args: unknown[], ev: Evaluator, isMethod: boolean): unknown {
  chargeFor(args);
  const handlers = node.handlers ??= new Map();
  let kinds = 1;
  for (let i = 0; i < args.length; i++) kinds = kinds * MAX_KINDS + kindOf(args[i]);
  let handler = handlers.get(kinds);
  if (!handler) handlers.set(kinds, handler = handlerFor(node, args, ev, isMethod));
  try {
    return handler(...args);
  } catch (error) {
    throw positioned(error, node);
  }
}

function handlerFor(node: Call, args: unknown[], ev: Evaluator, isMethod: boolean): Handler {
  const types = args.map((value) => ev.debugType(value));
  const receiver = isMethod ? types.shift()! : null;
  const overload = node.candidates.findFunction(types, receiver);
  if (overload) return overload.handler;
  const [name] = node.args as [string];
  const [first, ...others] = args.map(typeName);
  const shown = isMethod
    ? `${first}.${name}(${others.join(", ")})`
    : `${name}(${[first, ...others].join(", ")})`;
  const isMember = name === "contains" && (first === "list" || first === "map");
  const hint = isMember ? "Write `x in list`; in a map it asks for a key." : undefined;
  throw new EvaluationFailed("no_matching_overload", `There is no ${shown}`, node.pos, hint);
}

/** More than there are classes of values, namespaces included. */
const MAX_KINDS = 32;
const kindsByClass = new Map<unknown, number>();

/** A number for the type of a value, which is all that the choice of an overload goes by. */
function kindOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return 0;
    case "number":
      return 1;
    case "bigint":
      return 2;
    case "boolean":
      return 3;
  }
  if (value === null) return 4;
  const { constructor } = value as object;
  const known = kindsByClass.get(constructor);
  if (known !== undefined) return known;
  kindsByClass.set(constructor, kindsByClass.size + 5);
  return kindsByClass.size + 4;
}

/** Any function may read all of its arguments' text and elements once; what costs more, it charges itself. */
function chargeFor(args: unknown[]): void {
  let steps = 6;
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (typeof value === "string") steps += value.length / 16;
    else if (Array.isArray(value)) steps += value.length / 4;
    else if (value instanceof Uint8Array) steps += value.length / 16;
  }
  charge(steps);
}
