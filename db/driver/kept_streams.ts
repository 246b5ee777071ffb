import { type Cell, ServerError, type Step, type Stmt, type StmtResult, type Stream } from "./stream.ts";
import type { Row } from "./statement.ts";

/** Milliseconds for which an idle stream is reused. A libSQL server forgets it after 10 s. */
const IDLE_MS = 5_000;
const KEPT = 4;

/** Keeps streams of a libSQL server open: for a new one, the server opens its database and reads its schema again. */
export function createStreams(open: () => Stream) {
  const idle: Array<{ stream: Stream; since: number }> = [];
  let closed = false;

  /** Takes the most recently used stream, if the server still knows it. Closes the others, so that few stay open. */
  function take(): Stream {
    const kept = idle.pop();
    if (kept && performance.now() - kept.since < IDLE_MS) return kept.stream;
    kept?.stream.close();
    closeIdle();
    return open();
  }

  function closeIdle() {
    for (const { stream } of idle.splice(0)) stream.close();
  }

  return {
    /** Runs a task over a stream, which is kept if the task succeeds. */
    async use<T>(task: (stream: Stream) => Promise<T>): Promise<T> {
      const stream = take();
      let kept = false;
      try {
        const result = await task(stream);
        kept = !closed && idle.length < KEPT;
        return result;
      } finally {
        if (kept) idle.push({ stream, since: performance.now() });
        else stream.close();
      }
    },
    close() {
      closed = true;
      closeIdle();
    },
  };
}

/** Runs statements as one transaction in one call. Errors: that of the first statement that fails, after a rollback. */
export async function transact(stream: Stream, begin: string, statements: Stmt[]): Promise<Row[][]> {
  const steps: Step[] = [{ stmt: plainly(begin) }];
  const ok = () => ({ type: "ok", step: steps.length - 1 }) as const;
  for (const stmt of statements) steps.push({ condition: ok(), stmt });
  steps.push({ condition: ok(), stmt: plainly("COMMIT") });
  steps.push({ condition: { type: "not", cond: ok() }, stmt: plainly("ROLLBACK") });
  const { step_results, step_errors } = await stream.batch(steps);
  const error = step_errors.find((error) => error !== null);
  if (error) throw new ServerError(error);
  return step_results.slice(1, -2).map((result) => rowsOf(result!));
}

export function plainly(sql: string): Stmt {
  return { sql, want_rows: false };
}

export function rowsOf({ cols, rows }: StmtResult): Row[] {
  return rows.map((cells) => {
    const row: Row = {};
    for (let n = 0; n < cells.length; n++) row[cols[n]!.name] = valueOf(cells[n]!);
    return row;
  });
}

function valueOf({ type, value }: Cell): Row[string] {
  return type === "integer" ? Number(value) : value ?? null;
}
