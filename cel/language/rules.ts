import { EvaluationFailed, InvalidExpression } from "./errors.ts";
import { type CelType, type Checker, type Evaluator, type Node, run, type Scope } from "./engine.ts";

export type Check = (checker: Checker, node: Node, scope: Scope) => CelType;
export type Evaluate = (evaluator: Evaluator, node: Node, scope: Scope) => unknown;

/** How a kind of node is typed and evaluated; what is absent is left to the library. */
export interface Rule {
  check?: Check;
  /** Makes the library's own check into ours. */
  wrap?: (check: Check) => Check;
  evaluate?: Evaluate;
}

/** The type of two alternatives: theirs if they agree, else any. */
export function join(checker: Checker, left: CelType, right: CelType): CelType {
  if (left === right) return left;
  return checker.getType(left.kind === right.kind && left.kind === "list" ? "list" : "dyn");
}

/** Ends checking, at a node. */
export function refuse(code: string, message: string, node: Node, hint?: string): never {
  throw new InvalidExpression(code, message, node.pos, hint);
}

/** Ends evaluation, at a node. */
export function fail(code: string, message: string, node: Node, hint?: string): never {
  throw new EvaluationFailed(code, message, node.pos, hint);
}

/** Gives an error that arose below a node its position, if it has none. */
export function positioned(error: unknown, node: Node): unknown {
  if (error instanceof EvaluationFailed) error.position ??= node.pos;
  return error;
}

/** The values of some nodes, in order. */
export function runAll(nodes: Node[], ev: Evaluator, scope: Scope): unknown[] {
  const values = new Array<unknown>(nodes.length);
  for (let i = 0; i < nodes.length; i++) values[i] = run(nodes[i]!, ev, scope);
  return values;
}
