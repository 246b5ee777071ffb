import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { startCluster } from "../support/cluster.ts";

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
