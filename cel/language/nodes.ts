import { EvaluationFailed } from "./errors.ts";
import { ACCESS, pathText } from "./std/access.ts";
import { CALLS } from "./std/calls.ts";
import { COLLECTIONS } from "./std/collections.ts";
import { staticName, typeName } from "./describe.ts";
import { type CelType, type Checker, type Evaluator, type Node, run, type Scope } from "./engine.ts";
import { LOGIC } from "./std/logic.ts";
import { MAX_INT } from "./std/numbers.ts";
import { resultType } from "./std/operator_types.ts";
import { adviceFor, BINARY, negate, operation } from "./std/operators.ts";
import { fail, join, positioned, refuse, type Rule } from "./rules.ts";

/** The rules of nodes that replace cel-js's. They add mixed numbers and types, Maps, the budget, positions of errors. */
export const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["value", { check: checkLiteral }],
  ["-_", { check: checkNegation, evaluate: evaluateNegation }],
  ...BINARY.map((operator): [string, Rule] => [operator, binaryRule(operator)]),
  ...LOGIC,
  ...ACCESS,
  ...COLLECTIONS,
  ...CALLS,
]);

function checkLiteral(checker: Checker, node: Node): CelType {
  const value = node.args;
  if (typeof value === "bigint" && value > MAX_INT) {
    refuse("invalid_integer", `Integer out of range: ${value}`, node);
  }
  return checker.getType(LITERAL_TYPES[typeName(value)] ?? "dyn");
}

const LITERAL_TYPES: Record<string, string> = {
  string: "string",
  int: "int",
  uint: "uint",
  double: "double",
  bool: "bool",
  bytes: "bytes",
  null: "null",
};

function checkNegation(checker: Checker, node: Node, scope: Scope): CelType {
  const operand = node.args as Node;
  // The smallest integer is the negation of a literal that is out of range.
  if (operand.op === "value" && operand.args === MAX_INT + 1n) return checker.getType("int");
  const type = checker.check(operand, scope);
  const name = staticName(type);
  if (name === "int" || name === "double") return type;
  if (type.kind !== "dyn") refuse("no_such_overload", `\`-\` is not defined for ${name}`, node);
  return checker.getType("dyn");
}

function evaluateNegation(ev: Evaluator, node: Node, scope: Scope): unknown {
  const value = run(node.args as Node, ev, scope);
  const result = negate(value);
  if (result === undefined) fail("no_such_overload", `\`-\` is not defined for ${typeName(value)}`, node);
  return result;
}

function binaryRule(operator: string): Rule {
  const apply = operation(operator);
  return {
    check(checker, node, scope) {
      const [left, right] = (node.args as Node[]).map((operand) => checker.check(operand, scope));
      const type = resultType(operator, left!, right!);
      if (type !== null) return type === "list" ? join(checker, left!, right!) : checker.getType(type);
      const [a, b] = [staticName(left!), staticName(right!)];
      const hint = operator === "in" && b === "string" ? partAdvice(node, a) : adviceFor(operator, a, b);
      refuse("no_such_overload", `\`${operator}\` is not defined for ${a} and ${b}`, node, hint);
    },
    evaluate(ev, node, scope) {
      const args = node.args as Node[];
      const left = run(args[0]!, ev, scope);
      const right = run(args[1]!, ev, scope);
      try {
        return apply(left, right);
      } catch (error) {
        const isPart = operator === "in" && typeof right === "string" && error instanceof EvaluationFailed;
        if (isPart) fail(error.code, error.message, node, partAdvice(node, typeName(left)));
        throw positioned(error, node);
      }
    },
  };
}

/** A hint for `in` with a string on its right: `in` takes lists and the keys of maps. */
function partAdvice(node: Node, type: string): string {
  const [part, text] = (node.args as [Node, Node]).map(operandText);
  const asText = type === "string" || type === "dyn" ? part ?? "part" : `string(${part ?? "part"})`;
  return `Write \`${text ?? "text"}.contains(${asText})\`.`;
}

function operandText(node: Node): string | undefined {
  const { op, args } = node;
  if (op !== "value") return pathText(node);
  return typeof args === "string" ? JSON.stringify(args.slice(0, 80)) : String(args);
}
