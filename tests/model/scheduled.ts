import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connection } from "../../db/driver/connection.ts";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { heldTime, holdTime } from "../support/held_time.ts";
import { fileWithTables } from "../support/tables.ts";

/** `SCHEDULE_RUNS` and `SCHEDULE_SEED` ask for more, or for the same again. */
export const RUNS = Number(Deno.env.get("SCHEDULE_RUNS") ?? 60);
const SEED = Number(Deno.env.get("SCHEDULE_SEED") ?? Date.now() % 2 ** 31);
/** More turns of the event loop than a batch queue takes before it sends. */
const SETTLING_TURNS = 12;
const NEVER = 3_600_000; // a poll that does not come within a test
/** Far more than the calls to a database take that set a mark. */
const SHOWN_MS = 2_000;
/** So many that a wait of the instance is marked before it dies about as often as not. */
const DYING_STEPS = 4;
/** So many that time passes before the calls that it is drawn among are over about as often as after it. */
const PASSING_STEPS = 2;

export interface Instance {
  app: ReturnType<typeof createApp>;
  services: ReturnType<typeof createServices>;
  /** From now on the database hears nothing of it. */
  die(): void;
  /** What it still had to say is said from now on. */
  bury(): void;
  close(): Promise<void>;
}

/** Instances of one database, at one time. */
export interface Cluster {
  apps: Instance["app"][];
  /** Does its work with the calls to the database in drawn order. */
  until<T>(work: () => Promise<T>): Promise<T>;
  /** Ends an instance as a crash does, somewhere in the drawn order: the more steps, the later. */
  dies(n: number, steps?: number): Promise<void>;
  /** Lets an instance that died go on, as after a pause: the database hears all that it still had to say. */
  revives(n: number): Promise<void>;
  pass(ms: number): void;
  /** Lets time pass somewhere in the drawn order. */
  passes(ms: number): Promise<void>;
}

/** Runs a test once for each schedule; the calls of all its instances to the one database come in drawn order. */
export function scheduled(
  instances: number,
  test: (cluster: Cluster) => Promise<void>,
  { runs = RUNS, poll = NEVER }: { runs?: number; poll?: number } = {},
): Promise<void> {
  console.log(`schedules: ${runs} runs, seed ${SEED}`);
  return fc.assert(
    fc.asyncProperty(fc.scheduler({ act: settled }), async (scheduler) => {
      const folder = await Deno.makeTempDir({ prefix: "convene-" });
      await fileWithTables(`${folder}/convene.db`);
      const clock = { now: Date.now() };
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
      const running = Array.from(
        { length: instances },
        () => start(`file:${folder}/convene.db`, wrap, clock, poll),
      );
      try {
        await ask(running[0]!.app, "POST", "/rooms", { id: "r" });
        await Promise.all(running.map(({ app }) => ask(app, "GET", "/rooms/r")));
        await test({
          apps: running.map(({ app }) => app),
          async until(work) {
            drawn = true;
            const result = await scheduler.waitFor(work());
            drawn = false;
            await scheduler.waitIdle();
            return result;
          },
          async dies(n, steps = DYING_STEPS) {
            for (let step = 0; step < steps; step++) {
              await scheduler.schedule(Promise.resolve(), "an instance lives on");
            }
            running[n]!.die();
          },
          async revives(n) {
            running[n]!.bury();
            await running[n]!.services.watch.drain();
          },
          pass: (ms) => void (clock.now += ms),
          async passes(ms) {
            for (let step = 0; step < PASSING_STEPS; step++) {
              await scheduler.schedule(Promise.resolve(), "time passes");
            }
            clock.now += ms;
          },
        });
      } finally {
        drawn = false;
        for (const { bury } of running) bury();
        await Promise.all([scheduler.waitIdle(), ...running.map(({ services }) => services.watch.drain())]);
        for (const { close } of running) await close();
        await Deno.remove(folder, { recursive: true });
      }
    }),
    { numRuns: runs, seed: SEED },
  );
}

/** Takes a step and lets all that follows from it come up, so that the next one is drawn from everything there is. */
async function settled(step: () => Promise<void>): Promise<void> {
  await step();
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function start(
  url: string,
  wrap: (connection: Connection) => Connection,
  clock: { now: number },
  poll: number,
): Instance {
  const burial = Promise.withResolvers<void>();
  let dead = false;
  async function open(): Promise<Connection> {
    // The database reads its clock when it runs a statement, not when that is sent.
    const connection = wrap(holdTime(clock, await connect(url)));
    return {
      async send(statements, mode) {
        if (dead) await burial.promise;
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    };
  }
  const { clocks } = heldTime(clock, open);
  const database = createDatabase({ connect: open, clocks });
  const services = createServices(database, { poll });
  return {
    app: createApp(services),
    services,
    die: () => void (dead = true),
    bury: burial.resolve,
    close: () => database.close(),
  };
}

export async function ask(app: Instance["app"], method: string, path: string, body?: unknown) {
  const response = await app.request(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

export async function seen(app: Instance["app"]): Promise<[status: string, waitingOn: string | null]> {
  const { body } = await ask(app, "GET", "/rooms/r/agents/ann");
  return [body.status, body.waiting_on];
}

/** Looks until ann shows what she waits for: marks are set without being awaited. */
export async function waitsFor(app: Instance["app"], what: string): Promise<void> {
  for (const deadline = performance.now() + SHOWN_MS; (await seen(app))[1] !== what;) {
    await new Promise((resolve) => setTimeout(resolve));
    assert.ok(performance.now() < deadline, `ann waits for ${what} and does not show it`);
  }
}
