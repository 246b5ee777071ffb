/** Prints by how many bytes this process grows over many statements: a process that does nothing else. */
import { connect } from "../../db/driver/open.ts";

const WARM_UP = 50_000;
const BATCHES = 150_000;

const memory = await connect(":memory:"); // the same as a file but for the disk
await memory.send([{ sql: "CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER) STRICT", args: {} }], "write");
const upsert = {
  sql: "INSERT INTO t (id, n) VALUES (:id, :n) ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING id, n",
  args: { id: "a", n: 1 },
  single: true,
};
const count = { sql: "SELECT COUNT(*) AS count FROM t", args: {} };

async function residentAfter(batches: number): Promise<number> {
  for (let n = 0; n < batches; n++) await memory.send([upsert, count], "write");
  return Deno.memoryUsage().rss;
}

const before = await residentAfter(WARM_UP);
console.log(await residentAfter(BATCHES) - before);
memory.close();
