import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connection } from "../../db/database.ts";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";

/** `SCHEDULE_RUNS` and `SCHEDULE_SEED` ask for more, or for the same again. */
const RUNS = Number(Deno.env.get("SCHEDULE_RUNS") ?? 60);
const SEED = Number(Deno.env.get("SCHEDULE_SEED") ?? Date.now() % 2 ** 31);
/** More turns of the event loop than a lane takes before it sends. */
const SETTLING_TURNS = 12;
const NEVER = 3_600_000; // a poll that does not come within a test
/** Far below a wait's 25 s, whose last read finds everything that was missed before. */
const SOON_MS = 10_000;

interface Instance {
  app: ReturnType<typeof createApp>;
  services: ReturnType<typeof createServices>;
  close(): Promise<void>;
}

/** Runs a test once for each schedule; the calls of all its instances to the one database come in drawn order. */
function scheduled(
  instances: number,
  test: (apps: Instance["app"][], until: Until) => Promise<void>,
): Promise<void> {
  console.log(`schedules: ${RUNS} runs, seed ${SEED}`);
  return fc.assert(
    fc.asyncProperty(fc.scheduler({ act: settled }), async (scheduler) => {
      const folder = await Deno.makeTempDir({ prefix: "convene-" });
      let drawn = false;
      const wrap = (connection: Connection): Connection => ({
        async send(statements, mode) {
          if (drawn) await scheduler.schedule(Promise.resolve(), `${mode} is sent`);
          const rows = await connection.send(statements, mode);
          if (drawn) await scheduler.schedule(Promise.resolve(), `${mode} is answered`);
          return rows;
        },
        close: () => connection.close(),
      });
      const running = Array.from({ length: instances }, () => start(`file:${folder}/convene.db`, wrap));
      try {
        await ask(running[0]!.app, "POST", "/rooms", { id: "r" });
        await Promise.all(running.map(({ app }) => ask(app, "GET", "/rooms/r")));
        await test(running.map(({ app }) => app), async (work) => {
          drawn = true;
          const result = await scheduler.waitFor(work());
          drawn = false;
          await scheduler.waitIdle();
          return result;
        });
      } finally {
        drawn = false;
        await Promise.all([scheduler.waitIdle(), ...running.map(({ services }) => services.watch.drain())]);
        for (const { close } of running) await close();
        await Deno.remove(folder, { recursive: true });
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
}

/** Takes a step and lets all that follows from it come up, so that the next one is drawn from everything there is. */
async function settled(step: () => Promise<void>): Promise<void> {
  await step();
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

type Until = <T>(work: () => Promise<T>) => Promise<T>;

function start(url: string, wrap: (connection: Connection) => Connection): Instance {
  const database = createDatabase({ connect: async () => wrap(await connect(url)) });
  const services = createServices(database, { poll: NEVER });
  return { app: createApp(services), services, close: () => database.close() };
}

async function ask(app: Instance["app"], method: string, path: string, body?: unknown) {
  const response = await app.request(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

Deno.test("whatever the order of database calls, a gate holds in the very state that its write changes", () =>
  scheduled(2, async (apps, until) => {
    const gated = { key: "n", increment: true, if: "!has(state._shared.n)" };
    const replies = await until(() =>
      Promise.all([0, 1, 0, 1].map((n) => ask(apps[n]!, "PUT", "/rooms/r/state", gated)))
    );
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409, 409, 409]);
    const { body } = await ask(apps[0]!, "GET", "/rooms/r/state?key=n");
    assert.equal(body.value, 1);
  }));

Deno.test("whatever the order of database calls, a wait learns of a write of its instance", () =>
  scheduled(1, async ([app], until) => {
    const began = performance.now();
    const [waited] = await until(() =>
      Promise.all([
        ask(app!, "POST", "/rooms/r/wait", { condition: "has(state._shared.go)" }),
        ask(app!, "PUT", "/rooms/r/state", { key: "go", value: 1 }),
      ])
    );
    assert.equal(waited.body.triggered, true);
    assert.ok(performance.now() - began < SOON_MS, "only the last read has found it");
  }));
