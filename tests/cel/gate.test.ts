import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
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

Deno.test("gated writes of one room that come at once are one chain: a read, and one write for all", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "n", value: 0 });
    const gated = { key: "n", increment: 1, if: "state._shared.n < 20" };
    const before = batches.length;
    const first = json("PUT", "/rooms/r/state", gated);
    const answers = await Promise.all([
      first,
      ...Array.from({ length: 23 }, () => json("PUT", "/rooms/r/state", gated)),
    ]);
    assert.equal(answers.filter(({ status }) => status === 200).length, 20);
    assert.equal(answers.filter(({ status }) => status === 409).length, 4);
    const modes = batches.slice(before).map(({ mode }) => mode);
    assert.deepEqual(modes, ["read", "write", "write"], "the first alone, the others on what it left");
  }));

Deno.test("a chain hands a turn on, and a refusal shows the state that the write before it left", () =>
  withApp(async ({ json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "turn", value: 0 });
    const turn = (n: number) => ({ key: "turn", value: n + 1, if: `state._shared.turn == ${n}` });
    const take = async (n: number) => {
      const response = await request("PUT", "/rooms/r/state", turn(n));
      const { value, evaluated } = await response.json();
      return [response.status, value ?? evaluated, Number(response.headers.get("Convene-Revision"))];
    };
    assert.deepEqual(await Promise.all([0, 1, 1, 2, 5, 3].map(take)), [
      [200, 1, 2],
      [200, 2, 3],
      [409, false, 3],
      [200, 3, 4],
      [409, false, 4],
      [200, 4, 5],
    ]);
  }));

Deno.test("a chain whose ground moved is judged again as a whole", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "n", value: 1 });
    once(() => request("PUT", "/rooms/r/state", { key: "n", increment: 10 }));
    const add = (below: number) =>
      json("PUT", "/rooms/r/state", { key: "n", increment: 1, if: `state._shared.n < ${below}` });
    const answers = await Promise.all([add(3), add(20), add(13), add(13)]);
    assert.deepEqual(answers.map(({ status }) => status), [409, 200, 200, 409]);
    assert.equal((await json("GET", "/rooms/r/state?key=n")).body.value, 13);
  }, { wrap });
});

Deno.test("a write that is refused for its version changes nothing of those behind it", () =>
  withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "n", value: 1 });
    const put = (value: number, gate: string, more = {}) =>
      json("PUT", "/rooms/r/state", { key: "n", value, if: gate, ...more });
    const answers = await Promise.all([
      put(2, "state._shared.n == 1"),
      put(9, "state._shared.n == 2", { if_version: 7 }),
      put(3, "state._shared.n == 9"),
      put(4, "state._shared.n == 2"),
    ]);
    assert.deepEqual(answers.map(({ status, body }) => body.error ?? status), [
      200,
      "version_conflict",
      "precondition_failed",
      200,
    ]);
  }));

Deno.test("a gate that fails for the whole of a read leaves others be", () =>
  withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const put = (gate: string) => json("PUT", "/rooms/r/state", { key: "n", increment: 1, if: gate });
    const answers = await Promise.all([
      put("true"),
      put("state._shared.missing == 1"),
      put("1 / 0 == 1"),
      put("state._shared.n >= 1"),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 409, 409, 200]);
  }));

Deno.test("what another instance has written since counts, be the gate true or false over what the last chain left", () =>
  withApp(async ({ json, file }) => {
    const other = createDatabase({ connect: () => connect(file) });
    const services = createServices(other);
    const elsewhere = createApp(services);
    try {
      await json("POST", "/rooms", { id: "r" });
      await json("PUT", "/rooms/r/state", { key: "n", value: 0 });
      const gated = (value: number, gate: string) =>
        json("PUT", "/rooms/r/state", { key: "n", value, if: gate });
      const write = (value: number) =>
        elsewhere.request("/rooms/r/state", { method: "PUT", body: JSON.stringify({ key: "n", value }) });
      assert.equal((await gated(1, "state._shared.n == 0")).status, 200);
      await write(5);
      assert.equal((await gated(2, "state._shared.n == 5")).status, 200);
      await write(6);
      assert.equal((await gated(3, "state._shared.n == 2")).status, 409);
      assert.equal((await gated(4, "state._shared.n == 6")).status, 200);
    } finally {
      await services.watch.drain();
      await other.close();
    }
  }));
