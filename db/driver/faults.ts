/** Tells that the database did not answer in time. `unknown`: whether a write may have been applied. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
  constructor(message: string, readonly unknown: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Tells the operator why no instance can use the database as it is set up. Later requests change nothing of it. */
export class DatabaseUnusable extends Error {}

/**
 * Says what a failed batch means for its submissions.
 * - `busy`: another writer held the database; nothing was applied, the batch may be sent again.
 * - `statement`: the statement at `index` failed; nothing was applied, the others may be sent again.
 * - `refused`: nothing was applied, and an immediate retry is useless (disk full, read-only, no such file).
 * - `large`: the rows exceed one answer; reads may be sent again in smaller batches.
 * - `lost`: no answer came; the batch may or may not have been applied.
 */
type Fault =
  | { kind: "busy" }
  | { kind: "statement"; index: number }
  | { kind: "refused" }
  | { kind: "large" }
  | { kind: "lost" };

const BUSY = /^SQLITE_(BUSY|LOCKED)/;
const REFUSED = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PERM|AUTH)/;
/** A server's code for an error at a position in a statement, such as a missing column. */
const INPUT = "SQL_INPUT_ERROR";

/**
 * Classifies an error of the libSQL client by what may be done about it. The client's errors have a `code`, the same
 * for a file and over HTTP; network faults come as raw TypeErrors and time-outs.
 */
export function faultOf(error: unknown): Fault {
  const { code, statementIndex } = error as { code?: unknown; statementIndex?: unknown };
  if (typeof code !== "string") return { kind: "lost" };
  if (BUSY.test(code)) return { kind: "busy" };
  if (code === "RESPONSE_TOO_LARGE") return { kind: "large" };
  if (REFUSED.test(code)) return { kind: "refused" };
  if ((code.startsWith("SQLITE_") || code === INPUT) && typeof statementIndex === "number") {
    return { kind: "statement", index: statementIndex };
  }
  return { kind: "lost" };
}

/** True where a statement named a missing table or column: nothing was applied. */
export function isSchemaMissing(error: unknown): boolean {
  return faultOf(error).kind === "statement" && /no such (table|column)/.test((error as Error).message);
}
