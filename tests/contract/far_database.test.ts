import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { type Distance, startDistance } from "../support/distance.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Far below the 20 s in which the last look of a wait finds what nothing has told it. */
const SOON_MS = 5_000;
const NEVER_MS = 60_000; // a poll that does not come within a test

/** Some instances over a database that is as far away as a hosted one; nothing but a write of theirs wakes waits. */
async function farAway(
  instances: number,
  test: (subjects: Subject[], distance: Distance) => Promise<void>,
): Promise<void> {
  const started: { stop(): Promise<void> }[] = [];
  try {
    const server = await startLibsqlServer();
    started.unshift(server);
    const distance = startDistance(server.url, 10);
    started.unshift(distance);
    const subjects: Subject[] = [];
    for (let n = 0; n < instances; n++) {
      const service = await startService({ database: distance.url, env: { WAIT_POLL_MS: String(NEVER_MS) } });
      started.unshift(service);
      subjects.push(new Subject(service.url));
    }
    await test(subjects, distance);
  } finally {
    for (const one of started) await one.stop();
  }
}

Deno.test("far away: no write of the same instance is missed, whenever it comes", () =>
  farAway(1, async ([t]) => {
    const waits = Array.from({ length: 60 }, async (_, n) => {
      // A room of its own, where no other write can make up for a lost one.
      const room = await t!.room();
      await t!.agent(room, "ann");
      const agent = n % 2 ? "ann" : undefined;
      const condition = n % 3 ? "has(state._shared.k)" : "messages.count > 0";
      const waiting = t!.post(`/rooms/${room}/wait`, { condition, agent, timeout: 20_000 });
      // From before the wait is read to after it was marked: the moments between are what this is about.
      await pause(n * 2);
      await (n % 3 ? t!.write(room, "k", 1) : t!.message(room));
      const from = Date.now();
      assert.equal((await waiting).body.triggered, true);
      assert.ok(Date.now() - from < SOON_MS, `write ${n * 2} ms after the wait: ${Date.now() - from} ms`);
    });
    await Promise.all(waits);
  }));

Deno.test("far away: of fifty that take one lock by a gate one gets it", () =>
  farAway(2, async ([a, b]) => {
    const room = await a!.room();
    const gate = "!has(state._shared.lock)";
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        (n % 2 ? a! : b!).put(`/rooms/${room}/state`, { key: "lock", value: n, if: gate })),
    );
    assert.deepEqual(
      replies.map((reply) =>
        reply.status
      ).sort(),
      [200, ...Array(49).fill(409)],
    );
  }));

Deno.test("far away: gated increments by many stop where the gate says", () =>
  farAway(2, async ([a, b]) => {
    const room = await a!.room();
    await a!.write(room, "n", 0);
    const body = { key: "n", increment: true, if: "state._shared.n < 10" };
    const replies = await Promise.all(
      Array.from({ length: 24 }, (_, n) => (n % 2 ? a! : b!).put(`/rooms/${room}/state`, body)),
    );
    assert.deepEqual(replies.map((reply) => reply.status).sort(), [
      ...Array(10).fill(200),
      ...Array(14).fill(409),
    ]);
    assert.equal((await b!.entry(room, "n")).value, 10);
  }));

Deno.test("far away: writes that come together are made together", () =>
  farAway(1, async ([t], distance) => {
    const room = await t!.room();
    const before = distance.asked;
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => t!.put(`/rooms/${room}/state`, { key: "n", increment: true })),
    );
    const trips = distance.asked - before;
    for (const reply of replies) assertStatus(reply, 200);
    assert.equal((await t!.entry(room, "n")).value, 100);
    assert.ok(trips <= 20, `${trips} round trips for 100 writes`);
  }));
