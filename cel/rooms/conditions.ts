import type { Json } from "../../db/json.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { compile, type Context, EvaluationFailed, type Expression } from "../language/expression.ts";
import type { Node } from "../language/engine.ts";
import { PIECES } from "../language/syntax.ts";
import type { Reads } from "../language/dependencies.ts";

/** A condition, taken apart at its outer `&&` and `||`. */
export type Condition = { all: Condition[] } | { any: Condition[] } | Part;

interface Part {
  source: string;
  expression: Expression | undefined;
}

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
const MAX_DEPTH = 4;

/** Milliseconds of work that are left. What would be done when none are is left out. */
export interface Allowance {
  left: number;
}

/** Does a piece of work, after yielding where it is needed; undefined where it may not. */
async function within<T>(allowance: Allowance, work: () => T): Promise<T | undefined> {
  if (allowance.left <= 0) return undefined;
  if (isBusy()) await yieldToOthers();
  const began = performance.now();
  try {
    return work();
  } finally {
    allowance.left -= performance.now() - began;
  }
}

/**
 * Takes a condition apart and yields in between. One that this version of the language refuses stays whole,
 * as does one for which there is no time.
 */
export async function conditionOf(source: string, allowance: Allowance): Promise<Condition> {
  const whole = await within(allowance, () => compiled(source));
  if (whole === undefined) return { source, expression: undefined };
  return await split(whole.root, source, MAX_DEPTH, allowance);
}

async function split(node: Node, source: string, depth: number, allowance: Allowance): Promise<Condition> {
  if (depth > 0 && (node.op === "&&" || node.op === "||")) {
    const parts: Condition[] = [];
    for (const part of operands(node, node.op)) {
      parts.push(await split(part, source, depth - 1, allowance));
    }
    return node.op === "&&" ? { all: parts } : { any: parts };
  }
  const part = sourceOf(node, source);
  const expression = await within(allowance, () => compiled(part));
  return expression ? { source: part, expression } : { source: part, expression: undefined };
}

/** `a && b && c` is one conjunction of three, however it was parsed. */
function operands(node: Node, op: string): Node[] {
  return node.op === op ? (node.args as Node[]).flatMap((part) => operands(part, op)) : [node];
}

/** What a node stands for. Brackets around its first or last operand are not within its bounds, so they are added. */
function sourceOf(node: Node, source: string): string {
  let { start, end } = node;
  let open = 0;
  for (const [piece] of source.slice(start, end).matchAll(PIECES)) {
    if (piece === "(") open++;
    else if (piece === ")" && open > 0) open--;
    else if (piece === ")") start = source.lastIndexOf("(", start - 1);
  }
  for (; open > 0; open--) end = source.indexOf(")", end) + 1;
  return source.slice(start, end);
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

/** Judges each part, and yields in between. */
export async function judgeCondition(
  condition: Condition,
  context: Context,
  allowance: Allowance,
): Promise<JudgedCondition> {
  if ("all" in condition) {
    const all = await judgeEach(condition.all, context, allowance);
    return { all, truth: decided(all, false) };
  }
  if ("any" in condition) {
    const any = await judgeEach(condition.any, context, allowance);
    return { any, truth: decided(any, true) };
  }
  return await within(allowance, () => judgePart(condition, context)) ??
    { source: condition.source, truth: undefined };
}

async function judgeEach(
  conditions: Condition[],
  context: Context,
  allowance: Allowance,
): Promise<JudgedCondition[]> {
  const judged: JudgedCondition[] = [];
  for (const condition of conditions) judged.push(await judgeCondition(condition, context, allowance));
  return judged;
}

function judgePart({ source, expression }: Part, context: Context): JudgedPart | undefined {
  if (expression === undefined) return undefined;
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
