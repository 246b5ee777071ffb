import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import type { createApp } from "../../routes/app.ts";
import { Subject } from "./backends.ts";
import { DATABASES } from "./databases.ts";
import { type HeldTime, heldTime } from "./held_time.ts";
import { serveHere } from "./here.ts";

/** What a test gets whose database's clock it holds: two instances, which in memory are one. */
export interface Held {
  one: Subject;
  other: Subject;
  /** The database's time. It goes on by `pass` alone. */
  time: HeldTime;
  pass(ms: number): void;
  /** All that an instance can be asked. */
  routes: ReturnType<typeof createApp>["routes"];
  /** The database's address. */
  database: string;
  /** Another connection to the database, by its clock. */
  connection(): Promise<Connection>;
}

interface Opened extends Held {
  stop(): Promise<void>;
}

const BEGAN = Date.parse("2026-01-01T00:00:00.000Z");

const NAMES = [...Object.keys(DATABASES), "memory"];

async function open(name: string): Promise<Opened> {
  const time = { now: BEGAN };
  const { url, stop } = await DATABASES[name]?.() ?? { url: ":memory:", stop: () => Promise.resolve() };
  const stops = [stop];
  async function instance(): Promise<Subject & Pick<Held, "routes">> {
    const { url: at, routes, stop } = await serveHere(heldTime(time, () => connect(url)));
    stops.unshift(stop);
    return Object.assign(new Subject(at), { routes });
  }
  const one = await instance();
  return {
    one,
    other: name === "memory" ? one : await instance(),
    time,
    routes: one.routes,
    database: url,
    pass: (ms) => void (time.now += ms),
    connection: () => heldTime(time, () => connect(url)).connect(),
    async stop() {
      for (const stop of stops) await stop();
    },
  };
}

const opened = new Map<string, Promise<Opened>>();

/** Registers a test for each kind of database; the tests of a file share one of each, and its clock. */
export function heldContract(name: string, test: (held: Held) => Promise<void>, on = NAMES): void {
  for (const database of on) {
    Deno.test({
      name: `${database}: ${name}`,
      // The instances are started by the first test that needs them and outlive it.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        if (!opened.has(database)) opened.set(database, open(database));
        await test(await opened.get(database)!);
      },
    });
  }
}

Deno.test.afterAll(async () => {
  for (const opening of opened.values()) await (await opening.catch(() => undefined))?.stop();
});
