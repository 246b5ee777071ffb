import type { BoundGuard } from "../write/read_set.ts";
import { SERVED } from "../release.ts";
import { VIEW_SCOPE } from "./entry.ts";
import { bytesOf, type StateLimits, VIEW_BYTES } from "./explain_refusal.ts";
import type { Target } from "./preconditions.ts";
import type { Statement, Value } from "../driver/statement.ts";

const ENTRY = (n: number) => `state WHERE room_id = :room AND scope = :scope${n} AND key = :key${n}`;
const LIVE = (n: number) => `EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted)`;

/** What one target demands of its entry (preconditions.ts), as conditions on what is stored. */
const DEMANDS = {
  absent: (n: number) => `NOT ${LIVE(n)}`,
  current: (n: number) => `EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted AND version = :current${n})`,
  base: (n: number) => `COALESCE((SELECT version FROM ${ENTRY(n)}), 0) = :base${n}`,
  integer: (n: number) =>
    `NOT EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted AND NOT (
       json_type(value) = 'integer' AND CAST(value AS INTEGER) BETWEEN :least${n} AND :most${n}))`,
  present: LIVE,
  never: () => "FALSE",
};

/** What a write leaves of the room's views, in bytes: more than is allowed only where that is not more than before. */
const VIEWS_WITHIN = `(${VIEW_BYTES} AND key NOT IN (SELECT value FROM json_each(:view_keys))) + :view_bytes
       <= MAX(:most_view_bytes, (${VIEW_BYTES}))`;

/** Admits a write of these targets; `views` are the places of those that are computed views. */
const ADMIT_PUT = (targets: number, views: number[], conditions: string[]) => {
  const fresh = (places: number[]) => places.map((n) => `(NOT ${LIVE(n)})`).join(" + ");
  const all = fresh(Array.from({ length: targets }, (_, n) => n));
  const within = (count: string, added: string, most: string) =>
    `(${count} + ${targets} <= ${most} OR ${count} + ${added} <= ${most})`;
  const viewed = views.length === 0 ? { set: "", conditions: [] } : {
    set: `views_revision = revision + 1, view_count = view_count + ${fresh(views)},`,
    conditions: [within("view_count", fresh(views), ":most_views"), VIEWS_WITHIN],
  };
  return `
  UPDATE rooms SET
    revision = revision + 1,
    state_revision = revision + 1,
    key_count = key_count + ${all}, ${viewed.set}
    admitted = :nonce
   WHERE ${
    ["id = :room", SERVED, within("key_count", all, ":most_keys"), ...viewed.conditions, ...conditions].join(
      "\n     AND ",
    )
  }
  RETURNING revision`;
};

/** The admission of writes of these targets: what they demand, the limits, and the gate's guard. */
export function admitPut(
  room: string,
  nonce: string,
  targets: Target[],
  limits: StateLimits,
  guard: BoundGuard,
): Statement {
  const args: Record<string, Value> = { room, nonce, most_keys: limits.keys };
  const conditions: string[] = [];
  const views: number[] = [];
  for (const [n, target] of targets.entries()) {
    Object.assign(args, { [`scope${n}`]: target.scope, [`key${n}`]: target.key });
    if (target.scope === VIEW_SCOPE) views.push(n);
    for (const [demand, bounds] of Object.entries(target.demands)) {
      conditions.push(DEMANDS[demand as keyof typeof DEMANDS](n));
      for (const name in bounds) args[name + n] = bounds[name]!;
    }
  }
  if (views.length > 0) {
    const written = views.map((n) => targets[n]!);
    Object.assign(args, {
      most_views: limits.views,
      most_view_bytes: limits.viewBytes,
      view_bytes: written.reduce((sum, { expr }) => sum + bytesOf(expr!), 0),
      view_keys: JSON.stringify(written.map(({ key }) => key)),
    });
  }
  if (guard.guarded) conditions.push(guard.unmoved);
  return { sql: ADMIT_PUT(targets.length, views, conditions), args: { ...args, ...guard.args } };
}
