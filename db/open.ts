import { faultOf } from "./faults.ts";
import type { Client, Config } from "@libsql/client";
import { batch } from "./binding.ts";
import type { Connection } from "./database.ts";
import { connectRemote } from "./remote.ts";

/** Milliseconds that a file database blocks for another process's write; the lane's retry does not block. */
const FILE_BUSY_MS = 20;
const MOST_ATTEMPTS = 50;

const MEMORY = /^(file:)?:memory:$/;

/**
 * Connects to `file:<path>` and `:memory:` with the native client, to `libsql:`, `https:` and `http:` with the one
 * made of `fetch` alone. Only the one that is needed is loaded.
 */
export function connect(url: string, authToken?: string): Promise<Connection> {
  if (MEMORY.test(url)) return connectMemory();
  return url.startsWith("file:") ? connectFile(url) : connectRemote(url, authToken);
}

/** A database that ends with its connection: it is never reconnected, and nobody else can keep it busy. */
async function connectMemory(): Promise<Connection> {
  const { createClient } = await import("@libsql/client/sqlite3");
  const client = createClient({ url: ":memory:" });
  return { send: (statements, mode) => batch(client, statements, mode), close: () => client.close() };
}

/**
 * One connection, since a file has one writer. A statement that failed with SQLITE_BUSY leaves a connection
 * that later loses writes silently, hence the reconnect after any failure.
 */
async function connectFile(url: string): Promise<Connection> {
  const { createClient } = await import("@libsql/client/sqlite3");
  await makeFolder(url);
  const client = createClient({ url, concurrency: 1, timeout: FILE_BUSY_MS } as Config);
  await useWal(client);
  return {
    async send(statements, mode) {
      try {
        return await batch(client, statements, mode);
      } catch (error) {
        await client.reconnect();
        throw error;
      }
    },
    close: () => client.close(),
  };
}

/** Turns on the write-ahead log; another process may be just setting up the same file. */
async function useWal(client: Client): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void await client.execute("PRAGMA journal_mode = WAL");
    } catch (error) {
      if (faultOf(error).kind !== "busy" || attempt === MOST_ATTEMPTS) throw error;
      await client.reconnect();
      await new Promise((resolve) => setTimeout(resolve, FILE_BUSY_MS));
    }
  }
}

/** Makes the file's folder where that is allowed; elsewhere it must be there. */
async function makeFolder(url: string): Promise<void> {
  const folder = url.slice("file:".length).replace(/[^/]*$/, "").replace(/^\/\/(?=\/)/, "");
  try {
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
