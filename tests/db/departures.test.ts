import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import type { Connection } from "../../db/driver/connection.ts";
import { MAX_IN_FIRST } from "../../db/write/endings.ts";
import { withApp } from "../support/app.ts";

const OUTAGE = Object.assign(new Error("fetch failed"), { cause: { code: "ECONNREFUSED" } });

/** Fails what ends after an agent has left, as if its instance had died then. */
function dying() {
  let dead = false;
  return {
    dies: (now: boolean) => void (dead = now),
    wrap: (connection: Connection): Connection => ({
      async send(statements, mode) {
        if (dead && statements.some(({ sql }) => sql.includes("SET leaving = NULL"))) throw OUTAGE;
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  };
}

const LOOKS: Array<[name: string, method: string, path: string, body?: unknown]> = [
  ["a read", "GET", "/rooms/r/messages?status=claimed"],
  ["a list of reservations", "GET", "/rooms/r/reservations"],
  ["an evaluation", "POST", "/rooms/r/eval", { expr: "messages.kind.task.claimed" }],
  ["a write", "PUT", "/rooms/r/state", { key: "k", value: 1 }],
  ["its own return", "POST", "/rooms/r/agents", { id: "ann", name: "Ann" }],
  ["the same request", "DELETE", "/rooms/r/agents/ann"],
];

for (const [name, ...look] of LOOKS) {
  Deno.test(`what an agent held is over for whoever looks next, where its instance died as it left: ${name}`, async () => {
    const { dies, wrap } = dying();
    await withApp(async ({ json, request }) => {
      await json("POST", "/rooms", { id: "r" });
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
      const ids = Array.from({ length: 130 }, (_, n) => n + 2);
      await Promise.all(ids.map((n) => json("POST", "/rooms/r/messages", { kind: "task", body: n })));
      await Promise.all(ids.map((id) => json("POST", `/rooms/r/messages/${id}/claim`, { agent: "ann" })));
      await json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["src"] });
      dies(true);
      const left = await json("DELETE", "/rooms/r/agents/ann");
      assert.deepEqual([left.status, left.body], [200, { left: true }]);
      dies(false);
      const reply = await request(...look);
      assert.ok(reply.status < 300);
      const answer = await reply.json();
      if (look[0] === "GET") assert.deepEqual(answer, []);
      if (name === "an evaluation") assert.equal(answer.value, 0);
      if (name === "the same request") assert.deepEqual(answer, { left: false });
      const { body } = await json("GET", "/rooms/r/messages?status=open&limit=1000");
      assert.equal(body.length, 130);
      for (const id of [2, 131]) {
        assert.equal((await json("GET", `/rooms/r/messages/${id}/attempts`)).body[0].ended, "released");
      }
      // Whoever is back may hold something again.
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
      assert.equal((await json("POST", "/rooms/r/messages/2/claim", { agent: "ann" })).status, 200);
      assert.equal((await json("GET", "/rooms/r/messages/2")).body.claimed_by, "ann");
    }, { wrap });
  });
}

/** One more than the first round trip of a look ends. */
const CLAIMED = `
  WITH RECURSIVE claimed (id) AS (SELECT 1001 UNION ALL SELECT id + 1 FROM claimed WHERE id < ${
  1001 + MAX_IN_FIRST
})
  INSERT INTO messages (room_id, id, kind, body, created_at, claimed_by, claimed_at, fence, attempts, revision)
  SELECT 'r', id, 'task', '1', '', 'ann', '', id, 1, id FROM claimed`;
/** A mark that a wait has left, as what its agent does next makes it due. */
const LEFT = "INSERT INTO waits VALUES ('r', 'bob', 'over', 'true', 0, 3)";

Deno.test("what an agent held is over for whoever looks next, also where a mark of another ends with it", () => {
  const { dies, wrap } = dying();
  return withApp(async ({ json, file }) => {
    await json("POST", "/rooms", { id: "r" });
    for (const id of ["ann", "bob"]) await json("POST", "/rooms/r/agents", { id, name: id });
    const client = createClient({ url: file });
    for (const sql of [CLAIMED, "UPDATE rooms SET revision = 2000"]) await client.execute(sql);
    dies(true);
    assert.deepEqual((await json("DELETE", "/rooms/r/agents/ann")).body, { left: true });
    dies(false);
    await client.execute(LEFT);
    client.close();
    assert.deepEqual((await json("GET", "/rooms/r/messages?status=claimed")).body, []);
  }, { wrap });
});

Deno.test("what an agent holds is found by an index", () =>
  withApp(async ({ json, batches, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
    await json("POST", "/rooms/r/messages/2/claim", { agent: "ann" });
    batches.length = 0;
    await json("DELETE", "/rooms/r/agents/ann");
    const statements = batches.flatMap(({ statements }) => statements).filter(({ sql }) =>
      sql.includes("messages_held")
    );
    assert.ok(statements.length > 3);
    const client = createClient({ url: file });
    for (const { sql, args } of statements) {
      const named = args as Record<string, string>;
      const { rows } = await client.execute({ sql: `EXPLAIN QUERY PLAN ${sql}`, args: named });
      const steps = rows.map(({ detail }) => String(detail)).filter((step) => /messages_held/.test(step));
      assert.ok(steps.length > 0);
      for (const step of steps) assert.match(step, /INDEX messages_held \(room_id=\? AND claimed_by=\?\)/);
    }
    client.close();
  }));

Deno.test("an agent that holds nothing leaves in one round trip, and makes nothing due", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    batches.length = 0;
    await json("DELETE", "/rooms/r/agents/ann");
    assert.equal(batches.length, 1);
    await json("GET", "/rooms/r/agents");
    assert.equal(batches.length, 2);
  }));

