import { type Client, createClient } from "@libsql/client/sqlite3";
import { createClient as createRemote } from "@libsql/client/web";
import { DATABASES } from "./databases.ts";
import { startService, untilReady } from "./service.ts";

export interface Filled {
  url: string;
  /** Writes past the service, which is there already: so the tables are. */
  database: Client;
}

/** Rows of one statement: more take a server too long. */
const CHUNK = 20_000;

const CLIENTS = { file: createClient, libsql: createRemote };

type Kind = keyof typeof CLIENTS;

/** What is to be stopped, the last that was started first. */
const started: (() => unknown)[] = [];

async function stopAll() {
  for (const stop of started.splice(0)) await stop();
}

async function open(kind: Kind, fill: (database: Client) => Promise<void>): Promise<Filled> {
  const { url, stop } = await DATABASES[kind]!();
  const client = CLIENTS[kind]({ url });
  started.unshift(() => client.close(), stop);
  const service = await startService({ database: url });
  started.unshift(service.stop);
  await untilReady(service);
  await fill(client);
  return { url: service.url, database: client };
}

/** Opens and fills one of each kind: at once, since what is measured begins when all are there. */
async function openAll(fill: (database: Client) => Promise<void>): Promise<Record<Kind, Filled>> {
  const [file, libsql] = await Promise.allSettled([open("file", fill), open("libsql", fill)]);
  if (file.status === "rejected") throw file.reason;
  if (libsql.status === "rejected") throw libsql.reason;
  return { file: file.value, libsql: libsql.value };
}

Deno.test.afterAll(stopAll);

/** Tests of a service in a process of its own, on each kind of database, whose rooms are filled once by SQL. */
export function onFilled(
  fill: (database: Client) => Promise<void>,
  tests: Record<string, (filled: Filled) => Promise<void>>,
): void {
  let all: Promise<Record<Kind, Filled>> | undefined;
  let left = Object.keys(CLIENTS).length * Object.keys(tests).length;
  for (const kind of Object.keys(CLIENTS) as Kind[]) {
    for (const [name, test] of Object.entries(tests)) {
      Deno.test({
        name: `${kind}: ${name}`,
        // The services are started by the first test and outlive it.
        sanitizeOps: false,
        sanitizeResources: false,
        async fn() {
          try {
            await test((await (all ??= openAll(fill)))[kind]);
          } finally {
            // Before another file is measured.
            if (--left === 0) await stopAll();
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
