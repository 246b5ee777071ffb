import type { Json } from "../json.ts";
import { type Step, stepsOf } from "./edit_sql.ts";
import { add } from "./compute.ts";
import { idOf, mayKeep, type StateWrite } from "./put.ts";

/** What all writes of one key require of its entry before the first of them. */
export interface Precondition {
  scope: string;
  key: string;
  /** The expression that the last of them leaves, of a view. */
  expr?: string;
  conditions: {
    /** The key is absent. */
    absent?: Bounds;
    /** The entry has this version. */
    current?: Bounds;
    /** The entry or tombstone has this version; 0 if there is neither. */
    base?: Bounds;
    /** The stored value, if any, is a whole number within these bounds. */
    integer?: Bounds;
    /** The key is there: an increment that began at 0 would leave the range. */
    present?: Bounds;
    /** Always false: the writes contradict each other or what they put, or add to a fraction that they put. */
    never?: Bounds;
    /** All steps of the writes can be taken. They are JSON (edit_sql.ts). */
    edited?: Bounds;
  };
}

type Bounds = Record<string, number | string>;

/** The writes of one key so far. */
interface Sequence {
  precondition: Precondition;
  /** How many of them write. */
  written: number;
  /** The sum of their increments, and its lowest and highest value so far. */
  sum: number;
  low: number;
  high: number;
  /** The value that they leave, if one of them has put one. */
  known?: Json;
}

/**
 * Makes one precondition for each key, so that one statement judges a batch whose writes see the earlier ones: after n
 * writes the version of a key is n higher, and its value is the one put, or the stored number plus the increments.
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

/** Makes the precondition of a key of whose writes some are edits: each is judged by what it finds. */
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

/** Makes the precondition of a delete: the key must be there. */
export function preconditionOfDelete(write: StateWrite): Precondition {
  const [precondition] = preconditionsOf([write]);
  precondition!.conditions.present = {};
  return precondition!;
}

/** Whether an entry satisfies `if_version`. `version` is 0 where the key is absent. */
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
