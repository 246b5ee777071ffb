import type { Json } from "../json.ts";

/** Writes a key: a value, the expression of a view, or an amount to add to the current number. */
export interface StateWrite {
  scope: string;
  key: string;
  value?: Json;
  expr?: string;
  delta?: number;
  ifVersion?: number;
}

/** What all writes of one key together require of the entry before the first of them. */
export interface Precondition {
  scope: string;
  key: string;
  /** The expression that the last of them leaves, of a view. */
  expr?: string;
  conditions: {
    /** The key does not exist. */
    absent?: Bounds;
    /** The key exists at this version. */
    current?: Bounds;
    /** The key or its tombstone is at this version; 0: neither exists. */
    base?: Bounds;
    /** The stored value, if any, is a whole number within these bounds. */
    integer?: Bounds;
    /** The key exists: an increment would leave the range if it began at 0. */
    present?: Bounds;
    /** The writes contradict each other or what they put, or add to a fraction that they put. */
    never?: Bounds;
  };
}

type Bounds = Record<string, number>;

/** The writes of one key so far: their count, the sum of their increments, and the value put if any. */
interface Sequence {
  precondition: Precondition;
  written: number;
  sum: number;
  low: number;
  high: number;
  known?: Json;
}

/**
 * Makes one precondition for each key, so that a single condition judges a batch whose writes see the earlier ones:
 * after n writes a key's version is n higher, and its value is the one put, or the stored number plus the increments.
 */
export function preconditionsOf(writes: StateWrite[]): Precondition[] {
  const sequences = new Map<string, Sequence>();
  for (const write of writes) {
    const { scope, key } = write;
    const sequence = sequences.get(idOf(write)) ??
      { precondition: { scope, key, conditions: {} }, written: 0, sum: 0, low: 0, high: 0 };
    sequences.set(idOf(write), sequence);
    if (write.expr !== undefined) sequence.precondition.expr = write.expr;
    if (write.ifVersion !== undefined) requireVersion(sequence, write.ifVersion);
    if (write.delta === undefined) sequence.known = write.value ?? null;
    else requireNumber(sequence, write.delta);
    sequence.written++;
  }
  return [...sequences.values()].map(({ precondition }) => precondition);
}

/** Makes the precondition of a delete, which requires an entry. */
export function preconditionOfDelete(write: StateWrite): Precondition {
  const [precondition] = preconditionsOf([write]);
  precondition!.conditions.present = {};
  return precondition!;
}

/** Checks `if_version` as `absent` and `current` do; `version` is 0 where there is no entry. */
export function isVersion(ifVersion: number | undefined, version: number): boolean {
  return ifVersion === undefined || ifVersion === version;
}

function requireVersion({ precondition: { conditions }, written }: Sequence, version: number) {
  if (written === 0) {
    conditions[version === 0 ? "absent" : "current"] = version === 0 ? {} : { current: version };
  } else if (conditions.base && conditions.base.base !== version - written) conditions.never = {};
  else conditions.base = { base: version - written };
}

function requireNumber(sequence: Sequence, delta: number) {
  const { conditions } = sequence.precondition;
  if (sequence.known !== undefined) {
    const sum = add(sequence.known, delta);
    if (sum === undefined || !Number.isInteger(sequence.known)) conditions.never = {};
    if (sum !== undefined) sequence.known = sum;
    return;
  }
  sequence.sum += delta;
  sequence.low = Math.min(sequence.low, sequence.sum);
  sequence.high = Math.max(sequence.high, sequence.sum);
  const [min, max] = [-Number.MAX_SAFE_INTEGER - sequence.low, Number.MAX_SAFE_INTEGER - sequence.high];
  if (!Number.isFinite(sequence.sum)) conditions.never = {};
  else conditions.integer = { min, max };
  if (min > 0 || max < 0) conditions.present = {};
}

export function idOf({ scope, key }: { scope: string; key: string }): string {
  return JSON.stringify([scope, key]);
}

/** Adds; undefined where the current value is no number or the sum is beyond ±(2^53 - 1). */
export function add(current: Json, delta: number): number | undefined {
  if (typeof current !== "number") return undefined;
  const sum = current + delta;
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : undefined;
}
