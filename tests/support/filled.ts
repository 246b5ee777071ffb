import { type Client, createClient } from "@libsql/client/sqlite3";
import { createClient as createRemote } from "@libsql/client/web";
import { startLibsqlServer } from "./libsql_server.ts";
import { startService } from "./service.ts";

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

/** Tests a service in a process of its own, on each kind of database, whose rooms are filled by SQL. */
export function onFilled(name: string, test: (filled: Filled) => Promise<void>): void {
  for (const [kind, open] of Object.entries(OPEN)) {
    Deno.test(`${kind}: ${name}`, async () => {
      const { url, client, stop } = await open();
      try {
        const service = await startService({ database: url });
        try {
          await (await fetch(`${service.url}/healthz`)).body?.cancel(); // makes the tables
          await test({ url: service.url, database: client });
        } finally {
          await service.stop();
        }
      } finally {
        client.close();
        await stop();
      }
    });
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
