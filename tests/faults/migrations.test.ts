import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { listMessages } from "../../db/messages.ts";
import { connect } from "../../db/open.ts";
import { MIGRATIONS } from "../../db/schema.ts";
import { Subject } from "../support/backends.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";

const INSTANCES = 3;

/** Instances that meet an empty database at the same moment; each must serve, each migration be applied once. */
async function migrateTogether(database: string): Promise<void> {
  const services = await Promise.all(Array.from({ length: INSTANCES }, () => startService({ database })));
  try {
    await Promise.all(services.map(async ({ url }) => {
      const t = new Subject(url);
      await t.write(await t.room(), "k", 1);
    }));
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
  const connection = await connect(database);
  try {
    const [rows] = await connection.send(
      [{ sql: "SELECT id FROM migrations ORDER BY id", args: {} }],
      "read",
    );
    assert.deepEqual(rows!.map(({ id }) => Number(id)), MIGRATIONS.map((_, n) => n + 1));
  } finally {
    connection.close();
  }
}

Deno.test("instances that set up one libSQL server at once all serve", async () => {
  const server = await startLibsqlServer();
  try {
    await migrateTogether(server.url);
  } finally {
    await server.stop();
  }
});

Deno.test("instances that set up one file at once all serve", async () => {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    await migrateTogether(`file:${directory}/convene.db`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("messages of before and after a migration are listed by sender, those of older instances too", async () => {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  const url = `file:${directory}/convene.db`;
  const before = await connect(url);
  const post = (id: number, from: string | null) => ({
    sql: `INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, revision)
          VALUES ('r', :id, :from, 'message', '1', '', :id)`,
    args: { id, from },
  });
  const database = createDatabase({ connect: () => connect(url) });
  try {
    const first = MIGRATIONS.findIndex((statements) => statements.some((sql) => sql.includes("senders")));
    assert.ok(first > 0);
    const applied = MIGRATIONS.slice(0, first).map((_, n) => `(${n + 1}, '')`);
    await before.send(
      [
        "CREATE TABLE migrations (id INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT",
        `INSERT INTO migrations VALUES ${applied.join()}`,
        ...MIGRATIONS.slice(0, first).flat(),
        "INSERT INTO rooms (id, created_at, meta) VALUES ('r', '', '{}')",
      ].map((sql) => ({ sql, args: {} })),
      "write",
    );
    await before.send([post(1, "ann"), post(255, "ann"), post(300, "bob"), post(301, null)], "write");
    await database.migrate();
    await before.send([post(400, "ann"), post(600, "ann"), post(601, "ann")], "write");
    for (const [from, ids] of [["ann", [1, 255, 400, 600, 601]], ["bob", [300]]] as const) {
      const { messages } = await listMessages(database, "r", { from, limit: 10 });
      assert.deepEqual(messages.map(({ id }) => id), ids);
    }
  } finally {
    before.close();
    await database.close();
    await Deno.remove(directory, { recursive: true });
  }
});
