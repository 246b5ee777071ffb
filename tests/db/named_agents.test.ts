import assert from "node:assert/strict";
import { weightOfReads } from "../../db/snapshots/snapshot_sql.ts";
import { withApp } from "../support/app.ts";

const AGENTS = Array.from({ length: 51 }, (_, n) => `a${n}`);
const KEYS = Array.from({ length: 50 }, (_, n) => `k${n}`);
const COUNTS = [1, 2, 4, 5, 50, 51];

/** As long as a value may be, each character of it escaped whenever it is written as JSON. */
const LONG = '"'.repeat(32_700);
const MAX_ANSWER = 10 * 2 ** 20;

Deno.test("an expression sees the agents that it names, however many, in one round trip", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    for (const [n, id] of AGENTS.entries()) {
      await json("POST", "/rooms/r/agents", { id, name: id, meta: { n } });
    }
    for (const count of COUNTS) {
      const named = AGENTS.slice(-count).reverse();
      batches.length = 0;
      const { body } = await json("POST", "/rooms/r/eval", {
        expr: `[${named.map((id) => `agents.${id}.meta.n`)}]`,
      });
      assert.deepEqual(body.value, named.map((id) => Number(id.slice(1))), `${count}`);
      assert.equal(batches.length, 1, `${count}`);
    }
  }));

Deno.test("many long keys and agents that an expression names fit into a server's answers", async () => {
  let longest = 0;
  await withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    for (const id of AGENTS) {
      const { status } = await json("POST", "/rooms/r/agents", { id, name: id, meta: { long: LONG } });
      assert.equal(status, 201);
    }
    for (const key of KEYS) {
      const { status } = await json("PUT", "/rooms/r/state", { key, value: LONG });
      assert.equal(status, 200);
    }
    for (const count of COUNTS) {
      const keys = KEYS.map((key) => `has(state._shared.${key})`);
      const agents = AGENTS.slice(0, count).map((id) => `has(agents.${id})`);
      longest = 0;
      const { body } = await json("POST", "/rooms/r/eval", { expr: [...keys, ...agents].join(" && ") });
      assert.equal(body.value, true, `${count}`);
      assert.ok(longest > LONG.length && longest < MAX_ANSWER, `${count} ${longest}`);
    }
  }, {
    wrap: (connection) => ({
      async send(statements, mode) {
        const results = await connection.send(statements, mode);
        longest = Math.max(longest, new TextEncoder().encode(JSON.stringify(results)).length);
        return results;
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("agents that are named weigh no more than a page of them", () => {
  const weights = COUNTS.map((count) =>
    weightOfReads({ state: { scopes: [], keys: [] }, agents: AGENTS.slice(0, count), messages: false })
  );
  assert.deepEqual(weights.map(({ named, lists }) => [named, lists]), [
    [5, 0],
    [9, 0],
    [17, 0],
    [17, 0],
    [17, 0],
    [1, 1],
  ]);
});
