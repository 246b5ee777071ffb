import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { startCluster } from "../support/cluster.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertStatus } from "../support/shapes.ts";

async function withFile(test: (database: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    await test(`file:${directory}/convene.db`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a write that was answered survives the crash of its instance", () =>
  withFile(async (database) => {
    const first = await startService({ database });
    const t = new Subject(first.url);
    const room = await t.room();
    const answered: string[] = [];
    let crash: Promise<void> | undefined;
    const clients = Array.from({ length: 8 }, async (_, n) => {
      for (let k = 0; !crash; k++) {
        const writes = [{ key: `${n}:${k}`, value: k }, { key: `twin of ${n}:${k}`, value: k }];
        const reply = await t.put(`/rooms/${room}/state/batch`, { writes }).catch(() => undefined);
        if (!reply) return;
        assertStatus(reply, 200);
        // The others are in the middle of theirs.
        if (answered.push(`${n}:${k}`) === 100) crash = first.kill();
      }
    });
    await Promise.all(clients);
    await crash;
    assert.ok(answered.length >= 100);

    const second = await startService({ database });
    try {
      const after = new Subject(second.url);
      const keys = new Set((await after.get(`/rooms/${room}/state`)).body.map((entry: Json) => entry.key));
      for (const key of answered) assert.ok(keys.has(key) && keys.has(`twin of ${key}`), `${key} is lost`);
      for (const key of keys) assert.ok(keys.has(twin(key as string)), `half of a batch: ${key}`);
    } finally {
      await second.stop();
    }
  }));

const twin = (key: string) => key.startsWith("twin of ") ? key.slice("twin of ".length) : `twin of ${key}`;

Deno.test("an instance that is asked to end answers its waits first", () =>
  withFile(async (database) => {
    const service = await startService({ database });
    const t = new Subject(service.url);
    const room = await t.room();
    await t.agent(room, "ann");
    const waiting = t.post(`/rooms/${room}/wait`, { condition: "false", agent: "ann", timeout: 20_000 });
    await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
    const from = Date.now();
    const [reply] = await Promise.all([waiting, service.stop()]);
    assertStatus(reply, 200);
    assert.deepEqual([reply.body.triggered, reply.body.timeout], [false, true]);
    assert.ok(Date.now() - from < 5_000, `${Date.now() - from} ms`);
  }));

Deno.test("without its database the service says that it is unavailable, and for how long", async () => {
  const server = await startLibsqlServer();
  let stopped = false;
  try {
    const service = await startService({ database: server.url });
    try {
      const t = new Subject(service.url);
      const room = await t.room();
      await server.stop();
      stopped = true;
      for (
        const ask of [
          () => t.get(`/rooms/${room}`),
          () => t.put(`/rooms/${room}/state`, { key: "k", value: 1 }),
        ]
      ) {
        const reply = await ask();
        assertError(reply, 503, "unavailable");
        assert.match(reply.headers.get("retry-after") ?? "", /^\d+$/);
      }
      assert.equal((await t.get("/healthz")).status, 503);
    } finally {
      await service.stop();
    }
  } finally {
    if (!stopped) await server.stop();
  }
});

Deno.test("while its database hangs every request ends, and afterwards all is well", async () => {
  const server = await startLibsqlServer();
  try {
    const service = await startService({ database: server.url });
    try {
      const t = new Subject(service.url);
      const room = await t.room();
      await server.freeze();
      const from = Date.now();
      const replies = await Promise.all([
        t.get("/healthz"),
        t.get(`/rooms/${room}`),
        t.put(`/rooms/${room}/state`, { key: "k", value: 1 }),
        t.put(`/rooms/${room}/state`, { key: "k", value: 1, if: "true" }),
        t.post(`/rooms/${room}/messages`, { body: 1 }),
      ]);
      for (const reply of replies) assert.equal(reply.status, 503, reply.text);
      assert.ok(Date.now() - from < 11_000, `${Date.now() - from} ms`);
      server.thaw();
      const deadline = Date.now() + 10_000;
      while ((await t.get("/healthz")).status !== 200) {
        assert.ok(Date.now() < deadline, "it does not recover");
      }
      await t.write(room, "after", 1);
    } finally {
      await service.stop();
    }
  } finally {
    server.thaw();
    await server.stop();
  }
});

Deno.test("no agent waits more than 30 s after its instance died, and a wait lasts 25 s at most", async () => {
  const cluster = await startCluster(2);
  try {
    const [a, b] = cluster.services.map((service) => new Subject(service.url)) as [Subject, Subject];
    const room = await a.room();
    await a.agent(room, "ann");
    await a.post(`/rooms/${room}/agents/ann/heartbeat`, { status: "busy" });
    const lost = assert.rejects(a.post(`/rooms/${room}/wait`, { condition: "false", agent: "ann" }));
    await b.agentUntil(room, "ann", ({ status }) => status === "waiting");
    await cluster.services[0]!.kill();
    const died = Date.now();
    await lost;

    // Both take long: they pass together.
    await Promise.all([
      (async () => {
        const [after, noticed] = await Promise.all([
          b.agentUntil(room, "ann", ({ status }) => status !== "waiting", 31_000),
          untilFree(b, room),
        ]);
        assert.deepEqual([after.status, after.waiting_on], ["busy", null]);
        assert.ok(noticed - died < 32_000, `${noticed - died} ms`);
      })(),
      (async () => {
        const waits = await Promise.all([
          b.get(`/rooms/${room}/wait`, { condition: "false" }),
          b.get(`/rooms/${room}/wait`, { condition: "false", timeout: 3_600_000 }),
          b.post(`/rooms/${room}/wait`, { condition: "false", timeout: 3_600_000 }),
        ]);
        for (const { body } of waits) {
          assert.equal(body.timeout, true);
          assert.ok(body.elapsed_ms > 24_900 && body.elapsed_ms < 27_000, `${body.elapsed_ms} ms`);
        }
      })(),
    ]);
  } finally {
    await cluster.stop();
  }
});

/** Waits until ann waits no more, as one who has nobody to tell them; gives the time when they learned it. */
async function untilFree(t: Subject, room: string): Promise<number> {
  for (;;) {
    const from = Date.now();
    const reply = await t.post(`/rooms/${room}/wait`, { condition: 'agents.ann.status != "waiting"' });
    if (!reply.body.triggered) continue;
    assert.ok(Date.now() - from > 500, "it was found by asking again, not by waiting");
    return Date.now();
  }
}
