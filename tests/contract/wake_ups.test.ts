import assert from "node:assert/strict";
import { backends, Subject } from "../support/backends.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { startDistance } from "../support/distance.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";
import type { Json } from "../support/client.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const NEVER_MS = 60_000; // a poll that does not come within a test
/** Far below the 20 s after which the last look of a wait finds what nothing has told it. */
const SOON_MS = 5_000;
/** The polling interval. */
const POLL_MS = 250;

for (const backend of backends) {
  Deno.test(`${backend.name}: in one instance the answer comes with the write, not with the next poll`, async () => {
    const service = await backend.open({ WAIT_POLL_MS: String(NEVER_MS) });
    try {
      const t = new Subject(service.url);
      const room = await t.room();
      await t.agent(room, "ann");
      for (const key of ["a", "b", "c"]) {
        const condition = `has(state._shared.${key})`;
        const waiting = t.post(`/rooms/${room}/wait`, { condition, agent: "ann", timeout: 20_000 });
        await t.agentUntil(room, "ann", (agent) => agent.waiting_on === condition);
        const from = Date.now();
        await t.write(room, key, 1);
        assert.equal((await waiting).body.triggered, true);
        assert.ok(Date.now() - from < SOON_MS, `${Date.now() - from} ms`);
      }
    } finally {
      await service.stop();
    }
  });
}

let cluster: Promise<Cluster> | undefined;

Deno.test.afterAll(async () => {
  await (await cluster?.catch(() => undefined))?.stop();
});

/** Runs a test with two instances of one libSQL server, which the tests of this file share. */
async function withTwo(test: (a: Subject, b: Subject) => Promise<void>): Promise<void> {
  const { services } = await (cluster ??= startCluster());
  await test(...services.map((service) => new Subject(service.url)) as [Subject, Subject]);
}

Deno.test("two instances: a wait in one ends soon after a write in the other", () =>
  withTwo(async (a, b) => {
    const room = await a.room();
    await a.agent(room, "ann");
    const { id } = await a.message(room);
    const writes: [string, () => Promise<unknown>][] = [
      ["has(state._shared.k)", () => b.write(room, "k", 1)],
      ["messages.count > 1", () => b.message(room)],
      ["messages.unclaimed == 1", () => b.post(`/rooms/${room}/messages/${id}/claim`, { agent: "x" })],
      ['"bob" in agents', () => b.agent(room, "bob")],
      [
        'agents.bob.status == "idle"',
        () => b.post(`/rooms/${room}/agents/bob/heartbeat`, { status: "idle" }),
      ],
      ["!has(state._shared.k)", () => b.delete(`/rooms/${room}/state`, { key: "k" })],
      ["state._view.v", () => b.view(room, "v", "true")],
    ];
    for (const [condition, write] of writes) {
      const waiting = a.post(`/rooms/${room}/wait`, { condition, agent: "ann", timeout: 10_000 });
      const shown = await b.agentUntil(room, "ann", (agent) => agent.waiting_on === condition);
      assert.equal(shown.status, "waiting");
      const from = Date.now();
      await write();
      assert.equal((await waiting).body.triggered, true, condition);
      assert.ok(Date.now() - from < 1_250, `${condition}: ${Date.now() - from} ms`);
    }
  }));

Deno.test("two instances: a write in the other is never missed, whenever it comes", () =>
  withTwo(async (a, b) => {
    const waits = Array.from({ length: 60 }, async (_, n) => {
      // A room of its own, where no other write can make up for a lost one.
      const room = await a.room();
      await a.agent(room, "ann");
      const agent = n % 2 ? "ann" : undefined;
      const writer = n % 3 ? b : a;
      const from = Date.now();
      const condition = "has(state._shared.k)";
      const waiting = a.post(`/rooms/${room}/wait`, { condition, agent, timeout: 6_000 });
      // From before the wait is read to long after: the moments between are what this is about.
      await pause(n * 3);
      await writer.write(room, "k", 1);
      const { body } = await waiting;
      assert.equal(body.triggered, true);
      assert.ok(Date.now() - from < 4_000, `write ${n * 3} ms after the wait: ${Date.now() - from} ms`);
    });
    await Promise.all(waits);
  }));

