import type { Condition, Value } from "../driver/statement.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { type Admission, withinLimit } from "../write/admission.ts";
import { endsAt } from "../write/due.ts";
import { VIEW_SCOPE } from "./entry.ts";
import { chainOf } from "./edit_sql.ts";
import { added, EXPIRY } from "./entry_sql.ts";
import { bytesOf, type StateLimits, VIEW_BYTES } from "./explain_refusal.ts";
import type { Precondition } from "./preconditions.ts";

const ENTRY = (n: number) => `state WHERE room_id = :room AND scope = :scope${n} AND key = :key${n}`;
const LIVE = (n: number) => `EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted)`;

/** The conditions of a precondition (preconditions.ts) in SQL. */
const CONDITIONS = {
  absent: (n: number) => `NOT ${LIVE(n)}`,
  current: (n: number) => `EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted AND version = :current${n})`,
  base: (n: number) => `COALESCE((SELECT version FROM ${ENTRY(n)}), 0) = :base${n}`,
  integer: (n: number) =>
    `NOT EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted AND NOT (
       json_type(value) = 'integer' AND CAST(value AS INTEGER) BETWEEN :min${n} AND :max${n}))`,
  present: LIVE,
  never: () => "FALSE",
  edited: (n: number) => `(${chainOf("written", n)}) IS NOT NULL`,
};

/** Bounds the bytes of the views that a write leaves by the limit, or by what there was if that was more. */
const VIEWS_WITHIN = `(${VIEW_BYTES} AND key NOT IN (SELECT value FROM json_each(:view_keys))) + :view_bytes
       <= MAX(:most_view_bytes, (${VIEW_BYTES}))`;

/**
 * Binds preconditions; the n-th key is `:scope<n>` and `:key<n>`. `written`: a condition of how many edits change their
 * entries, which holds only if all can be made.
 */
function bound(
  preconditions: Precondition[],
  limits?: StateLimits,
  written?: "> 0" | "= 0",
): { where: string[]; args: Record<string, Value> } {
  const args: Record<string, Value> = editedIn(preconditions).length > 0
    ? { max_bytes: limits!.valueBytes }
    : {};
  const where: string[] = [];
  for (const [n, { scope, key, conditions }] of preconditions.entries()) {
    Object.assign(args, { [`scope${n}`]: scope, [`key${n}`]: key });
    for (const [name, bounds] of Object.entries(conditions)) {
      if (!written || name !== "edited") where.push(CONDITIONS[name as keyof typeof CONDITIONS](n));
      for (const bound in bounds) args[bound + n] = bounds[bound]!;
    }
  }
  if (written) where.push(`${writtenBy(preconditions)} ${written}`);
  return { where, args };
}

/** The numbers of the keys that edits write. */
function editedIn(preconditions: Precondition[]): number[] {
  return preconditions.flatMap(({ conditions }, n) => conditions.edited ? [n] : []);
}

/** Counts, in SQL, the writes of edited keys that change their entries. */
function writtenBy(preconditions: Precondition[]): string {
  return `(${["0", ...editedIn(preconditions).map((n) => `(${chainOf("written", n)})`)].join(" + ")})`;
}

/**
 * Admits writes of these keys under their preconditions, the limits, and the read set of a gate. `mayKeep`: each of
 * them may leave its entry as it is; one that does not makes them a write. `ttl`: the least of theirs.
 */
export function admitPut(
  preconditions: Precondition[],
  limits: StateLimits,
  { unchanged, mayKeep, ttl }: { unchanged: Condition; mayKeep: boolean; ttl?: number },
): Admission {
  const { where, args } = bound(preconditions, limits, mayKeep ? "> 0" : undefined);
  if (ttl !== undefined) args.ttl = ttl;
  const newOf = (written: Precondition[]) =>
    `(${written.map((write) => `(NOT ${LIVE(preconditions.indexOf(write))})`).join(" + ")})`;
  const [keys, views] = [preconditions, preconditions.filter(({ scope }) => scope === VIEW_SCOPE)];
  const within = [withinLimit("key_count", newOf(keys), ":most_keys")];
  if (views.length > 0) {
    within.push(withinLimit("view_count", newOf(views), ":most_views"), VIEWS_WITHIN);
    Object.assign(args, {
      most_views: limits.views,
      most_view_bytes: limits.viewBytes,
      view_bytes: views.reduce((sum, { expr }) => sum + bytesOf(expr!), 0),
      view_keys: JSON.stringify(views.map(({ key }) => key)),
    });
  }
  const counts = added(newOf(keys), views.length > 0 ? newOf(views) : undefined);
  return {
    counts: [...counts, ...ttl === undefined ? [] : endsAt("entries", EXPIRY)],
    requires: ttl === undefined ? undefined : RELEASE_OF_TASKS,
    where: [...within, ...where, unchanged.sql],
    args: { ...args, most_keys: limits.keys, ...unchanged.args },
  };
}

/** True where writes that `mayKeep` leave all their entries as they are, and so succeed without being admitted. */
export function keptBy(preconditions: Precondition[], limits: StateLimits, unchanged: Condition): Condition {
  const { where, args } = bound(preconditions, limits, "= 0");
  const conditions = ["id = :room", ...where, unchanged.sql];
  return {
    sql: `EXISTS (SELECT 1 FROM rooms WHERE ${conditions.join(" AND ")})`,
    args: { ...args, ...unchanged.args },
  };
}

/** Admits a delete. */
export function admitDelete(precondition: Precondition, unchanged: Condition): Admission {
  const { where, args } = bound([precondition]);
  return {
    counts: added("-1", precondition.scope === VIEW_SCOPE ? "-1" : undefined),
    where: [...where, unchanged.sql],
    args: { ...args, ...unchanged.args },
  };
}
