import type { Part } from "../bus.ts";
import type { Condition, Statement } from "../driver/statement.ts";
import { WRITABLE } from "./due.ts";

/**
 * Advances the room's revision and its part's by `by`, assigns `counts`, and stores the nonce in `admitted`, which lets
 * the effects act. `moves`: the assignments of parts' revisions, by default the part's alone. Append FROM or WHERE.
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

/** True in the effects of a write exactly if it was admitted. */
export const ADMITTED = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND admitted = :nonce)`;

/** Finds, in the effects of a write, the room's row if the write was admitted. Its `revision` is the write's. */
export const FROM_ADMITTED = `FROM rooms WHERE id = :room AND admitted = :nonce`;

/** The revision of the write, in its effects; null if it was not admitted. */
export const NEW_REVISION = `(SELECT revision ${FROM_ADMITTED})`;

/** Makes the condition that a count stays within its limit, or that nothing is added. */
export function withinLimit(count: string, added: string, limit: string): string {
  return `(${count} + ${added} <= ${limit} OR ${added} = 0)`;
}

/** The preconditions of a write, and what its admission assigns to the room's row. */
export interface Admission {
  /** Assignments of the revisions of parts, by default of the write's part. */
  moves?: string[];
  /** Assignments of the room's counts. */
  counts?: string[];
  /** The preconditions, on the room's row. */
  where: string[];
  args: Statement["args"];
  /** The oldest release that may serve the room from now on, if the write brings what older ones would break. */
  requires?: number;
  /** True of the row of a room that takes the write, by default `WRITABLE`. */
  writable?: string;
}

/**
 * Makes the statement that decides a write. It returns `revision` and `guarded` of the room's row if it admits the
 * write. `further`: more preconditions.
 */
export function admit(
  { room, part, nonce, admission }: { room: string; part: Part; nonce: string; admission: Admission },
  further: Condition[] = [],
): Statement {
  const { counts = [], where, args, requires, writable = WRITABLE, moves } = admission;
  const conditions = ["id = :room", writable, ...where, ...further.map((condition) => condition.sql)].join(
    "\n     AND ",
  );
  const raised = requires === undefined ? [] : [`requires = MAX(requires, ${requires})`];
  const sql = `${
    advance(part, [...counts, ...raised], undefined, moves)
  }\n   WHERE ${conditions}\n  RETURNING revision, guarded`;
  return {
    sql,
    args: Object.assign({ ...args, room, nonce }, ...further.map((condition) => condition.args)),
    single: true,
  };
}
