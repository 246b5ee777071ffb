import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { until } from "../support/until.ts";
import { withApp } from "../support/app.ts";

const MANY = 12;

/** What may look at thousands of rows, or change them, and how many of them share a batch at most. */
const COSTLY: Array<[name: string, max: number, part: string, write: (id: number) => [string, unknown]]> = [
  ["posts with needs", 2, "INSERT INTO needs", (id) => ["", { kind: "task", body: 1, needs: [id] }]],
  ["failures", 1, "DELETE FROM needs", (id) => [`/${id}/fail`, { agent: "ann" }]],
];

for (const [name, max, part, write] of COSTLY) {
  Deno.test(`few ${name} share a batch, since each may take as long as many plain writes`, () =>
    withApp(async ({ json, batches }) => {
      await json("POST", "/rooms", { id: "r" });
      const ids = Array.from({ length: MANY }, (_, n) => n + 1);
      for (const id of ids) {
        const { body } = await json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
        assert.equal(body.id, id);
      }
      batches.length = 0;
      const replies = await Promise.all(ids.map((id) => {
        const [path, body] = write(id);
        return json("POST", `/rooms/r/messages${path}`, body);
      }));
      for (const { status } of replies) assert.ok(status < 300);
      const counts = batches.map(({ statements }) =>
        statements.filter(({ sql }) => sql.includes(part)).length
      );
      assert.ok(counts.every((count) => count <= max), `${counts}`);
      assert.equal(counts.reduce((sum, count) => sum + count), MANY);
    }));
}

/** As long as a value may be, each character of it escaped whenever it is written as JSON. */
const LONG = '"'.repeat(32_700);
const MAX_ANSWER = 10 * 2 ** 20;

Deno.test("evaluations that find something due share a batch as far as what they read fits into one answer", async () => {
  const time = { now: Date.parse("2026-01-01T00:00:00.000Z") };
  const rooms = Array.from({ length: MANY }, (_, n) => `r${n}`);
  const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
  const sent = Promise.withResolvers<void>();
  let held: Promise<void> | undefined;
  let longest = 0;
  /** The rooms whose ends are in a batch: on a busy machine others follow the first one before all have been read. */
  const begun = new Set<unknown>();
  await withApp(async ({ json, services, file }) => {
    for (const room of rooms) {
      await json("POST", "/rooms", { id: room });
      for (const key of keys) await json("PUT", `/rooms/${room}/state`, { key, value: LONG });
      await json("POST", `/rooms/${room}/agents`, { id: "ann", name: "Ann", meta: { long: LONG } });
    }
    const client = createClient({ url: file });
    await client.execute(
      `INSERT INTO waits SELECT room_id, id, 'dead', 'false', ${time.now + 1}, revision FROM agents`,
    );
    client.close();
    time.now += 10_000;
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const expr = ["has(agents.ann)", ...keys.map((key) => `has(state._shared.${key})`)].join(" && ");
    const all = rooms.map((room) => json("POST", `/rooms/${room}/eval`, { expr }));
    await sent.promise;
    await until(() => begun.size + services.database.load().write.queued, (found) => found === MANY);
    resolve();
    for (const { body } of await Promise.all(all)) assert.equal(body.value, true);
    assert.ok(longest > keys.length * LONG.length && longest < MAX_ANSWER, `${longest}`);
  }, {
    time,
    wrap: (connection) => ({
      async send(statements, mode) {
        if (mode === "write" && held) {
          for (const { args } of statements) begun.add(args.room);
          sent.resolve();
          await held;
        }
        const results = await connection.send(statements, mode);
        if (held) longest = Math.max(longest, new TextEncoder().encode(JSON.stringify(results)).length);
        return results;
      },
      close: () => connection.close(),
    }),
  });
});
