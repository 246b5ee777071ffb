import { EvaluationFailed, InvalidExpression } from "./errors.ts";
import { type CelType, type Checker, type Evaluator, type Node, run, type Scope } from "./engine.ts";

export type Check = (checker: Checker, node: Node, scope: Scope) => CelType;
type Evaluate = (evaluator: Evaluator, node: Node, scope: Scope) => unknown;

/** How a kind of node is checked and evaluated. cel-js's own rule applies where a member is absent. */
export interface Rule {
  check?: Check;
  /** Wraps cel-js's own check. */
  wrap?: (check: Check) => Check;
  evaluate?: Evaluate;
}

/** The type of two alternatives: `dyn` unless they agree. */
export function join(checker: Checker, left: CelType, right: CelType): CelType {
  if (left === right) return left;
  return checker.getType(left.kind === right.kind && left.kind === "list" ? "list" : "dyn");
}

/** Fails checking, at a node's position. */
export function refuse(code: string, message: string, node: Node, hint?: string): never {
  throw new InvalidExpression(code, message, node.pos, hint);
}

/** Fails evaluation, at a node's position. */
export function fail(code: string, message: string, node: Node, hint?: string): never {
  throw new EvaluationFailed(code, message, node.pos, hint);
}

/** Adds a node's position to an error that has none. */
export function positioned(error: unknown, node: Node): unknown {
  if (error instanceof EvaluationFailed) error.position ??= node.pos;
  return error;
}

export function runAll(nodes: Node[], ev: Evaluator, scope: Scope): unknown[] {
  const values = new Array<unknown>(nodes.length);
  for (let i = 0; i < nodes.length; i++) values[i] = run(nodes[i]!, ev, scope);
  return values;
}
