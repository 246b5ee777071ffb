import assert from "node:assert/strict";
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
