import type { Part } from "../bus.ts";
import type { Condition, Statement } from "../driver/statement.ts";
import { THERE } from "../release.ts";
import { WRITABLE } from "./due.ts";

/**
 * Advances a room and its part by `by` revisions, and sets `counts`. `admitted` lets the write's effects act. `moves`:
 * what is assigned in place of the part's revision. Append FROM or WHERE.
 */
export function advance(
  part: Part,
  counts: string[] = [],
  by = "1",
  moves = [`${part}_revision = revision + ${by}`],
): string {
  const set = [`revision = revision + ${by}`, ...moves, ...counts];
  return `UPDATE rooms SET ${set.join(", ")}, admitted = :nonce`;
}

/** True inside an effect exactly when its write was admitted. */
export const ADMITTED = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND admitted = :nonce)`;

/** Selects, inside an effect, the room's row if its write was admitted: `revision` is the write's. */
export const FROM_ADMITTED = `FROM rooms WHERE id = :room AND admitted = :nonce`;

/** True where a count stays within its limit, or nothing is added. */
export function withinLimit(count: string, added: string, limit: string): string {
  return `(${count} + ${added} <= ${limit} OR ${added} = 0)`;
}

/** Admits a write by its preconditions, on the room's row. */
export interface Admission {
  /** Assignments of the revisions of parts, where the part of the write alone does not tell. */
  moves?: string[];
  /** Assignments to the counts of the room. */
  counts?: string[];
  where: string[];
  args: Statement["args"];
  /** The oldest release that may serve the room from now on, if the write brings what older ones would break. */
  requires?: number;
  /** Whether releases older than the room requires may make it too. */
  byAnyRelease?: boolean;
}

/** Makes the statement that decides a write; if admitted, it returns `revision`. `further`: on the room's row too. */
export function admit(
  { room, part, nonce, admission }: { room: string; part: Part; nonce: string; admission: Admission },
  further: Condition[] = [],
): Statement {
  const { counts = [], where, args, requires, byAnyRelease, moves } = admission;
  const writable = [byAnyRelease ? THERE : WRITABLE];
  const conditions = ["id = :room", ...writable, ...where, ...further.map((condition) => condition.sql)].join(
    "\n     AND ",
  );
  const raised = requires === undefined ? [] : [`requires = MAX(requires, ${requires})`];
  const sql = `${
    advance(part, [...counts, ...raised], undefined, moves)
  }\n   WHERE ${conditions}\n  RETURNING revision`;
  return {
    sql,
    args: Object.assign({ ...args, room, nonce }, ...further.map((condition) => condition.args)),
    single: true,
  };
}
