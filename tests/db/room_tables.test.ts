import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { ROOM_TABLES } from "../../db/driver/schema.ts";
import { SERVICE } from "../../db/viewer.ts";
import { WITHOUT_TABLES } from "../support/databases.ts";

/** What belongs to the database and to no room. */
const OF_NO_ROOM = ["compatibility", "graves", "migrations", "token_generation"];

const TABLES =
  `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`;
const COLUMNS = `
  SELECT tables.name AS "table", columns.name AS "column"
    FROM (${TABLES}) AS tables CROSS JOIN pragma_table_info(tables.name) AS columns`;
const REFERENCES = `
  SELECT tables.name AS "table", keys."table" AS parent, keys."from" AS "column"
    FROM (${TABLES}) AS tables CROSS JOIN pragma_foreign_key_list(tables.name) AS keys`;

const EMPTY = {
  ...WITHOUT_TABLES,
  memory: () => Promise.resolve({ url: ":memory:", stop: () => Promise.resolve() }),
};

for (const [kind, open] of Object.entries(EMPTY)) {
  Deno.test(`${kind}: every table is a room's, and listed with the column of its id, or the database's`, async () => {
    const place = await open();
    const database = createDatabase({ connect: () => connect(place.url) });
    try {
      await database.migrate();
      const [tables, columns, references] = await database.read(
        SERVICE,
        [TABLES, COLUMNS, REFERENCES].map((sql) => ({ sql, args: {} })),
      );
      const listed = Object.keys(ROOM_TABLES);
      const there = tables!.map(({ name }) => String(name));
      assert.deepEqual(there.toSorted(), [...listed, ...OF_NO_ROOM].toSorted());

      const has = new Set(columns!.map(({ table, column }) => `${table}.${column}`));
      for (const [table, column] of Object.entries(ROOM_TABLES)) {
        assert.ok(has.has(`${table}.${column}`), table);
      }
      for (const { table, column } of columns!) {
        assert.ok(!OF_NO_ROOM.includes(String(table)) || !/room/.test(String(column)), `${table}.${column}`);
      }

      assert.ok(references!.length > 0, "no table refers to another one");
      for (const { table, column, parent } of references!) {
        assert.ok(
          listed.indexOf(String(parent)) < listed.indexOf(String(table)),
          `${table} before ${parent}`,
        );
        if (parent === "rooms") assert.equal(ROOM_TABLES[table as keyof typeof ROOM_TABLES], column);
      }
    } finally {
      await database.close();
      await place.stop();
    }
  });
}
