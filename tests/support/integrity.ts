import assert from "node:assert/strict";
import { connect } from "../../db/driver/open.ts";

/** Asserts that a database (a `file:` or a server's address) is whole, by SQLite's own check. */
export async function assertIntact(url: string): Promise<void> {
  const connection = await connect(url);
  try {
    const [rows] = await connection.send([{ sql: "PRAGMA integrity_check", args: {} }], "read");
    assert.deepEqual(rows!.map((row) => row.integrity_check), ["ok"]);
  } finally {
    connection.close();
  }
}
