import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { listEntries } from "../../db/state/read.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";

const plainly = (sql: string): Statement => ({ sql, args: {} });

/** Keys `k1`, `k2`, ... of a room, all alive. */
const MAKE = (count: number) =>
  plainly(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
    SELECT 'r', '_shared', 'k' || i, '1', 1, i, '', 0 FROM n`);
const COUNT = (keys: number) => plainly(`UPDATE rooms SET key_count = ${keys} WHERE id = 'r'`);
const DELETE = (from: number, to: number) =>
  plainly(
    `UPDATE state SET value = 'null', deleted = 1 WHERE room_id = 'r' AND revision BETWEEN ${from} AND ${to}`,
  );

Deno.test("lists show what lives before and after a room's keys are named, and of 1,000 tombstones on they are", () =>
  withApp(async ({ json, file, services }) => {
    await json("POST", "/rooms", { id: "r" });
    const direct = await connect(file);
    const living = new Set<string>();
    const named = async () => {
      const [rows] = await direct.send([plainly("SELECT key FROM living ORDER BY key")], "read");
      return rows!.map(({ key }) => key);
    };
    const looks = async (are: "named" | "not named") => {
      const keys = [...living].sort();
      const { entries } = await listEntries(services.database, EVERYBODY, "r", {});
      assert.deepEqual(entries.map(({ key }) => key), keys);
      const { body } = await json("POST", "/rooms/r/eval", { expr: "state._shared.map(key, key)" });
      assert.deepEqual(body.value, keys);
      const response = await services.database.read(SERVICE, [plainly("SELECT tombstone_count FROM rooms")]);
      const count = Number(response[0]![0]!.tombstone_count);
      assert.equal(count === 1_000, are === "named");
      assert.deepEqual(await named(), are === "named" ? keys : []);
    };
    const make = async (key: string) => {
      await json("PUT", "/rooms/r/state", { key, value: 2 });
      living.add(key);
    };
    const remove = async (key: string) => {
      await json("DELETE", "/rooms/r/state", { key });
      living.delete(key);
    };

    await direct.send([MAKE(1_003), COUNT(5), DELETE(1, 998)], "write");
    for (let n = 999; n <= 1_003; n++) living.add(`k${n}`);
    await looks("not named");
    await remove("k999"); // 999
    await make("k1"); // 998
    await make("new");
    await remove("k1000"); // 999
    await looks("not named");
    await remove("k1001"); // 1,000
    await looks("named");
    await make("k2"); // lives again
    await make("newer");
    await make("k1002"); // lived already
    await json("PUT", "/rooms/r/state", { key: "sum", increment: 1 });
    living.add("sum");
    await looks("named");
    for (const key of ["k2", "newer", "k1003"]) await remove(key);
    await looks("named");
    direct.close();
  }));

Deno.test("of a room that had many tombstones before the migration, what lives is named by it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const url = `file:${folder}/convene.db`;
  const before = await connect(url);
  const database = createDatabase({ connect: () => connect(url) });
  try {
    const first = MIGRATIONS.findIndex((statements) => statements.some((sql) => sql.includes("living")));
    assert.ok(first > 0);
    await before.send(
      [
        plainly("CREATE TABLE migrations (id INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT"),
        plainly(
          `INSERT INTO migrations VALUES ${
            MIGRATIONS.slice(0, first).map((_, n) => `(${n + 1}, '')`).join()
          }`,
        ),
        ...MIGRATIONS.slice(0, first).flat().map(plainly),
        plainly("INSERT INTO rooms (id, created_at, meta) VALUES ('r', '', '{}'), ('s', '', '{}')"),
        MAKE(1_502),
        COUNT(2),
        DELETE(1, 1_500),
        plainly(
          "INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted) SELECT 's', scope, key, value, 1, 1, '', deleted FROM state WHERE revision > 900",
        ),
        plainly("UPDATE rooms SET key_count = 2 WHERE id = 's'"),
      ],
      "write",
    );
    await database.migrate();
    const [rooms, living] = await database.read(SERVICE, [
      plainly("SELECT tombstone_count FROM rooms ORDER BY id"),
      plainly("SELECT room_id, key FROM living ORDER BY key"),
    ]);
    assert.deepEqual(rooms!.map(({ tombstone_count }) => Number(tombstone_count)), [1_000, 600]);
    assert.deepEqual(living!.map(({ room_id, key }) => [room_id, key]), [["r", "k1501"], ["r", "k1502"]]);
    for (const room of ["r", "s"]) {
      const { entries } = await listEntries(database, EVERYBODY, room, {});
      assert.deepEqual(entries.map(({ key }) => key), ["k1501", "k1502"]);
    }
  } finally {
    before.close();
    await database.close();
    await Deno.remove(folder, { recursive: true });
  }
});
