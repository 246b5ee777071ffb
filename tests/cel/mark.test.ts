import assert from "node:assert/strict";
import { createMark } from "../../cel/waits/mark.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { type Batch, withApp } from "../support/app.ts";

/** A promise of the service: so long after its timeout a wait ends at the latest. */
const LATE_MS = 2_000;
const TIMEOUT_MS = 300;

const sends = ({ statements }: Batch, sql: string) =>
  statements.some((statement) => statement.sql.includes(sql));

/** A connection that takes batches with such statements and does not answer them before it is released. */
function swallow(sql: string) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const late = setTimeout(release, 2 * LATE_MS);
  let swallowed = 0;
  return {
    get swallowed() {
      return swallowed;
    },
    release() {
      clearTimeout(late);
      release();
    },
    wrap: (connection: Connection): Connection => ({
      async send(statements, mode) {
        if (sends({ statements, mode }, sql)) {
          swallowed++;
          await released;
        }
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  };
}

for (
  const [what, sql] of [["set", "INSERT INTO waits"], [
    "cleared",
    "DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND token",
  ]] as const
) {
  Deno.test(`a wait is answered in time though the database does not answer when its mark is ${what}`, async () => {
    const database = swallow(sql);
    await withApp(async ({ json }) => {
      await json("POST", "/rooms", { id: "r" });
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
      try {
        const from = performance.now();
        const { body } = await json("POST", "/rooms/r/wait", {
          condition: "false",
          agent: "ann",
          timeout: TIMEOUT_MS,
        });
        const took = performance.now() - from;
        assert.deepEqual([body.triggered, body.timeout, database.swallowed], [false, true, 1]);
        assert.ok(took < TIMEOUT_MS + LATE_MS, `${Math.round(took)} ms`);
      } finally {
        database.release();
      }
      // What came late is made up for: the mark goes as soon as the database answers.
      const gone = await json("POST", "/rooms/r/wait", { condition: 'agents.ann.status == "active"' });
      assert.equal(gone.body.triggered, true);
    }, { wrap: database.wrap, poll: 50 });
  });
}

Deno.test("an answer that is late already does not wait long for its mark to be cleared", async () => {
  const database = swallow("INSERT INTO waits");
  await withApp(async ({ json, services, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    let elapsed = 0;
    const by = { viewer: EVERYBODY, acts: { as: "ann" } };
    const wait = {
      room: "r",
      agent: "ann",
      by,
      token: "t",
      waitingOn: "false",
      began: 0,
      timeout: TIMEOUT_MS,
    };
    const mark = createMark({ ...services.database, elapsed: () => elapsed }, wait, assert.ifError);
    const sent = nextBatch((batch) => sends(batch, "INSERT INTO waits"));
    mark.set();
    await sent;
    elapsed = TIMEOUT_MS + LATE_MS - 150;
    const from = performance.now();
    await mark.clear();
    const took = performance.now() - from;
    database.release();
    assert.equal(database.swallowed, 1);
    assert.ok(took < 150, `${Math.round(took)} ms`);
  }, { wrap: database.wrap });
});

Deno.test("a database that takes no writes keeps no wait from its answer: the agent leaves no sign and no mark", () => {
  let full = false;
  const wrap = (connection: Connection): Connection => ({
    send(statements, mode) {
      if (!full || mode === "read") return connection.send(statements, mode);
      return Promise.reject(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }));
    },
    close: () => connection.close(),
  });
  return withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    full = true;
    const waits = [
      { condition: "self == null" },
      { condition: "agents.ann.status == 'active'", agent: "ann", include: "agents" },
      { condition: "false", agent: "ann", timeout: 0 },
      { condition: "false", agent: "ann", timeout: TIMEOUT_MS },
      { condition: "false", agent: "nobody", timeout: 0 },
    ];
    const answers = await Promise.all(waits.map((wait) => json("POST", "/rooms/r/wait", wait)));
    assert.deepEqual(answers.map(({ status, body }) => [status, body.triggered]), [
      [200, true],
      [200, true],
      [200, false],
      [200, false],
      [200, false],
    ]);
    assert.equal(answers.at(-1)!.body.notice, "agent_not_registered");
    full = false;
    const { body } = await json("POST", "/rooms/r/wait", { condition: "true", agent: "ann" });
    assert.equal(body.triggered, true);
  }, { wrap });
});
