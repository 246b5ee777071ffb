import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { startCluster } from "../support/cluster.ts";
import { readReply, slowRequest } from "../support/raw.ts";
import { startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";

const WAITS = 1_000;
const MOST_MS = 5_000;

/** Ends instances that hold a thousand waits between them; every wait is answered, and soon. */
async function endWith(services: { url: string; stop(): Promise<void> }[]): Promise<void> {
  const subjects = services.map(({ url }) => new Subject(url));
  const room = await subjects[0]!.room();
  for (const [n, t] of subjects.entries()) await t.agent(room, `agent${n}`);
  const waits = Array.from({ length: WAITS }, (_, n) => {
    const condition = n % 2 ? `state._shared.go == ${n % 100}` : "messages.count > 0";
    // Two of an instance wait as an agent: their marks tell when all that came before them wait.
    const agent = n >= WAITS - subjects.length ? `agent${n % subjects.length}` : undefined;
    const include = n % 10 ? undefined : "state";
    return subjects[n % subjects.length]!.post(`/rooms/${room}/wait`, { condition, agent, include });
  });
  for (const [n, t] of subjects.entries()) {
    await t.agentUntil(room, `agent${n}`, ({ status }) => status === "waiting", 20_000);
  }
  const from = Date.now();
  await Promise.all(services.map((service) => service.stop()));
  const took = Date.now() - from;
  for (const reply of await Promise.all(waits)) {
    assertStatus(reply, 200);
    assert.deepEqual([reply.body.triggered, reply.body.timeout], [false, true]);
  }
  assert.ok(took < MOST_MS, `${took} ms`);
}

Deno.test("an instance that is asked to end answers a thousand waits first", async () => {
  await endWith([await startService()]);
});

Deno.test("two instances that are asked to end at once answer a thousand waits first", async () => {
  const cluster = await startCluster(2);
  try {
    await endWith(cluster.services);
  } finally {
    await cluster.stop();
  }
});

Deno.test("a body that is on its way when an instance ends is to be sent again: 503, and not 400", async () => {
  const service = await startService();
  const t = new Subject(service.url);
  const room = await t.room();
  const sent = await slowRequest(t.url, "PUT", `/rooms/${room}/state`);
  await t.get(`/rooms/${room}`); // what was sent before it has arrived
  await service.stop();
  const { status, text } = await readReply(sent);
  assert.equal(status, 503, text);
  assert.equal(JSON.parse(text).error, "unavailable");
});
