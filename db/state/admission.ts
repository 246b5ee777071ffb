import type { Condition, Value } from "../driver/statement.ts";
import { type Admission, withinLimit } from "../write/admission.ts";
import { VIEW_SCOPE } from "./entry.ts";
import { added } from "./entry_sql.ts";
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
};

/** Bounds the bytes of the views that a write leaves by the limit, or by what there was if that was more. */
const VIEWS_WITHIN = `(${VIEW_BYTES} AND key NOT IN (SELECT value FROM json_each(:view_keys))) + :view_bytes
       <= MAX(:most_view_bytes, (${VIEW_BYTES}))`;

/** Binds preconditions; the n-th key is `:scope<n>` and `:key<n>`. */
function bound(preconditions: Precondition[]): { where: string[]; args: Record<string, Value> } {
  const args: Record<string, Value> = {};
  const where: string[] = [];
  for (const [n, { scope, key, conditions }] of preconditions.entries()) {
    Object.assign(args, { [`scope${n}`]: scope, [`key${n}`]: key });
    for (const [name, bounds] of Object.entries(conditions)) {
      where.push(CONDITIONS[name as keyof typeof CONDITIONS](n));
      for (const bound in bounds) args[bound + n] = bounds[bound]!;
    }
  }
  return { where, args };
}

/** Admits writes of these keys under their preconditions, the limits, and the read set of a gate. */
export function admitPut(
  preconditions: Precondition[],
  limits: StateLimits,
  unchanged: Condition,
): Admission {
  const { where, args } = bound(preconditions);
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
  return {
    counts: added(newOf(keys), views.length > 0 ? newOf(views) : undefined),
    where: [...within, ...where, unchanged.sql],
    args: { ...args, most_keys: limits.keys, ...unchanged.args },
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
