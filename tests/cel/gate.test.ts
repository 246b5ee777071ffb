import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { isPoll, type TestApp, withApp } from "../support/app.ts";
import { meddler } from "../support/meddler.ts";
import { bearer } from "../support/tokens.ts";

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

for (
  const [what, gate, by] of [
    ["a key", "!has(state.ann.lock)", "ann"],
    ["a whole", "size(state.ann) == 0", "ann"],
    ["the whole state", "!state.exists(s, has(state[s].lock))", "ann"],
    ["what a view shows", "!state._view.locked", "nobody"],
  ] as const
) {
  Deno.test(`a gate over a private scope holds in the very state that its write applies to: ${what}`, async () => {
    const { once, wrap } = meddler();
    await withApp(async ({ json, request }) => {
      await json("POST", "/rooms", { id: "r" });
      const { body: { token } } = await json("POST", "/rooms/r/agents", {
        id: "ann",
        name: "Ann",
        secure: true,
        private: true,
      });
      const put = (body: unknown, by = "ann") =>
        request("PUT", "/rooms/r/state", body, by === "ann" ? bearer(token) : {});
      await put({ scope: "_view", key: "locked", expr: "has(state.ann.lock)" });
      once(() => put({ scope: "ann", key: "lock", value: 1 }));
      assert.equal((await put({ key: "k", value: 1, if: gate }, by)).status, 409);
    }, { wrap });
  });
}

Deno.test("a gate holds in the very state that its write applies to, though its value is computed after it", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "n", value: 0.5 });
    // The gate is judged over the first read, and the sum computed over the second.
    once(() => Promise.resolve(once(() => request("PUT", "/rooms/r/state", { key: "lock", value: "bob" }))));
    const gated = { key: "n", increment: 1, if: "!has(state._shared.lock)" };
    const { status, body } = await json("PUT", "/rooms/r/state", gated);
    assert.deepEqual([status, body.error], [409, "precondition_failed"]);
    assert.equal((await json("GET", "/rooms/r/state?key=n")).body.value, 0.5);
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

for (const condition of ["has(agents.ann)", "agents.size() == 1", "has(state.ann.x) == false"]) {
  Deno.test(`a gate is judged again where an agent has left before its write: ${condition}`, async () => {
    const { once, wrap } = meddler();
    await withApp(async ({ json, request }) => {
      await json("POST", "/rooms", { id: "r" });
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
      once(() => request("DELETE", "/rooms/r/agents/ann"));
      const { status, body } = await json("PUT", "/rooms/r/state", { key: "n", value: 1, if: condition });
      assert.deepEqual([status, body.error], [409, "precondition_failed"]);
      assert.equal((await json("GET", "/rooms/r/state?key=n")).status, 404);
    }, { wrap });
  });
}

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
  ["a count of a kind", "messages.kind.task.count == 0", ["POST", "/rooms/r/messages", {
    kind: "task",
    body: 1,
  }]],
  ["the newest message to an agent", "messages.to.ann.last == 0", ["POST", "/rooms/r/messages", {
    to: "ann",
    body: 1,
  }]],
  ["a message that the state names", "!has(messages.id[state._shared.seed + 3])", [
    "POST",
    "/rooms/r/messages",
    {
      body: 1,
    },
  ]],
  ["which message the state names", "!has(messages.id[state._shared.seed + 3])", ["PUT", "/rooms/r/state", {
    key: "seed",
    value: null,
  }]],
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

Deno.test("a gate sees that an agent's alive has changed with the time before its write", async () => {
  const time = { now: Date.parse("2026-11-22T12:00:00.000Z") };
  const { once, wrap } = meddler();
  await withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const put = (gate: string) => json("PUT", "/rooms/r/state", { key: "k", value: 1, if: gate });
    assert.equal((await put("agents.ann.alive")).status, 200);
    time.now += 59_991;
    once(() => Promise.resolve(time.now += 10));
    const refused = await put("agents.ann.alive");
    assert.deepEqual([refused.status, refused.body.evaluated], [409, false]);
    once(() => json("POST", "/rooms/r/agents/ann/heartbeat", {}));
    const again = await put("!agents.ann.alive");
    assert.deepEqual([again.status, again.body.evaluated], [409, false]);
    once(() => json("POST", "/rooms/r/agents/ann/heartbeat", {}));
    assert.equal((await put("agents.ann.alive")).status, 200);
  }, { wrap, time });
});

