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

/** What all writes of one key together ask of the entry as it is before the first of them. */
export interface Precondition {
  scope: string;
  key: string;
  /** The expression that the last of them leaves, of a computed view. */
  expr?: string;
  conditions: {
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

/** Writes of one key so far: how many, the sum of their increments, what was put if anything. */
interface Sequence {
  precondition: Precondition;
  written: number;
  sum: number;
  low: number;
  high: number;
  known?: Json;
}

/**
 * Makes one precondition a key of writes, so that the database can judge a batch whose later writes see the earlier
 * ones in a single condition: after n writes of a key its version is n higher, and its value is what was put, or
 * the stored number with the increments added.
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

/** The precondition of a delete, which needs something to delete. */
export function preconditionOfDelete(write: StateWrite): Precondition {
  const [precondition] = preconditionsOf([write]);
  precondition!.conditions.present = {};
  return precondition!;
}

/** What `if_version` asks of an entry that is at `version`, 0 where there is none. The same as `absent` and `current`. */
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

/** The sum, or undefined where the current value is no number or the result is beyond ±(2^53 - 1). */
export function add(current: Json, delta: number): number | undefined {
  if (typeof current !== "number") return undefined;
  const sum = current + delta;
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : undefined;
}