Deno.test("two instances: what became true an interval before the deadline is reported", () =>
  withTwo(async (a, b) => {
    const room = await a.room();
    let inTime = 0;
    const waits = Array.from({ length: 10 }, async (_, n) => {
      const from = performance.now();
      const waiting = a.post(`/rooms/${room}/wait`, {
        condition: `has(state._shared.k${n})`,
        timeout: 6_000,
      });
      await pause(500 + n * 550);
      await b.write(room, `k${n}`, 1);
      // The wait began after it was sent: a write that is answered by then was made an interval before its deadline.
      const promised = performance.now() - from <= 6_000 - POLL_MS;
      if (promised) inTime++;
      const { body } = await waiting;
      assert.ok(body.triggered || !promised, `the write of k${n} was not reported`);
    });
    await Promise.all(waits);
    assert.ok(inTime > 0, "the machine was too busy for every write");
  }));

Deno.test("two instances: the last look before the deadline does not depend on the poll", async () => {
  const cluster = await startCluster(2, { WAIT_POLL_MS: String(NEVER_MS) });
  try {
    const [a, b] = cluster.services.map((service) => new Subject(service.url)) as [Subject, Subject];
    const room = await a.room();
    await a.agent(room, "ann");
    const condition = "has(state._shared.k)";
    const waiting = a.post(`/rooms/${room}/wait`, { condition, agent: "ann", timeout: 4_000 });
    await b.agentUntil(room, "ann", (agent) => agent.waiting_on === condition);
    await b.write(room, "k", 1);
    assert.equal((await waiting).body.triggered, true);
  } finally {
    await cluster.stop();
  }
});

Deno.test("two instances: an agent that waits at both shows the newest wait, and loses the mark of neither", () =>
  withTwo(async (a, b) => {
    const room = await a.room();
    await a.agent(room, "ann");
    const waiting = [];
    for (const [t, key] of [[a, "x"], [b, "y"]] as const) {
      const condition = `has(state._shared.${key})`;
      waiting.push(t.post(`/rooms/${room}/wait`, { condition, agent: "ann", timeout: 10_000 }));
      for (const look of [a, b]) {
        await look.agentUntil(room, "ann", (agent) => agent.waiting_on === condition);
      }
    }
    await a.write(room, "y", 1);
    await waiting[1];
    for (const look of [a, b]) {
      const { body } = await look.get(`/rooms/${room}/agents/ann`);
      assert.deepEqual([body.status, body.waiting_on], ["waiting", "has(state._shared.x)"]);
    }
    await b.write(room, "x", 1);
    await waiting[0];
    assert.equal((await b.get(`/rooms/${room}/agents/ann`)).body.status, "active");
  }));

Deno.test("two instances: a heartbeat at one is seen by those who wait for it at the other", () =>
  withTwo(async (a, b) => {
    const room = await a.room();
    const { last_heartbeat } = await a.agent(room, "ann");
    await a.agent(room, "bob");
    const condition = `agents.ann.last_heartbeat != "${last_heartbeat}"`;
    const waiting = a.post(`/rooms/${room}/wait`, { condition, agent: "bob", timeout: 10_000 });
    await b.agentUntil(room, "bob", ({ status }) => status === "waiting");
    await b.after(last_heartbeat);
    const from = Date.now();
    await b.post(`/rooms/${room}/agents/ann/heartbeat`, {});
    assert.equal((await waiting).body.triggered, true);
    assert.ok(Date.now() - from < 2_250, `${Date.now() - from} ms`);
  }));

Deno.test("a hundred idle waits ask the database a few times a second, not hundreds", async () => {
  const server = await startLibsqlServer();
  const between = startDistance(server.url);
  try {
    const service = await startService({ database: between.url });
    try {
      const t = new Subject(service.url);
      const room = await t.room();
      await t.write(room, "large", "x".repeat(1_000));
      await t.write(room, "n", 0);
      const agents = Array.from({ length: 100 }, (_, n) => `agent${n}`);
      await Promise.all(agents.map((agent) => t.agent(room, agent)));
      const waits = agents.map((agent, n): Promise<Json> =>
        t.post(`/rooms/${room}/wait`, { agent, condition: `state._shared.n > ${n}`, timeout: 20_000 })
      );
      const all = 'agents.all(id, agents[id].status == "waiting")';
      assert.equal((await t.post(`/rooms/${room}/wait`, { condition: all })).body.triggered, true);
      const before = between.asked;
      await pause(2_000);
      const idle = between.asked - before;
      assert.ok(idle >= 1, "they do not poll at all");
      assert.ok(idle <= 30, `${idle} requests in 2 s`);
      await t.write(room, "n", 1_000);
      for (const reply of await Promise.all(waits)) assert.equal(reply.body.triggered, true);
    } finally {
      await service.stop();
    }
  } finally {
    await between.stop();
    await server.stop();
  }
});
