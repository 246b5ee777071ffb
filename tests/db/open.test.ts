import assert from "node:assert/strict";
import { connect } from "../../db/driver/open.ts";
import type { Statement } from "../../db/driver/statement.ts";

const sql = (text: string): Statement => ({ sql: text, args: {} });

for (const url of [":memory:", "file::memory:"]) {
  Deno.test(`${url} keeps what it holds when a batch fails, and two of it share nothing`, async () => {
    const [one, other] = [await connect(url), await connect(url)];
    try {
      await one.send([sql("CREATE TABLE t (n INTEGER NOT NULL)"), sql("INSERT INTO t VALUES (1)")], "write");
      await assert.rejects(
        one.send([sql("INSERT INTO t VALUES (2)"), sql("INSERT INTO t VALUES (NULL)")], "write"),
      );
      const [rows] = await one.send([sql("SELECT n FROM t")], "read");
      assert.deepEqual(rows!.map(({ n }) => n), [1]);
      await assert.rejects(other.send([sql("SELECT n FROM t")], "read"), /no such table/);
    } finally {
      one.close();
      other.close();
    }
  });
}
