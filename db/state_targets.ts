import type { Json } from "./json.ts";
import type { Row } from "./lane.ts";
import { Refusal } from "./refusal.ts";
import { type Entry, toEntry, versionConflict, VIEW_SCOPE } from "./state.ts";

/** One write of a key: a value, an expression (a computed view), or an amount to add to the current number. */
export interface StateWrite {
  scope: string;
  key: string;
  value?: Json;
  expr?: string;
  delta?: number;
  ifVersion?: number;
}

/** The most keys and views that a room holds. */
export interface StateLimits {
  keys: number;
  views: number;
}

/** What all writes of one key together demand of the entry as it is before the first of them. */
export interface Target {
  scope: string;
  key: string;
  demands: {
    /** There is no such key. */
    absent?: Bounds;
    /** The key exists at this version. */
    current?: Bounds;
    /** The key, or the tombstone that is left of it, is at this version; 0: there was never one. */
    base?: Bounds;
    /** What is stored, if anything is, is a number within these bounds. */
    number?: Bounds;
    /** The key exists: an increment would leave the range if it began at 0. */
    present?: Bounds;
    /** The writes contradict each other, or what they themselves put. */
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
    if (sum === undefined) demands.never = {};
    else fold.known = sum;
    return;
  }
  fold.sum += delta;
  fold.low = Math.min(fold.low, fold.sum);
  fold.high = Math.max(fold.high, fold.sum);
  const [least, most] = [-Number.MAX_SAFE_INTEGER - fold.low, Number.MAX_SAFE_INTEGER - fold.high];
  if (!Number.isFinite(fold.sum)) demands.never = {};
  else demands.number = { least, most };
  if (least > 0 || most < 0) demands.present = {};
}

/** The sum, or undefined where the current value is no number or the result is beyond ±(2^53 - 1). */
function add(current: Json, delta: number): number | undefined {
  if (typeof current !== "number") return undefined;
  const sum = current + delta;
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : undefined;
}

/** A key as a write in the middle of a batch finds it. */
interface Seen {
  live: boolean;
  version: number;
  value: Json;
}

/**
 * Finds the first write that a refused batch failed on. `rows` hold the room's counts, each beside what is stored
 * of one target (null columns where nothing is); nothing of the batch was applied.
 */
export function explainRefusal(
  { writes, limits, batch }: { writes: StateWrite[]; limits: StateLimits; batch: boolean },
  rows: Row[],
): Refusal {
  const stored = new Map(
    rows.filter((row) => row.key !== null).map((row) => [idOf(row as { scope: string; key: string }), row]),
  );
  const current = (write: StateWrite) => {
    const row = stored.get(idOf(write));
    return row && !row.deleted ? toEntry(row) : null;
  };
  const seen = new Map<string, Seen>();
  for (const [id, row] of stored) {
    seen.set(id, {
      live: !row.deleted,
      version: Number(row.version),
      value: JSON.parse(row.value as string),
    });
  }
  const revision = Number(rows[0]!.room_revision);
  const counts = { keys: Number(rows[0]!.key_count), views: Number(rows[0]!.view_count) };
  for (const [index, write] of writes.entries()) {
    const details = batch ? { index } : {};
    const entry = seen.get(idOf(write)) ?? { live: false, version: 0, value: null };
    if (write.ifVersion !== undefined && write.ifVersion !== (entry.live ? entry.version : 0)) {
      return versionConflict(write, write.ifVersion, current(write), revision, details);
    }
    const value = write.delta === undefined
      ? write.value ?? null
      : add(entry.live ? entry.value : 0, write.delta);
    if (value === undefined) return notANumber(write, current(write), revision, details);
    const full = entry.live ? undefined : countNew(write, counts, limits);
    if (full) return new Refusal("limit_reached", full, details, revision);
    seen.set(idOf(write), { live: true, version: entry.version + 1, value });
  }
  // Sums of fractions at the very bound may round differently when they are added up in another order.
  const index = writes.findLastIndex((write) => write.delta !== undefined);
  if (index < 0) throw new Error("A write was refused for no reason that can be found.");
  return notANumber(writes[index]!, current(writes[index]!), revision, batch ? { index } : {});
}

function idOf({ scope, key }: { scope: string; key: string }): string {
  return JSON.stringify([scope, key]);
}

/** Counts a new key; says so where it is one too many. */
function countNew(write: StateWrite, counts: StateLimits, limits: StateLimits): string | undefined {
  if (++counts.keys > limits.keys) return `A room holds at most ${limits.keys} keys.`;
  if (write.scope === VIEW_SCOPE && ++counts.views > limits.views) {
    return `A room holds at most ${limits.views} views.`;
  }
}

function notANumber(
  write: StateWrite,
  current: Entry | null,
  revision: number,
  details: Record<string, unknown>,
): Refusal {
  const place = `${JSON.stringify(write.key)} in ${JSON.stringify(write.scope)}`;
  return new Refusal("not_a_number", `${place} cannot be incremented by ${write.delta}.`, {
    ...details,
    current,
    hint: "Only a number can be incremented, and the result must lie within ±(2^53 - 1).",
  }, revision);
}
