import type { Json } from "../json.ts";
import type { Edit } from "./edit.ts";
import { type Step, stepsOf } from "./edit_sql.ts";

/** Writes a key: a value, the expression of a view, an amount to add to the current number, or an edit of the value. */
export interface StateWrite {
  scope: string;
  key: string;
  value?: Json;
  expr?: string;
  delta?: number;
  edit?: Edit;
  ifVersion?: number;
  /** Seconds after which the key is deleted; it stays without. */
  ttl?: number;
  /** Set where `value` was computed from the entry: `kept` if it is the entry's own, so that nothing is written. */
  computed?: "changed" | "kept";
}

/** Whether a write may leave its entry as it is, and then is none. */
export function mayKeep({ edit, computed }: StateWrite): boolean {
  return edit?.kind === "remove" || computed === "kept";
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
    /** The steps of the writes, JSON, can all be taken (edit_sql.ts). */
    edited?: Bounds;
  };
}

type Bounds = Record<string, number | string>;

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
  return [...Map.groupBy(writes, idOf).values()].map((own) =>
    own.some(({ edit }) => edit) ? preconditionOfEdits(own) : preconditionOfKey(own)
  );
}

function preconditionOfKey(writes: StateWrite[]): Precondition {
  const { scope, key } = writes[0]!;
  const precondition: Precondition = { scope, key, conditions: {} };
  const sequence: Sequence = { precondition, written: 0, sum: 0, low: 0, high: 0 };
  for (const write of writes) {
    if (write.expr !== undefined) precondition.expr = write.expr;
    if (write.ifVersion !== undefined) requireVersion(sequence, write.ifVersion);
    if (write.delta === undefined) sequence.known = write.value ?? null;
    else requireNumber(sequence, write.delta);
    if (write.computed !== "kept") sequence.written++;
  }
  return precondition;
}

/** Makes the precondition of a key whose writes are edits or stand beside some: what each of them finds decides. */
function preconditionOfEdits(writes: StateWrite[]): Precondition {
  const { scope, key } = writes[0]!;
  const precondition: Precondition = { scope, key, conditions: {} };
  const steps: Step[] = [];
  for (const [n, write] of writes.entries()) {
    const { ifVersion, delta, edit, value = null } = write;
    if (ifVersion !== undefined && n > 0) steps.push({ kind: "version", version: ifVersion });
    else if (ifVersion !== undefined) requireVersion({ precondition, written: 0 }, ifVersion);
    if (edit) steps.push(...stepsOf(edit));
    else if (delta !== undefined) steps.push({ kind: "add", delta });
    else steps.push({ kind: "put", text: JSON.stringify(value) });
    steps.push({ kind: "end", always: !mayKeep(write) });
  }
  precondition.conditions.edited = { steps: JSON.stringify(steps) };
  return precondition;
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

function requireVersion(
  { precondition: { conditions }, written }: Pick<Sequence, "precondition" | "written">,
  version: number,
) {
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
