import { BY_SERVICE } from "../../db/write/context.ts";
import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { readBoard } from "../../db/reservations/conflicts.ts";
import { tryReserve } from "../../db/reservations/write.ts";
import { SERVICE } from "../../db/viewer.ts";
import { type TestApp, withApp } from "../support/app.ts";

async function run({ file }: Pick<TestApp, "file">, sql: string) {
  const client = createClient({ url: file });
  const { rows } = await client.execute(sql);
  client.close();
  return rows;
}

Deno.test("a room has at most 4,096 reservations in force", () =>
  withApp(async ({ file, json }) => {
    await json("POST", "/rooms", { id: "r" });
    const made = await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["a"] });
    await run(
      { file },
      `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 4095)
       INSERT INTO reservations
       SELECT room_id, 'r' || i, agent_id, '["b"]', mode, note, created_at, expires_at, i, i FROM reservations, n`,
    );
    const last = await json("POST", "/rooms/r/reservations", { agent: "bob", paths: ["c"] });
    assert.equal(last.status, 201);
    const more = await json("POST", "/rooms/r/reservations", { agent: "bob", paths: ["d"] });
    assert.deepEqual([more.status, more.body.error], [409, "limit_reached"]);
    assert.equal((await json("GET", "/rooms/r/reservations")).body.length, 4_096);
    await json("DELETE", `/rooms/r/reservations/${made.body.id}`, { agent: "ann" });
    assert.equal((await json("POST", "/rooms/r/reservations", { agent: "bob", paths: ["d"] })).status, 201);
  }));

Deno.test("a room with a reservation needs this release, which others do not ask of it", () =>
  withApp(async ({ file, json }) => {
    const requires = async () => (await run({ file }, "SELECT requires FROM rooms"))[0]!.requires;
    await json("POST", "/rooms", { id: "r" });
    assert.equal(await requires(), 0);
    await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["a"] });
    await json("POST", "/rooms/r/reservations", { agent: "bob", paths: ["a"] });
    assert.equal(await requires(), 2);
  }));

Deno.test("two instances that find the same paths free do not both get them", () =>
  withApp(async ({ json, services, file }) => {
    await json("POST", "/rooms", { id: "r" });
    const other = createDatabase({ connect: () => connect(file) });
    try {
      // Both look before either writes.
      const board = await readBoard(other, SERVICE, "r");
      assert.equal((await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["a"] })).status, 201);
      const asked = { agent: "bob", paths: ["a"], mode: "exclusive" as const, ttl: 9, note: null };
      const context = { ...BY_SERVICE, time: other.time, newId: other.newId };
      assert.equal(await tryReserve(other, context, "r", asked, board), undefined);
      assert.equal((await readBoard(services.database, SERVICE, "r")).reservations.length, 1);
    } finally {
      await other.close();
    }
  }));

Deno.test("an instance that ends answers those who wait for paths", () =>
  withApp(async ({ json, services }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "bob", name: "Bob" });
    await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["a"] });
    const waiting = json("POST", "/rooms/r/reservations", { agent: "bob", paths: ["a"], timeout: 25_000 });
    const condition = "agents.bob.status == 'waiting'";
    assert.equal((await json("POST", "/rooms/r/wait", { condition })).body.triggered, true);
    await services.watch.drain();
    const { status, body } = await waiting;
    assert.deepEqual([status, body.error], [409, "reserved"]);
  }));

Deno.test("a look at the reservations of a room serves all who wait for them", () =>
  withApp(async ({ json, services }) => {
    await json("POST", "/rooms", { id: "r" });
    const made = await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["**"] });
    const waits = Array.from({ length: 50 }, (_, n) => {
      const paths = [`${n}/**`, "one"];
      return json("POST", "/rooms/r/reservations", { agent: `a${n}`, paths, timeout: 700 });
    });
    await json("POST", "/rooms/r/wait", { condition: "false", timeout: 200 });
    const { read } = services.database;
    let looks = 0;
    services.database.read = (viewer, statements) => {
      if (statements.some(({ sql }) => sql.includes("FROM reservations"))) looks++;
      return read(viewer, statements);
    };
    await json("DELETE", `/rooms/r/reservations/${made.body.id}`, { agent: "ann" });
    const got = (await Promise.all(waits)).filter(({ status }) => status === 201);
    assert.deepEqual(got.map(({ body }) => body.agent), ["a0"]);
    // Each refusal reads its notes; the room's reservations are read a few times.
    assert.ok(looks < 50 + 10, String(looks));
  }));
