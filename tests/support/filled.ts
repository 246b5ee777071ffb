import { type Client, createClient } from "@libsql/client/sqlite3";
import { createClient as createRemote } from "@libsql/client/web";
import { startLibsqlServer } from "./libsql_server.ts";
import { startService, untilReady } from "./service.ts";

export interface Filled {
  url: string;
  /** Writes past the service, which is there already: so the tables are. */
  database: Client;
}

/** Rows of one statement: more take a server too long. */
const CHUNK = 20_000;

const OPEN = {
  async file() {
    const folder = await Deno.makeTempDir({ prefix: "convene-" });
    const url = `file:${folder}/convene.db`;
    return { url, client: createClient({ url }), stop: () => Deno.remove(folder, { recursive: true }) };
  },
  async libsql() {
    const server = await startLibsqlServer();
    return { url: server.url, client: createRemote({ url: server.url }), stop: () => server.stop() };
  },
};

/** What is to be stopped, the last that was started first. */
const started: (() => unknown)[] = [];

async function stopAll() {
  for (const stop of started.splice(0)) await stop();
}

async function open(kind: keyof typeof OPEN, fill: (database: Client) => Promise<void>): Promise<Filled> {
  const { url, client, stop } = await OPEN[kind]();
  started.unshift(() => client.close(), stop);
  const service = await startService({ database: url });
  started.unshift(service.stop);
  await untilReady(service);
  await fill(client);
  return { url: service.url, database: client };
}

Deno.test.afterAll(stopAll);

/** Tests of a service in a process of its own, on each kind of database, whose rooms are filled once by SQL. */
export function onFilled(
  fill: (database: Client) => Promise<void>,
  tests: Record<string, (filled: Filled) => Promise<void>>,
): void {
  for (const kind of Object.keys(OPEN) as (keyof typeof OPEN)[]) {
    let filled: Promise<Filled> | undefined;
    const last = Object.keys(tests).at(-1);
    for (const [name, test] of Object.entries(tests)) {
      Deno.test({
        name: `${kind}: ${name}`,
        // The service is started by the first test and outlives it.
        sanitizeOps: false,
        sanitizeResources: false,
        async fn() {
          try {
            await test(await (filled ??= open(kind, fill)));
          } finally {
            // Before another file is measured.
            if (name === last) await stopAll();
          }
        },
      });
    }
  }
}

/** Runs an insert that selects from the numbers `n (i)` from 1 to `count`, in parts. */
export async function insertMany(database: Client, insert: string, count: number): Promise<void> {
  for (let first = 1; first <= count; first += CHUNK) {
    const last = Math.min(count, first + CHUNK - 1);
    const numbers =
      `WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${last})`;
    await database.batch([`${numbers} ${insert}`], "write");
  }
}
