import type { Json } from "../../db/json.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { compile, type Context, type Expression } from "./expression.ts";
import type { Node } from "../language/engine.ts";
import { PIECES } from "../language/syntax.ts";
import { type Reads, readsAfter } from "../language/dependencies.ts";
import { trackLookups } from "../language/lookups.ts";

/** A condition, split at its outer `&&` and `||`. */
export type Condition = { all: Condition[] } | { any: Condition[] } | Part;

interface Part {
  source: string;
  expression: Expression | undefined;
}

/** A condition with the present truth of each part; `undefined` where it is unknown. */
export type JudgedCondition =
  | { all: JudgedCondition[]; truth: boolean | undefined }
  | { any: JudgedCondition[]; truth: boolean | undefined }
  | JudgedPart;

interface JudgedPart {
  source: string;
  truth: boolean | undefined;
  /** Its value, unless that is a bool. */
  value?: Json;
  /** Why it could not be evaluated. */
  error?: { code: string; message: string };
  reads?: Reads;
}

/** The depth below which conditions are not split: nobody reads so many parts. */
const MAX_DEPTH = 4;

/** The remaining milliseconds of work. Work beyond them is skipped. */
interface Allowance {
  left: number;
}

/** Runs a piece of work after yielding to other requests; undefined where the allowance is used up. */
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
 * Splits a condition, and yields in between. A condition that this version of the language refuses, or for which the
 * allowance is used up, stays whole.
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
  return { source: part, expression };
}

/** The operands of a chain: `a && b && c` has three, however it was parsed. */
function operands(node: Node, op: string): Node[] {
  return node.op === op ? (node.args as Node[]).flatMap((part) => operands(part, op)) : [node];
}

/** The source of a node, with the brackets around its first and last operand, which its bounds leave out. */
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

/** The compiled expressions of a condition's parts. */
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
  const { result, lookups } = trackLookups(() => judge(expression, context));
  const reads = readsAfter(expression.reads, context.get("self") as string | null, lookups);
  return { source, ...result, reads };
}

function judge(expression: Expression, context: Context): Omit<JudgedPart, "source"> {
  const { truthy, value, failure } = expression.judge(context);
  if (failure) return { truth: undefined, error: { code: failure.code, message: failure.message } };
  return { truth: truthy, ...(typeof value === "boolean" ? {} : { value }) };
}

/** The truth of a whole: `decisive` if one part is, else known only if all parts are. */
function decided(parts: JudgedCondition[], decisive: boolean): boolean | undefined {
  if (parts.some(({ truth }) => truth === decisive)) return decisive;
  return parts.some(({ truth }) => truth === undefined) ? undefined : !decisive;
}
