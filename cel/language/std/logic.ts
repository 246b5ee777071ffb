import { charge, FAILURE_COST, isFatal } from "../budget.ts";
import { staticName, typeName } from "../describe.ts";
import { type CelType, type Checker, type Evaluator, type Node, run, type Scope } from "../engine.ts";
import { isIncomplete } from "../lookups.ts";
import { fail, join, refuse, type Rule } from "../rules.ts";

/** `?:`, `&&`, `||` and `!`. Branches may differ in type. `&&` and `||` absorb errors, but not a spent budget. */
export const LOGIC: readonly [string, Rule][] = [
  ["?:", { check: checkConditional, evaluate: evaluateConditional }],
  ["&&", { check: checkLogical, evaluate: (ev, node, scope) => evaluateLogical(ev, node, scope, false) }],
  ["||", { check: checkLogical, evaluate: (ev, node, scope) => evaluateLogical(ev, node, scope, true) }],
  ["!_", { check: checkNot, evaluate: evaluateNot }],
];

function mayBeBool(type: CelType): boolean {
  return type.kind === "dyn" || type.kind === "param" || type.name === "bool";
}

function checkBool(checker: Checker, node: Node, scope: Scope, role: string, hint = COMPARE): void {
  const type = checker.check(node, scope);
  if (mayBeBool(type)) return;
  refuse(
    "no_such_overload",
    `${role} must be bool, not ${staticName(type)}`,
    node,
    takeHint(staticName(type)) ?? hint,
  );
}

/** Ends an evaluation where a value that is no bool stands for one. */
export function failAsNoBool(what: string, value: unknown, node: Node): never {
  const type = typeName(value);
  fail("no_such_overload", `${what} must be bool, not ${type}`, node, takeHint(type) ?? COMPARE);
}

const COMPARE = "Compare it: `x != null`, `x != 0`, `size(x) > 0`.";
/** What `a || 0` means in other languages. */
const DEFAULT = "For a default write `a.?key.orValue(...)`.";

function takeHint(type: string): string | undefined {
  return type === "optional" ? "Take the value out with .orValue(false)." : undefined;
}

function checkConditional(checker: Checker, node: Node, scope: Scope): CelType {
  const [condition, then, otherwise] = node.args as [Node, Node, Node];
  checkBool(checker, condition, scope, "The condition of `?:`");
  return join(checker, checker.check(then, scope), checker.check(otherwise, scope));
}

function evaluateConditional(ev: Evaluator, node: Node, scope: Scope): unknown {
  const args = node.args as Node[];
  const condition = run(args[0]!, ev, scope);
  if (condition === true) return run(args[1]!, ev, scope);
  if (condition === false) return run(args[2]!, ev, scope);
  failAsNoBool("The condition of `?:`", condition, args[0]!);
}

function checkLogical(checker: Checker, node: Node, scope: Scope): CelType {
  const role = `\`${node.op}\`: an operand`;
  const [left, right] = node.args as [Node, Node];
  checkBool(checker, left, scope, role);
  checkBool(checker, right, scope, role, node.op === "||" ? `${DEFAULT} ${COMPARE}` : COMPARE);
  return checker.getType("bool");
}

/** Evaluates `&&` or `||`: the result is `decisive` if either side is, even if the other side fails. */
function evaluateLogical(ev: Evaluator, node: Node, scope: Scope, decisive: boolean): boolean {
  const args = node.args as Node[];
  const left = tryLogical(ev, args[0]!, scope, node.op);
  if (left === decisive && !isIncomplete()) return decisive;
  const right = left === !decisive
    ? logical(run(args[1]!, ev, scope), args[1]!, node.op)
    : tryLogical(ev, args[1]!, scope, node.op);
  if (left === decisive || right === decisive) return decisive;
  if (left === !decisive && right === !decisive) return !decisive;
  throw left === !decisive ? right : left;
}

function tryLogical(ev: Evaluator, node: Node, scope: Scope, operator: string): unknown {
  try {
    return logical(run(node, ev, scope), node, operator);
  } catch (error) {
    if (isFatal(error)) throw error;
    charge(FAILURE_COST);
    return error;
  }
}

function logical(value: unknown, node: Node, operator: string): boolean {
  if (typeof value === "boolean") return value;
  failAsNoBool(`\`${operator}\`: an operand`, value, node);
}

function checkNot(checker: Checker, node: Node, scope: Scope): CelType {
  checkBool(checker, node.args as Node, scope, "What follows `!`");
  return checker.getType("bool");
}

function evaluateNot(ev: Evaluator, node: Node, scope: Scope): boolean {
  const value = run(node.args as Node, ev, scope);
  if (typeof value === "boolean") return !value;
  failAsNoBool("What follows `!`", value, node.args as Node);
}
