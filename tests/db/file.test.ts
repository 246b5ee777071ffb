import assert from "node:assert/strict";
import Database from "libsql";
import { faultOf } from "../../db/driver/faults.ts";
import { connect } from "../../db/driver/open.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { withFolder } from "../support/folder.ts";

const plain = (sql: string): Statement => ({ sql, args: {} });
const insert = (id: string, n: number): Statement => ({
  sql: "INSERT INTO t (id, n) VALUES (:id, :n) RETURNING id, n",
  args: { id, n },
});
const COUNT = plain("SELECT COUNT(*) AS count FROM t");

async function open(url: string) {
  const connection = await connect(url);
  await connection.send(
    [plain("CREATE TABLE IF NOT EXISTS t (id TEXT PRIMARY KEY, n INTEGER) STRICT")],
    "write",
  );
  const count = async () => Number((await connection.send([COUNT], "read"))[0]![0]!.count);
  return { ...connection, count };
}

const faultIn = (work: Promise<unknown>) => work.then(() => assert.fail("it went well"), faultOf);

Deno.test("a batch over a file gives the rows of each statement, or nothing is done", () =>
  withFolder(async (folder) => {
    const file = await open(`file:${folder}/x.db`);
    const rows = await file.send([insert("a", 1), plain("DELETE FROM t WHERE id = 'b'"), COUNT], "write");
    assert.deepEqual(rows.map((rows) => rows.map((row) => ({ ...row }))), [[{ id: "a", n: 1 }], [], [{
      count: 1,
    }]]);
    assert.deepEqual(await faultIn(file.send([insert("b", 2), insert("a", 3)], "write")), {
      kind: "statement",
      index: 1,
    });
    assert.equal(await file.count(), 1);
    file.close();
  }));

Deno.test("a statement sees its own arguments, whatever it was run with before", async () => {
  const memory = await open(":memory:");
  const put = (ids: string[], single: boolean): Statement => ({
    sql: `INSERT INTO t (id, n) SELECT value, 1 FROM json_each(:ids) WHERE TRUE
      ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING id, n`,
    args: { ids: JSON.stringify(ids) },
    single,
  });
  const find = (n: number, single: boolean): Statement => ({
    sql: "SELECT id FROM t WHERE n = :n ORDER BY id",
    args: { n },
    single,
  });
  const set = (id: string, n: number): Statement => ({
    sql: "UPDATE t SET n = :n WHERE id = :id",
    args: { id, n },
  });
  const seen = [];
  for (
    const statement of [
      put(["a"], true),
      put(["a", "b"], false),
      put(["a"], true),
      put([], true),
      put([], false),
      put(["c", "b"], false),
      put(["b"], true),
      find(3, false),
      find(1, true),
      find(3, true),
      find(9, true),
      find(9, false),
      set("a", 7),
      set("b", 8),
      find(7, true),
      find(8, true),
    ]
  ) {
    const [rows] = await memory.send([statement], "write");
    seen.push(rows!.map((row) => Object.values(row).join("")).join(" "));
  }
  assert.deepEqual(seen, [
    "a1",
    "a2 b1",
    "a3",
    "",
    "",
    "c1 b2",
    "b3",
    "a b",
    "c",
    "a",
    "",
    "",
    "",
    "",
    "a",
    "b",
  ]);
  memory.close();
});

Deno.test("a file that another process writes to is busy, and free again afterwards", () =>
  withFolder(async (folder) => {
    const file = await open(`file:${folder}/x.db`);
    const writer = new Database(`${folder}/x.db`);
    writer.exec("BEGIN IMMEDIATE");
    assert.equal((await faultIn(file.send([insert("a", 1)], "write"))).kind, "busy");
    assert.equal(await file.count(), 0);
    writer.close();
    await file.send([insert("a", 1)], "write");
    assert.equal(await file.count(), 1);
    file.close();
  }));

/** Runs a task while the clock by which a connection looks at its file is two seconds ahead. */
async function secondsLater(task: () => Promise<unknown>) {
  const now = performance.now;
  performance.now = () => now.call(performance) + 2_000;
  try {
    await task();
  } finally {
    performance.now = now;
  }
}

