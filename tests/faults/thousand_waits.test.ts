import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { startCluster } from "../support/cluster.ts";
import { waitsOpen } from "../support/figures.ts";
import { type Service, startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";
import { OPERATOR } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const WAITS = 1_000;
/** The time in which an instance ends (docs/operate.md). */
const MAX_MS = 5_000;
const BEGUN_WITHIN_MS = 20_000;
const COPY_WITHIN_MS = 800;
const ENV = { OPERATOR_TOKEN: OPERATOR };

/**
 * Ends instances that hold a thousand waits between them, or has `end` do it while they are answered; every wait is
 * answered, and soon.
 */
async function endWith(
  services: Service[],
  end: (first: Promise<unknown>) => Promise<unknown> = () => stopAll(services),
): Promise<void> {
  try {
    await endAmongWaits(services, end);
  } finally {
    await stopAll(services);
  }
}

const stopAll = (services: Service[]) => Promise.all(services.map((service) => service.stop()));

async function endAmongWaits(
  services: Service[],
  end: (first: Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const subjects = services.map(({ url }) => new Subject(url));
  const room = await subjects[0]!.room();
  for (const [n, t] of subjects.entries()) await t.agent(room, `agent${n}`);
  const waits = Array.from({ length: WAITS }, (_, n) => {
    const condition = n % 2 ? `state._shared.go == ${n % 100}` : "messages.count > 0";
    // The last of an instance waits as an agent, whose mark is cleared at the end.
    const agent = n >= WAITS - subjects.length ? `agent${n % subjects.length}` : undefined;
    const include = n % 10 ? undefined : "state";
    return subjects[n % subjects.length]!.post(`/rooms/${room}/wait`, { condition, agent, include });
  });
  for (const [n, t] of subjects.entries()) {
    await t.agentUntil(room, `agent${n}`, ({ status }) => status === "waiting", BEGUN_WITHIN_MS);
    // Its mark tells nothing of the others: requests on different connections arrive in any order.
    await until(() => waitsOpen(t), (open) => open === WAITS / subjects.length, BEGUN_WITHIN_MS);
  }
  const from = Date.now();
  await end(Promise.race(waits));
  const took = Date.now() - from;
  for (const reply of await Promise.all(waits)) {
    assertStatus(reply, 200);
    assert.deepEqual([reply.body.triggered, reply.body.timeout], [false, true]);
  }
  assert.ok(took < MAX_MS, `${took} ms`);
}

Deno.test("an instance that is asked to end answers a thousand waits first", async () => {
  await endWith([await startService({ env: ENV })]);
});

Deno.test("an instance that is told to end once more while it answers a thousand waits answers them all", async () => {
  const service = await startService({ env: ENV });
  await endWith([service], async (first) => {
    service.process.kill("SIGTERM");
    // A copy comes within a second, also where the first answer takes longer.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, COPY_WITHIN_MS);
    await Promise.race([first, late.promise]);
    clearTimeout(timer);
    await service.stop();
  });
});

Deno.test("two instances that are asked to end at once answer a thousand waits first", async () => {
  const cluster = await startCluster(2, ENV);
  try {
    await endWith(cluster.services);
  } finally {
    await cluster.stop();
  }
});
