import assert from "node:assert/strict";
import { connect as follower } from "../../client/mod.ts";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { Subject } from "../support/backends.ts";
import { WITHOUT_TABLES } from "../support/databases.ts";
import { openEvents } from "../support/events.ts";
import { startService } from "../support/service.ts";
import { assertError } from "../support/shapes.ts";

const TABLES = MIGRATIONS.flat().flatMap((sql) => /^CREATE TABLE (\w+)/.exec(sql)?.[1] ?? []);

/** Far below a wait's 25 s. */
const SOON_MS = 10_000;

/** Runs statements over a connection of its own, as an operator does. */
async function operate(url: string, statements: string[]): Promise<void> {
  const connection = await connect(url);
  try {
    await connection.send(statements.map((sql) => ({ sql, args: {} })), "write");
  } finally {
    connection.close();
  }
}

/** Writes as another instance does, which the service hears nothing from. */
async function writeElsewhere(url: string, room: string, body: unknown): Promise<void> {
  const database = createDatabase({ connect: () => connect(url) });
  try {
    const other = createApp(createServices(database));
    const response = await other.request(`/rooms/${room}/state`, {
      method: "PUT",
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
  } finally {
    await database.close();
  }
}

const create = (t: Subject) => t.post("/rooms", { id: "r" }).then(({ body }) => body.id as string);

const drop = (tables: string[]) => tables.toReversed().map((table) => `DROP TABLE ${table}`);

/** Empties a room by half, as if an older copy of the database stood in its place: nothing is left above a revision. */
const goBack = (room: string, revision: number) => [
  `DELETE FROM state WHERE room_id = '${room}' AND revision > ${revision}`,
  `UPDATE rooms SET revision = ${revision}, state_revision = MIN(state_revision, ${revision}),
     views_revision = MIN(views_revision, ${revision}), agents_revision = MIN(agents_revision, ${revision}),
     messages_revision = MIN(messages_revision, ${revision}) WHERE id = '${room}'`,
];

for (const [kind, open] of Object.entries(WITHOUT_TABLES)) {
  const restored = (
    name: string,
    test: (t: Subject, url: string, complaints: readonly string[]) => Promise<void>,
  ) =>
    Deno.test(`${kind}: ${name}`, async () => {
      const database = await open();
      try {
        const service = await startService({ database: database.url });
        try {
          await test(new Subject(service.url), database.url, service.complaints);
        } finally {
          await service.stop();
        }
      } finally {
        await database.stop();
      }
    });

  for (
    const [what, tables] of [["", TABLES], [", the log of migrations too", [
      ...TABLES,
      "migrations",
    ]]] as const
  ) {
    restored(
      `tables that are dropped while it runs are set up with the next request${what}`,
      async (t, url, log) => {
        await t.write(await create(t), "k", 1);
        await operate(url, drop([...tables]));
        const requests = Array.from({ length: 20 }, (_, n) => t.get(n % 2 ? "/rooms" : "/healthz"));
        assert.deepEqual((await Promise.all(requests)).map(({ status }) => status), Array(20).fill(200));
        assertError(await t.get("/rooms/r"), 404, "room_not_found");
        await t.write(await create(t), "k", 2);
        await operate(url, drop([...tables]));
        assert.equal((await t.post("/rooms", { id: "r" })).status, 201);
        assert.equal((await t.write("r", "k", 3)).version, 1);
        assert.deepEqual(log, []);
      },
    );
  }

  restored(
    "a copy of an older release that takes the database's place is brought up to date",
    async (t, url, log) => {
      await t.write(await create(t), "k", 1);
      const older = MIGRATIONS.findIndex((statements) =>
        statements.some((sql) => /ADD COLUMN requires/.test(sql))
      );
      assert.ok(older > 0);
      await operate(url, [
        ...drop([...TABLES, "migrations"]),
        ...MIGRATIONS.slice(0, older).flat(),
        "CREATE TABLE migrations (id INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT",
        `INSERT INTO migrations VALUES ${MIGRATIONS.slice(0, older).map((_, n) => `(${n + 1}, '')`)}`,
      ]);
      const requests = Array.from({ length: 20 }, (_, n) => t.get(n % 2 ? "/rooms/r" : "/rooms"));
      assert.deepEqual(
        (await Promise.all(requests)).map(({ status }) => status),
        Array.from({ length: 20 }, (_, n) => n % 2 ? 404 : 200),
      );
      assert.equal((await t.write(await create(t), "k", 2)).version, 1);
      assert.deepEqual(log, []);
    },
  );

  if (kind === "file") {
    restored(
      "a file that is removed while it runs is made anew, and nothing is lost with the old one",
      async (t, url) => {
        await t.write(await create(t), "k", 1);
        const path = url.slice("file:".length);
        for (const end of ["", "-wal", "-shm"]) await Deno.remove(path + end);
        await new Promise((resolve) => setTimeout(resolve, 1_100)); // it looks once a second
        assertError(await t.get("/rooms/r"), 404, "room_not_found");
        await t.write(await create(t), "k", 2);
        const other = await connect(url);
        const [rows] = await other.send([{ sql: "SELECT value FROM state", args: {} }], "read");
        other.close();
        assert.deepEqual(rows!.map(({ value }) => value), ["2"]);
      },
    );
  }

  restored("where some tables are gone it is not well, and says so", async (t, url, log) => {
    await create(t);
    await operate(url, ["DROP TABLE living"]);
    assertError(await t.get("/rooms/r/state"), 503, "unavailable");
    assert.equal((await t.get("/rooms/r")).status, 200);
    assert.match(log.join(), /^The database has lost some of its tables/);
  });

  restored("views, waits and followers of a database that was emptied begin anew", async (t, url) => {
    await create(t);
    await t.view("r", "v", "1");
    for (let n = 2; n <= 5; n++) await t.write("r", "k", n);
    assert.equal(await t.value("r", "state._view.v"), 1);
    const stop = new AbortController();
    const told = follower(t.url).room("r").follow({ after: 4, signal: stop.signal });
    assert.equal((await told.next()).value!.revision, 5);
    const waiting = t.post("/rooms/r/wait", { condition: "state._shared.k == 0" });
    const stream = await openEvents(`${t.url}/rooms/r/events`);
    await operate(url, drop(TABLES));
    await stream.ended;
    assertError(await waiting, 404, "room_not_found");
    await create(t);
    await t.view("r", "v", "2");
    assert.equal(await t.value("r", "state._view.v"), 2);
    const { value: reset } = await told.next();
    assert.deepEqual(reset, {
      revision: 0,
      state: [],
      agents: [],
      messages: [],
      reservations: [],
      more: true,
      reset: true,
    });
    const { value: all } = await told.next();
    assert.deepEqual([all!.revision, all!.state.map(({ key }) => key)], [1, ["v"]]);
    stop.abort();
  });

  restored("a wait under way in a room that has gone back is shown again, until it ends", async (t, url) => {
    const room = await t.room();
    await t.agent(room, "ann");
    for (let n = 1; n <= 5; n++) await t.write(room, "k", n);
    const waiting = t.post(`/rooms/${room}/wait`, { condition: "has(state._shared.late)", agent: "ann" });
    await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
    await new Promise((resolve) => setTimeout(resolve, 600)); // two looks: what was found is known
    await operate(url, [`DELETE FROM waits WHERE room_id = '${room}'`, ...goBack(room, 3)]);
    const { waiting_on } = await t.agentUntil(room, "ann", ({ status }) => status === "waiting", 5_000);
    assert.equal(waiting_on, "has(state._shared.late)");
    await t.write(room, "late", 1);
    assert.equal((await waiting).body.triggered, true);
    const { status } = (await t.get(`/rooms/${room}/agents/ann`)).body;
    assert.equal(status, "active");
  });

  restored("a wait of a room that is gone ends soon, though it reads nothing of the room", async (t, url) => {
    const room = await t.room();
    await t.agent(room, "ann");
    const waiting = t.post(`/rooms/${room}/wait`, { condition: "false", agent: "ann" });
    await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
    const from = Date.now();
    const rows = ["waits", "agents"].map((table) => `DELETE FROM ${table} WHERE room_id = '${room}'`);
    await operate(url, [...rows, `DELETE FROM rooms WHERE id = '${room}'`]);
    assertError(await waiting, 404, "room_not_found");
    assert.ok(Date.now() - from < SOON_MS);
  });

  restored("streams and waits under way hear of a room that has gone back", async (t, url) => {
    const room = await t.room();
    for (let n = 1; n <= 20; n++) await t.write(room, `k${n}`, n);
    const waiting = t.post(`/rooms/${room}/wait`, { condition: "!has(state._shared.k20)", timeout: 20_000 });
    const woken = t.post(`/rooms/${room}/wait`, { condition: "has(state._shared.late)", timeout: 20_000 });
    const stream = await openEvents(`${t.url}/rooms/${room}/events?after=19`);
    assert.equal((await stream.next())!.id, 20);
    // Found by looking at revisions: after that the instance knows how far the room was.
    await writeElsewhere(url, room, { key: "k21", value: 21 });
    assert.equal((await stream.next())!.id, 21);
    await operate(url, goBack(room, 10));
    const late = setTimeout(stream.leave, 20_000);
    const reset = await stream.next();
    clearTimeout(late);
    assert.deepEqual([reset?.type, reset?.id], ["reset", 0]);
    const all = (await stream.next())!.data;
    assert.deepEqual([all.revision, all.state.length], [10, 10]);
    assert.equal((await waiting).body.triggered, true);
    await t.write(room, "late", 1);
    assert.equal((await stream.next())!.id, 11);
    assert.equal((await woken).body.triggered, true);
    stream.leave();
  });
}
