import type { Json } from "../json.ts";

/** One write of a key: a value, an expression (a computed view), or an amount to add to the current number. */
export interface StateWrite {
  scope: string;
  key: string;
  value?: Json;
  expr?: string;
  delta?: number;
  ifVersion?: number;
}

/** What all writes of one key together demand of the entry as it is before the first of them. */
export interface Target {
  scope: string;
  key: string;
  /** The expression that the last of them leaves, of a computed view. */
  expr?: string;
  demands: {
    /** There is no such key. */
    absent?: Bounds;
    /** The key exists at this version. */
    current?: Bounds;
    /** The key, or the tombstone that is left of it, is at this version; 0: there was never one. */
    base?: Bounds;
    /** What is stored, if anything is, is a whole number within these bounds. */
    integer?: Bounds;
    /** The key exists: an increment would leave the range if it began at 0. */
    present?: Bounds;
    /** The writes contradict each other or what they put, or add to a fraction that they put. */
    never?: Bounds;
  };
}

type Bounds = Record<string, number>;

/** A target in the making: how often it was written, the sum of its increments so far, what was put if anything. */
interface Fold {
  target: Target;
  written: number;
  sum: number;
  low: number;
  high: number;
  known?: Json;
}

/**
 * Folds writes into one target a key, so that the database can judge a batch whose later writes see the earlier
 * ones in a single condition: after n writes of a key its version is n higher, and its value is what was put, or
 * the stored number with the increments added.
 */
export function targetsOf(writes: StateWrite[]): Target[] {
  const folds = new Map<string, Fold>();
  for (const write of writes) {
    const { scope, key } = write;
    const fold = folds.get(idOf(write)) ??
      { target: { scope, key, demands: {} }, written: 0, sum: 0, low: 0, high: 0 };
    folds.set(idOf(write), fold);
    if (write.expr !== undefined) fold.target.expr = write.expr;
    if (write.ifVersion !== undefined) demandVersion(fold, write.ifVersion);
    if (write.delta === undefined) fold.known = write.value ?? null;
    else demandNumber(fold, write.delta);
    fold.written++;
  }
  return [...folds.values()].map(({ target }) => target);
}

function demandVersion({ target: { demands }, written }: Fold, version: number) {
  if (written === 0) {
    demands[version === 0 ? "absent" : "current"] = version === 0 ? {} : { current: version };
  } else if (demands.base && demands.base.base !== version - written) demands.never = {};
  else demands.base = { base: version - written };
}

function demandNumber(fold: Fold, delta: number) {
  const { demands } = fold.target;
  if (fold.known !== undefined) {
    const sum = add(fold.known, delta);
    if (sum === undefined || !Number.isInteger(fold.known)) demands.never = {};
    if (sum !== undefined) fold.known = sum;
    return;
  }
  fold.sum += delta;
  fold.low = Math.min(fold.low, fold.sum);
  fold.high = Math.max(fold.high, fold.sum);
  const [least, most] = [-Number.MAX_SAFE_INTEGER - fold.low, Number.MAX_SAFE_INTEGER - fold.high];
  if (!Number.isFinite(fold.sum)) demands.never = {};
  else demands.integer = { least, most };
  if (least > 0 || most < 0) demands.present = {};
}

export function idOf({ scope, key }: { scope: string; key: string }): string {
  return JSON.stringify([scope, key]);
}

/** The sum, or undefined where the current value is no number or the result is beyond ±(2^53 - 1). */
export function add(current: Json, delta: number): number | undefined {
  if (typeof current !== "number") return undefined;
  const sum = current + delta;
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : undefined;
}
