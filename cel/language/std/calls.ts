import { charge } from "../budget.ts";
import { typeName } from "../describe.ts";
import type { CelType, Evaluator, Node, Overloads, Scope } from "../engine.ts";
import { type Check, fail, positioned, type Rule, runAll } from "../rules.ts";
import { sizeHint } from "./access.ts";

/** Calls of functions, `f(x)`, and of methods, `x.f(y)`: checked by cel-js, evaluated here. */
export const CALLS: readonly [string, Rule][] = [
  ["call", { wrap: widenResult, evaluate: evaluateCall }],
  ["rcall", { wrap: widenResult, evaluate: evaluateMethod }],
];

type Handler = (...args: unknown[]) => unknown;

/** A call as cel-js's check leaves it; `handlers` caches the overloads by the kinds of the arguments. */
interface Call extends Node {
  readonly argTypes: CelType[];
  readonly candidates: Overloads;
  readonly receiverWithArgs: Node[];
  handlers?: Map<number, Handler>;
}

/**
 * Gives a call with a dynamic argument the type that all its overloads share. cel-js takes that of the first, though
 * evaluation may choose any.
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
  const hint = isMember
    ? "Write `x in list`. In a map, `in` looks for a key."
    : name === "size"
    ? sizeHint(first!, isMethod ? node.receiverWithArgs[0]! : (node.args as [string, Node[]])[1][0]!)
    : undefined;
  fail("no_matching_overload", `There is no ${shown}`, node, hint);
}

/** Exceeds the number of classes of values, including namespaces. */
const MAX_KINDS = 32;
const kindsByClass = new Map<unknown, number>();

/** A number for the type of a value, which alone determines the overload. */
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

/** Charges for one pass over the arguments' text and elements. A handler that does more charges for that itself. */
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
