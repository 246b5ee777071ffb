import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { listMessages } from "../../db/messages/read.ts";
import { connect } from "../../db/driver/open.ts";
import { ping } from "../../db/rooms/look.ts";
import { RELEASE } from "../../db/release.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
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

async function withServer(test: (database: string) => Promise<void>): Promise<void> {
  const server = await startLibsqlServer();
  try {
    await test(server.url);
  } finally {
    await server.stop();
  }
}

async function withFile(test: (database: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    await test(`file:${directory}/convene.db`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const KINDS = [["one libSQL server", withServer], ["one file", withFile]] as const;

for (const [name, withDatabase] of KINDS) {
  Deno.test(`instances that set up ${name} at once all serve`, () => withDatabase(migrateTogether));
}

/** What a later release may do to a database: a migration that adds to it. */
const LATER = [
  `INSERT INTO migrations VALUES (${MIGRATIONS.length + 1}, '')`,
  "ALTER TABLE rooms ADD COLUMN added TEXT",
];

/** A database as this release sets it up, and then runs statements on it. */
async function setUp(url: string, statements: string[]): Promise<void> {
  const database = createDatabase({ connect: () => connect(url) });
  await database.migrate();
  await database.commit(SERVICE, statements.map((sql) => ({ sql, args: {} })));
  await database.close();
}

/** Starts a program of the service, which is to end by itself. */
async function endOf(
  program: string,
  database: string,
): Promise<{ code: number; log: string; said: string }> {
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program],
    cwd: new URL("../../", import.meta.url),
    env: { TURSO_DATABASE_URL: database, TURSO_AUTH_TOKEN: "", HOST: "", PORT: "0" },
    signal: AbortSignal.timeout(20_000),
  }).output();
  const [log, said] = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes));
  return { code, log: log!, said: said! };
}

for (const [name, withDatabase] of KINDS) {
  Deno.test(`a database that needs a newer release is refused at the start, with a line: ${name}`, () =>
    withDatabase(async (url) => {
      await setUp(url, [...LATER, `UPDATE compatibility SET requires = ${RELEASE + 1}`]);
      const line =
        `A newer release has set up this database: it needs release ${
          RELEASE + 1
        } or later, and this is release ` +
        `${RELEASE}. Run that release, or restore a copy of the database from before it.\n`;
      for (const program of ["start.ts", "migrate.ts"]) {
        assert.deepEqual(await endOf(program, url), { code: 1, log: line, said: "" });
      }
      const database = createDatabase({ connect: () => connect(url) });
      await assert.rejects(ping(database), DatabaseUnavailable); // where a platform serves
    }));

  Deno.test(`a database that a newer release has added to is taken up, as in a rolling upgrade: ${name}`, () =>
    withDatabase(async (url) => {
      await setUp(url, [...LATER, `UPDATE compatibility SET requires = ${RELEASE}`]);
      const service = await startService({ database: url });
      try {
        const t = new Subject(service.url);
        await t.write(await t.room(), "k", 1);
        assert.deepEqual(service.complaints, []);
      } finally {
        await service.stop();
      }
      assert.deepEqual(await endOf("migrate.ts", url), {
        code: 0,
        log: "",
        said: "The database is up to date.\n",
      });
    }));

  Deno.test(`a database of before the first numbered release is taken up: ${name}`, () =>
    withDatabase(async (url) => {
      const first = MIGRATIONS.findIndex((statements) =>
        statements.join().includes("CREATE TABLE compatibility")
      );
      const before = await connect(url);
      await before.send(
        [
          "CREATE TABLE migrations (id INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT",
          ...MIGRATIONS.slice(0, first).flatMap((statements, n) => [
            ...statements,
            `INSERT INTO migrations VALUES (${n + 1}, '')`,
          ]),
          "INSERT INTO rooms (id, created_at, meta) VALUES ('r', '2026-11-22T04:20:00.000Z', '{}')",
        ].map((sql) => ({ sql, args: {} })),
        "write",
      );
      before.close();
      const service = await startService({ database: url });
      try {
        assert.equal((await new Subject(service.url).write("r", "k", 1)).version, 1);
      } finally {
        await service.stop();
      }
    }));

  Deno.test(`a database whose tables are gone is not well: ${name}`, () =>
    withDatabase(async (url) => {
      const database = createDatabase({ connect: () => connect(url) });
      await ping(database);
      await setUp(url, ["ALTER TABLE rooms RENAME TO halls"]);
      await assert.rejects(ping(database), DatabaseUnavailable);
      await database.close();
    }));
}

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
      const { messages } = await listMessages(database, EVERYBODY, "r", { from, limit: 10 });
      assert.deepEqual(messages.map(({ id }) => id), ids);
    }
  } finally {
    before.close();
    await database.close();
    await Deno.remove(directory, { recursive: true });
  }
});
