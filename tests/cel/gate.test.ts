import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { withApp } from "../support/app.ts";

/** Runs `meddle` once, between the next gate's read and its write. */
function meddler() {
  let meddle: (() => Promise<unknown>) | undefined;
  return {
    once: (action: () => Promise<unknown>) => void (meddle = action),
    wrap: (connection: Connection): Connection => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        const action = mode === "read" ? meddle : undefined;
        if (action) {
          meddle = undefined;
          await action();
        }
        return rows;
      },
      close: () => connection.close(),
    }),
  };
}

Deno.test("a gate holds in the very state that its write applies to", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    once(() => request("PUT", "/rooms/r/state", { key: "lock", value: "bob" }));
    const gated = { key: "lock", value: "ann", if: "!has(state._shared.lock)" };
    const { status, body } = await json("PUT", "/rooms/r/state", gated);
    assert.equal(status, 409);
    assert.equal(body.error, "precondition_failed");
    assert.equal((await json("GET", "/rooms/r/state?key=lock")).body.value, "bob");
  }, { wrap });
});

Deno.test("a gate whose ground moved is judged again and goes through where it is still true", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, request, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "n", value: 1 });
    once(() => request("PUT", "/rooms/r/state", { key: "n", increment: 1 }));
    const before = batches.length;
    const { status } = await json("PUT", "/rooms/r/state", {
      key: "n",
      increment: 10,
      if: "state._shared.n < 5",
    });
    assert.equal(status, 200);
    assert.equal(batches.length - before, 5, "read, the other's write, refused, read, admitted");
    assert.equal((await json("GET", "/rooms/r/state?key=n")).body.value, 12);
  }, { wrap });
});

Deno.test("what a gate does not read may change meanwhile", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, request, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    once(async () => {
      await request("PUT", "/rooms/r/state", { key: "other", value: 1 });
      await request("POST", "/rooms/r/agents", { id: "zed", name: "Zed" });
      await request("POST", "/rooms/r/messages", { body: 1 });
    });
    const before = batches.length;
    const { status } = await json("PUT", "/rooms/r/state", {
      key: "lock",
      value: 1,
      if: "!has(state._shared.lock)",
    });
    assert.equal(status, 200);
    assert.equal(batches.length - before, 5, "read, the three others, admitted");
  }, { wrap });
});

const MOVES: Array<[what: string, gate: string, meddle: [string, string, unknown]]> = [
  ["a deleted key", "has(state._shared.seed)", ["DELETE", "/rooms/r/state", { key: "seed" }]],
  ["a scope", "size(state._shared) == 1", ["PUT", "/rooms/r/state", { key: "more", value: 1 }]],
  ["all state", 'state.all(scope, scope != "other")', ["PUT", "/rooms/r/state", {
    scope: "other",
    key: "k",
    value: 1,
  }]],
  ["an agent", 'agents.ann.status == "active"', ["POST", "/rooms/r/agents/ann/heartbeat", {
    status: "idle",
  }]],
  ["all agents", "size(agents) == 1", ["POST", "/rooms/r/agents", { id: "bob", name: "Bob" }]],
  ["an agent's scope that appears", "!has(state.?bob)", ["POST", "/rooms/r/agents", {
    id: "bob",
    name: "Bob",
  }]],
  ["messages", "messages.count == 0", ["POST", "/rooms/r/messages", { body: 1 }]],
  ["a view's definition", "state._view.open", ["PUT", "/rooms/r/state", {
    scope: "_view",
    key: "open",
    expr: "false",
  }]],
  ["what a view reads", "state._view.open", ["DELETE", "/rooms/r/state", { key: "seed" }]],
];

for (const [what, gate, meddle] of MOVES) {
  Deno.test(`a gate sees that ${what} changed before its write`, async () => {
    const { once, wrap } = meddler();
    await withApp(async ({ json, request }) => {
      await json("POST", "/rooms", { id: "r" });
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
      await json("PUT", "/rooms/r/state", { key: "seed", value: 1 });
      await json("PUT", "/rooms/r/state", { scope: "_view", key: "open", expr: "has(state._shared.seed)" });
      const gated = { key: "seed", value: 2, if: gate };
      assert.equal((await json("POST", "/rooms/r/eval", { expr: gate })).body.value, true);
      once(() => request(...meddle));
      const meddled = await json("PUT", "/rooms/r/state", gated);
      assert.deepEqual(
        [meddled.status, meddled.body.error],
        [409, "precondition_failed"],
        JSON.stringify(meddled.body),
      );
    }, { wrap });
  });
}

Deno.test("gated writes of one room wait for each other and all go through", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    const before = batches.length;
    const gated = { key: "n", increment: 1, if: "state._shared.?n.orValue(0) < 20" };
    const answers = await Promise.all(Array.from({ length: 24 }, () => json("PUT", "/rooms/r/state", gated)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 20);
    assert.equal(answers.filter(({ status }) => status === 409).length, 4);
    assert.equal(
      batches.length - before,
      44,
      "two round trips for each that went through, one for each refused",
    );
  }));
