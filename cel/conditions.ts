import type { Json } from "../db/json.ts";
import { compile, type Context, EvaluationFailed, type Expression, language } from "./expression.ts";
import type { Node } from "./library/engine.ts";
import type { Reads } from "./reads.ts";

/** A condition, taken apart at its outer `&&` and `||`. */
export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { source: string; expression: Expression | undefined };

/** A condition with the present truth of each part; `undefined` where it cannot be told. */
export type JudgedCondition =
  | { all: JudgedCondition[]; truth: boolean | undefined }
  | { any: JudgedCondition[]; truth: boolean | undefined }
  | JudgedPart;

export interface JudgedPart {
  source: string;
  truth: boolean | undefined;
  /** Its value, where that is more than a truth. */
  value?: Json;
  /** Why it could not be evaluated. */
  error?: { code: string; message: string };
  reads?: Reads;
}

/** Parts beyond this stay together: nobody reads so many. */
const MOST_DEPTH = 4;

/** Takes a condition apart. One that this version of the language refuses stays whole. */
export function conditionOf(source: string): Condition {
  try {
    return split(language().compile(source).root, source, MOST_DEPTH);
  } catch {
    return { source, expression: undefined };
  }
}

function split(node: Node, source: string, depth: number): Condition {
  if (depth > 0 && (node.op === "&&" || node.op === "||")) {
    const parts = operands(node, node.op).map((part) => split(part, source, depth - 1));
    return node.op === "&&" ? { all: parts } : { any: parts };
  }
  return partOf(node, source);
}

/** `a && b && c` is one conjunction of three, however it was parsed. */
function operands(node: Node, op: string): Node[] {
  return node.op === op ? (node.args as Node[]).flatMap((part) => operands(part, op)) : [node];
}

/** Brackets around a node's first or last operand are not within its bounds, so that they are looked for. */
const MOST_BRACKETS = 3;

function partOf(node: Node, source: string): Condition {
  for (let before = 0, start = node.start; before <= MOST_BRACKETS && start >= 0; before++) {
    for (let after = 0, end = node.end; after <= MOST_BRACKETS && end > 0; after++) {
      const expression = compiled(source.slice(start, end));
      if (expression) return { source: expression.source, expression };
      end = source.indexOf(")", end) + 1;
    }
    start = source.lastIndexOf("(", start - 1);
  }
  return { source: source.slice(node.start, node.end), expression: undefined };
}

function compiled(source: string): Expression | undefined {
  try {
    return compile(source);
  } catch {
    return undefined;
  }
}

/** The expressions of a condition's parts. */
export function partsOf(condition: Condition): Expression[] {
  if ("all" in condition) return condition.all.flatMap(partsOf);
  if ("any" in condition) return condition.any.flatMap(partsOf);
  return condition.expression ? [condition.expression] : [];
}

/** Judges each part. `may` says, before each, whether there is time left for it. */
export function judgeCondition(condition: Condition, context: Context, may: () => boolean): JudgedCondition {
  if ("all" in condition) {
    const all = condition.all.map((part) => judgeCondition(part, context, may));
    return { all, truth: decided(all, false) };
  }
  if ("any" in condition) {
    const any = condition.any.map((part) => judgeCondition(part, context, may));
    return { any, truth: decided(any, true) };
  }
  const { source, expression } = condition;
  if (expression === undefined || !may()) return { source, truth: undefined };
  try {
    const { truthy, value } = expression.judge(context);
    const shown = typeof value === "boolean" ? {} : { value };
    return { source, truth: truthy, ...shown, reads: expression.reads };
  } catch (error) {
    if (!(error instanceof EvaluationFailed)) throw error;
    const { code, message } = error;
    return { source, truth: undefined, error: { code, message }, reads: expression.reads };
  }
}

/** One part that is `decisive` decides; else all must be known. */
function decided(parts: JudgedCondition[], decisive: boolean): boolean | undefined {
  if (parts.some(({ truth }) => truth === decisive)) return decisive;
  return parts.some(({ truth }) => truth === undefined) ? undefined : !decisive;
}
