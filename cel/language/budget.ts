import { EvaluationFailed } from "./errors.ts";

/**
 * The budget of one evaluation in steps of 10 to 100 ns: evaluating a node, visiting an element, building 16
 * characters. Measured so that the worst known expression ends within 20 ms.
 */
export const STEP_BUDGET = 150_000;

/** The cost of an error that `&&`, `||`, `all` or `exists` absorbs: it has captured a stack. */
export const FAILURE_COST = 150;

let remaining = 0;
/** The budget of the running evaluation, and the steps of parts of it that have budgets of their own. */
let budget = 0;
let apart = 0;
/** What is left of the budgets beside that of the running evaluation. */
let beside = new Map<string, number>();
let running = false;
let blown = false;
let reason: Reason;

interface Reason {
  readonly message: string;
  readonly hint: string;
}

const STEPS: Reason = {
  message: "The expression needs more steps than one evaluation may take",
  hint: "Loop over less: a scope, a shorter list, fewer nested loops.",
};

/** Ends an evaluation. Nothing in the language catches it. */
class BudgetBlown extends Error {
  override readonly name = "BudgetBlown";
}

/** Takes steps from the running evaluation's budget. Called before the work, so that none begins that it cannot afford. */
export function charge(steps: number): void {
  if (blown || (remaining -= steps) < 0) {
    blown = true;
    throw new BudgetBlown();
  }
}

/** Ends an evaluation as `charge` does, for another reason. */
export function exceed(message: string, hint: string): never {
  blown = true;
  reason = { message, hint };
  throw new BudgetBlown();
}

/** True for errors that `&&`, `||`, `all` and `exists` must not absorb: a spent budget, a stack overflow. */
export function isFatal(error: unknown): boolean {
  return error instanceof BudgetBlown || error instanceof RangeError;
}

/**
 * Runs an evaluation under a budget of its own, of `steps`, or under that of the evaluation around it. Once spent, the
 * budget fails this evaluation and all around it with `budget_exceeded`, even if the error was caught. A stack overflow
 * counts as spent, since it may have left anything half done.
 */
export function underBudget<T>(evaluation: () => T, steps = STEP_BUDGET): T {
  if (running) return settle(evaluation);
  running = true;
  blown = false;
  reason = STEPS;
  remaining = budget = steps;
  apart = 0;
  if (beside.size > 0) beside = new Map();
  try {
    return settle(evaluation);
  } finally {
    running = false;
  }
}

/**
 * Runs a part of an evaluation under the budget of its owner, so that the evaluation around it ends as if the part had
 * taken nothing. All parts of an owner share one: of as much as an evaluation may take in all, one of `owners` parts.
 */
export function underOwnBudget<T>(owner: string, owners: number, part: () => T): T {
  if (!running) return part();
  const around = { remaining, blown, reason };
  const own = remaining = beside.get(owner) ?? Math.floor(STEP_BUDGET / owners);
  [blown, reason] = [false, STEPS];
  try {
    return part();
  } finally {
    apart += own - remaining;
    beside.set(owner, remaining);
    ({ remaining, blown, reason } = around);
  }
}

function settle<T>(evaluation: () => T): T {
  try {
    const result = evaluation();
    if (!blown) return result;
  } catch (error) {
    if (isFatal(error)) blown = true;
    if (!blown) throw error;
  }
  throw new EvaluationFailed("budget_exceeded", reason.message, undefined, reason.hint);
}

/** The steps that the last evaluation took, those of parts with budgets of their own included. */
export function stepsTaken(): number {
  return budget - remaining + apart;
}
