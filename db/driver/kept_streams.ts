import type { Batch, BatchCond, HttpStream, RowsResult, Stmt } from "@libsql/hrana-client";
import type { Row } from "./statement.ts";

/** Milliseconds for which a stream is used again. A libSQL server forgets what was idle for 10 s. */
const IDLE_MS = 5_000;
const KEPT = 4;

/** Streams of a libSQL server that are kept: for a new one it opens its database and reads its schema again. */
export function createStreams(open: () => HttpStream) {
  const idle: Array<{ stream: HttpStream; since: number }> = [];

  /** A stream that is still known to the server; the freshest is tried, so that the others may go. */
  function take(): HttpStream {
    const kept = idle.pop();
    if (kept && performance.now() - kept.since < IDLE_MS) return kept.stream;
    kept?.stream.close();
    for (const { stream } of idle.splice(0)) stream.close();
    return open();
  }

  /** Runs a task over a stream, which is kept where the task succeeds. */
  return async function use<T>(task: (stream: HttpStream) => Promise<T>): Promise<T> {
    const stream = take();
    let kept = false;
    try {
      const result = await task(stream);
      kept = idle.length < KEPT;
      return result;
    } finally {
      if (kept) idle.push({ stream, since: performance.now() });
      else stream.close();
    }
  };
}

/** Runs a statement, outside of a transaction. */
export async function query(stream: HttpStream, statement: Stmt): Promise<Row[]> {
  return rowsOf(await stream.query(statement));
}

/**
 * Runs statements as one transaction, in one call. Where one fails all are rolled back, and it rejects with the
 * failure of the first.
 */
export async function transact(
  stream: HttpStream,
  { ok, not }: Pick<typeof BatchCond, "ok" | "not">,
  begin: string,
  statements: Stmt[],
): Promise<Row[][]> {
  const batch: Batch = stream.batch();
  const begun = batch.step();
  const results: Array<Promise<unknown>> = [begun.run(begin)];
  let last = begun;
  for (const statement of statements) {
    const step = batch.step().condition(ok(last));
    results.push(step.query(statement));
    last = step;
  }
  const commit = batch.step().condition(ok(last));
  results.push(commit.run("COMMIT"), batch.step().condition(not(ok(commit))).run("ROLLBACK"));
  const settled = Promise.all(results);
  await Promise.all([batch.execute(), settled]);
  return (await settled).slice(1, -2).map((result) => rowsOf(result as RowsResult));
}

function rowsOf({ rows }: RowsResult): Row[] {
  return rows as unknown as Row[];
}
