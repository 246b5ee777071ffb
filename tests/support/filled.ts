import { type Client, createClient } from "@libsql/client/sqlite3";
import { createClient as createRemote } from "@libsql/client/web";
import { DATABASES } from "./databases.ts";
import { startService, untilReady } from "./service.ts";

export interface Filled {
  kind: string;
  url: string;
  /** Writes past the service. */
  database: Client;
}

interface Opened extends Filled {
  stop(): Promise<void>;
}

/** Rows of one statement: more take a server too long. */
const CHUNK = 20_000;

/** Milliseconds for which a statement waits while the service writes to a file. */
const BUSY_MS = 5_000;

const CLIENTS: Record<string, typeof createClient> = { file: createClient, libsql: createRemote };

async function open(
  kind: string,
  fill: (database: Client) => Promise<unknown>,
  env?: Record<string, string>,
): Promise<Opened> {
  await using opened = new AsyncDisposableStack();
  const { url, stop } = await DATABASES[kind]!();
  opened.defer(stop);
  const database = opened.adopt(CLIENTS[kind]!({ url, timeout: BUSY_MS }), (client) => client.close());
  await fill(database);
  const service = await startService({ database: url, env });
  opened.defer(service.stop);
  await untilReady(service);
  const all = opened.move();
  return { kind, url: service.url, database, stop: () => all.disposeAsync() };
}

/**
 * Tests of a service in a process of its own, on each kind of database, whose rooms are filled once by SQL. Another kind
 * is filled when the tests of one have ended: a libSQL server goes on with what was written for seconds.
 */
export function onFilled(
  fill: (database: Client) => Promise<unknown>,
  tests: Record<string, (filled: Filled, t: Deno.TestContext) => Promise<void>>,
  env?: Record<string, string>,
): void {
  const opening = new Map<string, Promise<Opened>>();

  function filled(kind: string): Promise<Opened> {
    if (!opening.has(kind)) opening.set(kind, open(kind, fill, env));
    return opening.get(kind)!;
  }

  async function stop(kind: string): Promise<void> {
    const opened = await opening.get(kind)?.catch(() => undefined);
    await opened?.stop();
  }

  for (const kind of Object.keys(DATABASES)) {
    const last = Object.keys(tests).at(-1);
    for (const [name, test] of Object.entries(tests)) {
      Deno.test({
        name: `${kind}: ${name}`,
        // The service is started by the first test and outlives it.
        sanitizeOps: false,
        sanitizeResources: false,
        async fn(t) {
          try {
            await test(await filled(kind), t);
          } finally {
            // Before another file is measured.
            if (name === last) await stop(kind);
          }
        },
      });
    }
  }
  // Where not all tests run.
  Deno.test.afterAll(async () => {
    for (const kind of Object.keys(DATABASES)) await stop(kind);
  });
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
