import type { Part } from "../bus.ts";
import type { Condition, Statement } from "../driver/statement.ts";
import { SERVED } from "../release.ts";

/**
 * Advances rooms by `by` revisions, the part's with them, and sets `counts`; `admitted` tells the write's effects that
 * they may act. The statement goes on with FROM or WHERE.
 */
export function advance(part: Part, counts: string[] = [], by = "1"): string {
  const set = [`revision = revision + ${by}`, `${part}_revision = revision + ${by}`, ...counts];
  return `UPDATE rooms SET ${set.join(", ")}, admitted = :nonce`;
}

/** True, inside an effect, exactly when its own write was admitted. */
export const ADMITTED = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND admitted = :nonce)`;

/** How an effect selects the room row of its own admitted write, whose `revision` is the write's. */
export const FROM_ADMITTED = `FROM rooms WHERE id = :room AND admitted = :nonce`;

/** True where a room takes so many more of what it counts, or none are added. */
export function withinLimit(count: string, added: string, limit: string): string {
  return `(${count} + ${added} <= ${limit} OR ${added} = 0)`;
}

/** What admits a write: its preconditions, on the room's row. */
export interface Admission {
  /** What it adds to the counts of the room, as assignments. */
  counts?: string[];
  where: string[];
  args: Statement["args"];
  /** True where older releases than the room needs may do it as well. */
  byAnyRelease?: boolean;
}

/** The statement that decides a write; where it is admitted a row has its `revision`. `held`: its idempotency key is. */
export function admit(
  { room, part, nonce, admission }: { room: string; part: Part; nonce: string; admission: Admission },
  held?: Condition,
): Statement {
  const { counts, where, args, byAnyRelease } = admission;
  const served = byAnyRelease ? [] : [SERVED];
  const conditions = ["id = :room", ...served, ...where, ...(held ? [held.sql] : [])].join("\n     AND ");
  const sql = `${advance(part, counts)}\n   WHERE ${conditions}\n  RETURNING revision`;
  return { sql, args: { ...args, ...held?.args, room, nonce }, single: true };
}
