import { EvaluationFailed } from "./errors.ts";

/**
 * What one evaluation may cost, in steps of 10 to 100 ns: the evaluation of a node, the visit of an
 * element, 16 characters built. Measured so that the worst expression known ends within 20 ms.
 */
export const STEP_BUDGET = 150_000;

/** What an error caught by `&&`, `||`, `all` or `exists` costs: it captured a stack. */
export const FAILURE_COST = 150;

let remaining = 0;
let running = false;
let blown = false;

/** Ends an evaluation from within. Nothing in the language catches it. */
class BudgetBlown extends Error {
  override readonly name = "BudgetBlown";
}

/** Pay before the work is done, so that what cannot be paid for is never begun. */
export function charge(steps: number): void {
  if (blown || (remaining -= steps) < 0) {
    blown = true;
    throw new BudgetBlown();
  }
}

/** True for what `&&`, `||`, `all`, `exists` must let through: the budget, and a stack that ran out. */
export function isFatal(error: unknown): boolean {
  return error instanceof BudgetBlown || error instanceof RangeError;
}

/**
 * Runs one evaluation under a budget of its own, or, within another evaluation, under that one's. Blown is
 * sticky: it fails this evaluation and every one around it with `budget_exceeded`, whatever was caught on
 * the way. A stack that ran out counts as blown, since what it left undone cannot be told.
 */
export function underBudget<T>(evaluation: () => T): T {
  if (running) return settle(evaluation);
  running = true;
  blown = false;
  remaining = STEP_BUDGET;
  try {
    return settle(evaluation);
  } finally {
    running = false;
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
  throw new EvaluationFailed(
    "budget_exceeded",
    "The expression needs more steps than one evaluation may take",
    undefined,
    "Loop over less: a scope, a shorter list, fewer nested loops.",
  );
}

/** The steps that are left to the running evaluation; for tests and measurements. */
export function stepsLeft(): number {
  return remaining;
}
