import type { Batch, BatchCond, HttpStream, RowsResult, Stmt } from "@libsql/hrana-client";
import type { Row } from "./statement.ts";

/** Milliseconds for which an idle stream is reused. A libSQL server forgets it after 10 s. */
const IDLE_MS = 5_000;
const KEPT = 4;

/** Keeps streams of a libSQL server, which for a new one opens its database and reads its schema again. */
export function createStreams(open: () => HttpStream) {
  const idle: Array<{ stream: HttpStream; since: number }> = [];

  /** Takes the most recently used stream if the server still knows it. Closes the others, so that few stay open. */
  function take(): HttpStream {
    const kept = idle.pop();
    if (kept && performance.now() - kept.since < IDLE_MS) return kept.stream;
    kept?.stream.close();
    for (const { stream } of idle.splice(0)) stream.close();
    return open();
  }

  /** Runs a task over a stream, which is kept if the task succeeds. */
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

/** Runs statements as one transaction in one call. Rejects with the error of the first that fails, after a rollback. */
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

export function rowsOf({ rows }: Pick<RowsResult, "rows">): Row[] {
  return rows as unknown as Row[];
}