Deno.test("an agent is alive for a minute after its last sign of life, and while it waits", async () => {
  const time = { now: Date.parse("2026-11-22T12:00:00.000Z") };
  await withApp(async ({ json, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const before = (await json("GET", "/rooms/r/changes")).body.revision;
    const seen = async () => {
      const { body: one } = await json("GET", "/rooms/r/agents/ann");
      const { body: [listed] } = await json("GET", "/rooms/r/agents");
      const { body: { agents: [changed] } } = await json("GET", "/rooms/r/changes");
      const { body: { value } } = await json("POST", "/rooms/r/eval", { expr: "agents.ann.alive" });
      return [one.alive, listed.alive, changed.alive, value];
    };
    time.now += 60_000;
    assert.deepEqual(await seen(), [true, true, true, true]);
    time.now += 1;
    assert.deepEqual(await seen(), [false, false, false, false]);
    const client = createClient({ url: file });
    await client.execute(
      `INSERT INTO waits SELECT room_id, id, 't', 'false', ${time.now + 9_000}, revision FROM agents`,
    );
    client.close();
    assert.deepEqual(await seen(), [true, true, true, true]);
    assert.equal((await json("GET", "/rooms/r/changes")).body.revision, before);
    time.now += 9_000;
    assert.deepEqual(await seen(), [false, false, false, false]);
  }, { time });
});

Deno.test("a wait hears that an agent is alive no longer, though the room has not moved", async () => {
  const time = { now: Date.parse("2026-11-22T12:00:00.000Z") };
  await withApp(async ({ json, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await json("PUT", "/rooms/r/state", { scope: "_view", key: "gone", expr: "!agents.ann.alive" });
    const polled = nextBatch(isPoll);
    const waits = ["!agents.ann.alive", "state._view.gone"].map((condition) =>
      json("POST", "/rooms/r/wait", { condition, timeout: 9_000 })
    );
    await polled;
    time.now += 60_001;
    for (const wait of waits) assert.equal((await wait).body.triggered, true);
  }, { time });
});

Deno.test("waits that share a view which looks up a message are judged by what that is", () =>
  withApp(async ({ json, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids: number[] = [];
    for (const agent of ["ann", "bob"]) {
      ids.push((await json("POST", "/rooms/r/messages", { body: 1 })).body.id);
      await json("POST", `/rooms/r/messages/${ids.at(-1)}/claim`, { agent });
    }
    ids.push((await json("POST", "/rooms/r/messages", { body: 1 })).body.id);
    const name = (id: number) => json("PUT", "/rooms/r/state", { key: "task", value: id });
    await name(ids[0]!);
    const expr = "messages.id[state._shared.task].claimed_by";
    await json("PUT", "/rooms/r/state", { scope: "_view", key: "holder", expr });
    const include = ["state._shared"];
    const wait = (condition: string) => json("POST", "/rooms/r/wait", { condition, include, timeout: 9_000 });
    const polled = nextBatch(isPoll);
    const waits = ["'cat'", "null", "'bob'"].map((holder) => wait(`state._view.holder == ${holder}`));
    await polled;
    await name(ids[1]!);
    assert.equal((await waits[2]!).body.state._shared.task, ids[1]);
    await name(ids[2]!);
    assert.equal((await waits[1]!).body.state._shared.task, ids[2]);
    await json("POST", `/rooms/r/messages/${ids[2]}/claim`, { agent: "cat" });
    assert.equal((await waits[0]!).body.triggered, true);
  }));

/** Compiles expressions beforehand, so that requests come to the gate in the order in which they were sent. */
async function compiled({ json }: Pick<TestApp, "json">, room: string, gates: string[]): Promise<void> {
  for (const expr of gates) await json("POST", `/rooms/${room}/eval`, { expr });
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
    await compiled({ json }, "r", [0, 1, 2, 3, 5].map((n) => turn(n).if));
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
    const add = (below: number) =>
      json("PUT", "/rooms/r/state", { key: "n", increment: 1, if: `state._shared.n < ${below}` });
    await compiled({ json }, "r", [3, 20, 13].map((below) => `state._shared.n < ${below}`));
    once(() => request("PUT", "/rooms/r/state", { key: "n", increment: 10 }));
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
    await compiled({ json }, "r", [1, 2, 9].map((n) => `state._shared.n == ${n}`));
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
    const gates = ["true", "state._shared.missing == 1", "1 / 0 == 1", "state._shared.n >= 1"];
    await compiled({ json }, "r", gates);
    const answers = await Promise.all(gates.map(put));
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

const asksWhoIsSecure = ({ sql }: Statement) => /^SELECT\s*\(SELECT json_group_array\(agent_id\)/.test(sql);

Deno.test("a write of a chain is answered without what the refusal of another one reads", async () => {
  const made = Promise.withResolvers<void>();
  let isHeld = false;
  await withApp(async ({ json, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann", secure: true });
    await json("PUT", "/rooms/r/state", { key: "n", value: 0 });
    const put = (n: number, gate: string, agent?: string) =>
      json("PUT", "/rooms/r/state", { key: "n", value: n, if: gate, agent });
    const gates = ["state._shared.n == 0", "state._shared.n == 1", "state._shared.n == 9"] as const;
    await compiled({ json }, "r", [...gates]);
    isHeld = true;
    const asked = nextBatch(({ statements }) => statements.some(asksWhoIsSecure));
    const [first, second, refused] = [put(1, gates[0]), put(2, gates[1]), put(3, gates[2], "cat")];
    await asked;
    assert.deepEqual([(await first).status, (await second).status], [200, 200]);
    made.resolve();
    assert.equal((await refused).status, 409);
  }, {
    wrap: (connection) => ({
      async send(statements, mode) {
        if (isHeld && statements.some(asksWhoIsSecure)) await made.promise;
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});