/** An agent that holds 40 tasks with one attempt, each of which six others need. */
const NEEDED = [
  `WITH RECURSIVE held (id) AS (SELECT 1001 UNION ALL SELECT id + 1 FROM held WHERE id < 1040)
   INSERT INTO messages (
     room_id, id, kind, body, created_at, claimed_by, claimed_at, fence, attempts, max_attempts, revision)
   SELECT 'r', id, 'task', '1', '', 'ann', '', id, 1, 1, id FROM held`,
  `WITH RECURSIVE needing (id) AS (SELECT 1101 UNION ALL SELECT id + 1 FROM needing WHERE id < 1340)
   INSERT INTO messages (room_id, id, kind, body, created_at, claimed_by, status, attempts, revision, needs)
   SELECT 'r', id, 'task', '1', '', '', 'blocked', 0, id, json_array(1001 + (id - 1101) / 6) FROM needing`,
  `INSERT INTO needs (room_id, message_id, need_id)
   SELECT room_id, id, needs ->> 0 FROM messages WHERE needs IS NOT NULL`,
  "UPDATE rooms SET revision = 2000",
];

Deno.test("of tasks with which many others fail, one at most ends in one batch", () =>
  withApp(async ({ json, file, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const client = createClient({ url: file });
    for (const sql of NEEDED) await client.execute(sql);
    client.close();
    batches.length = 0;
    assert.deepEqual((await json("DELETE", "/rooms/r/agents/ann")).body, { left: true });
    const { body } = await json("GET", "/rooms/r/changes?after=2000&limit=1000");
    const revisions = new Set(body.messages.map(({ revision }: { revision: number }) => revision));
    for (const revision of revisions) {
      const ended = body.messages.filter((message: { revision: number }) => message.revision === revision);
      const failures = ended.map(({ failure }: { failure: { reason: string } }) => failure.reason);
      const held = failures.filter((reason: string) => reason === "attempts").length;
      assert.ok(held <= 1 && failures.length === 7 * held, `${failures}`);
    }
    assert.equal(body.messages.length, 280);
    assert.ok(batches.length > revisions.size, `${revisions.size} revisions in ${batches.length} batches`);
  }));
