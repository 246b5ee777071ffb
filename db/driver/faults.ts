/** The database did not answer, or not in time. `unknown`: a write may or may not have been applied. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
  constructor(message: string, readonly unknown: boolean, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * What a failed batch means for those who shared it.
 * - `busy`: another writer was at it; nothing was applied, the same batch may be sent again.
 * - `statement`: the statement at `index` is wrong; nothing was applied, the others may be sent again.
 * - `refused`: nothing was applied and trying again at once is of no use (disk full, read-only, no such file).
 * - `large`: the rows are more than one answer holds; reads may be sent again in smaller batches.
 * - `lost`: no answer came; the batch may or may not have been applied.
 */
export type Fault =
  | { kind: "busy" }
  | { kind: "statement"; index: number }
  | { kind: "refused" }
  | { kind: "large" }
  | { kind: "lost" };

const BUSY = /^SQLITE_(BUSY|LOCKED)/;
const REFUSED = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PERM|AUTH)/;
/** Of a server, what it finds wrong with a statement at a position in it, such as a column that is not there. */
const INPUT = "SQL_INPUT_ERROR";

/**
 * Sorts an error of the libSQL client by what may be done about it. The client's errors are known by their
 * `code` (the same words over a file and over HTTP); network faults come as raw TypeErrors and time-outs.
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

/** True where a statement names a table or a column that is not there: nothing was applied. */
export function isSchemaMissing(error: unknown): boolean {
  return faultOf(error).kind === "statement" && /no such (table|column)/.test((error as Error).message);
}