Deno.test("a file that has lost its path takes no further write, though another cannot be opened", () =>
  withFolder(async (folder) => {
    const file = await open(`file:${folder}/in/x.db`);
    await file.send([insert("a", 1)], "write");
    await Deno.remove(`${folder}/in`, { recursive: true });
    await secondsLater(async () => {
      for (const id of ["b", "c"]) await faultIn(file.send([insert(id, 1)], "write"));
    });
    file.close();
  }));

Deno.test("a file that has lost its path takes no further write while the new one is busy", () =>
  withFolder(async (folder) => {
    const file = await open(`file:${folder}/x.db`);
    await file.send([insert("a", 1)], "write");
    for (const end of ["", "-wal", "-shm"]) await Deno.remove(`${folder}/x.db${end}`);
    const writer = new Database(`${folder}/x.db`);
    writer.exec("CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER) STRICT; BEGIN EXCLUSIVE");
    await secondsLater(async () => {
      for (const id of ["b", "c"]) {
        assert.equal((await faultIn(file.send([insert(id, 1)], "write"))).kind, "busy", id);
      }
    });
    writer.exec("COMMIT");
    writer.close();
    await file.send([insert("d", 1)], "write");
    assert.equal(await file.count(), 1);
    file.close();
  }));

Deno.test("a connection that was closed refuses what comes later", () =>
  withFolder(async (folder) => {
    for (const url of [`file:${folder}/x.db`, ":memory:"]) {
      const database = await open(url);
      database.close();
      database.close();
      await assert.rejects(database.send([insert("a", 1)], "write"), /closed/);
    }
  }));

Deno.test("a file may be named as a path or a URL, in a folder that is made", () =>
  withFolder(async (folder) => {
    const file = await open(`file:${folder}/of its own/x.db`);
    await file.send([insert("a", 1)], "write");
    for (
      const url of [`file://${folder}/of%20its%20own/x.db`, `file://localhost${folder}/of%20its%20own/x.db`]
    ) {
      const same = await open(url);
      assert.equal(await same.count(), 1);
      same.close();
    }
    file.close();
  }));

/** A hundred bytes that each of 300,000 statements leaves would be 30 MiB. */
const GROWTH_MIB = 10;

Deno.test("statements stay prepared; long ones if they are run again, and up to a length in all", async () => {
  const memory = await open(":memory:");
  const { prepare } = Database.prototype;
  let prepared = 0;
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    prepared++;
    return prepare.call(this, sql);
  } as typeof prepare;
  const long = (n: number): Statement => ({
    sql: `SELECT ${n} AS n /* ${"x".repeat(100_000)} */`,
    args: {},
    single: true,
  });
  const preparedBy = async (statement: Statement) => {
    prepared = 0;
    await memory.send([statement], "read");
    return prepared > 0;
  };
  try {
    await memory.send([COUNT, long(0), long(0)], "read");
    assert.equal(await preparedBy(long(0)), false);
    for (let n = 1; n <= 30; n++) {
      assert.deepEqual([await preparedBy(long(n)), await preparedBy(COUNT)], [true, false]);
    }
    assert.equal(await preparedBy(long(0)), false, "those that are run once take the place of none");
    for (let n = 31; n <= 60; n++) {
      const runs = [await preparedBy(long(n)), await preparedBy(long(n)), await preparedBy(long(n))];
      assert.deepEqual(runs, [true, true, false]);
    }
    assert.equal(await preparedBy(long(0)), true, "3 MB have been kept since");
    assert.equal(await preparedBy(COUNT), false);
  } finally {
    Database.prototype.prepare = prepare;
    memory.close();
  }
});

Deno.test("a statement leaves no memory behind, whether it reads or writes", async () => {
  // The tests of other files may run in this process and grow it.
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("growth.ts", import.meta.url).pathname],
    stderr: "inherit",
  }).output();
  assert.ok(success);
  const grown = Number(new TextDecoder().decode(stdout)) / 2 ** 20;
  assert.ok(grown <= GROWTH_MIB, `grown by ${grown.toFixed(1)} MiB`);
});
