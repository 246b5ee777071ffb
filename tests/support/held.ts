import { createDatabase } from "../../db/database.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { Subject } from "./backends.ts";
import { DATABASES } from "./databases.ts";
import { type HeldTime, heldTime } from "./held_time.ts";

/** What a test gets whose database's clock it holds: two instances, which in memory are one. */
export interface Held {
  one: Subject;
  other: Subject;
  /** The database's time. It goes on by `pass` alone. */
  time: HeldTime;
  pass(ms: number): void;
  /** All that an instance can be asked. */
  routes: ReturnType<typeof createApp>["routes"];
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
    const database = createDatabase(heldTime(time, () => connect(url)));
    const services = createServices(database);
    const { fetch, routes } = createApp(services);
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request, info) => fetch(request, info),
    );
    stops.unshift(async () => {
      await services.watch.drain();
      await server.shutdown();
      await database.close();
    });
    await database.migrate();
    return Object.assign(new Subject(`http://127.0.0.1:${server.addr.port}`), { routes });
  }
  const one = await instance();
  return {
    one,
    other: name === "memory" ? one : await instance(),
    time,
    routes: one.routes,
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
