import type { Client, Config } from "@libsql/client";
import type { Connection } from "./database.ts";
import type { Row, Statement, Value } from "./lane.ts";

/** Milliseconds after which a call to a remote database counts as lost. */
const CALL_DEADLINE_MS = 5_000;

/** Milliseconds that a file database blocks for another process's write; the lane's retry does not block. */
const FILE_BUSY_MS = 20;

/**
 * Connects to `file:<path>` with the native client, to `libsql:`, `https:` and `http:` with the one made of
 * `fetch` alone. Only the one that is needed is loaded.
 */
export function connect(url: string, authToken?: string): Promise<Connection> {
  return url.startsWith("file:") ? connectFile(url) : connectRemote(url, authToken);
}

async function connectRemote(url: string, authToken?: string): Promise<Connection> {
  const { createClient } = await import("@libsql/client/web");
  const client = createClient({
    url,
    authToken,
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(CALL_DEADLINE_MS) }),
  });
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
  await client.execute("PRAGMA journal_mode = WAL");
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

/** Makes the file's folder where that is allowed; elsewhere it must be there. */
async function makeFolder(url: string): Promise<void> {
  const folder = url.slice("file:".length).replace(/[^/]*$/, "").replace(/^\/\/(?=\/)/, "");
  try {
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

async function batch(client: Client, statements: Statement[], mode: "read" | "write"): Promise<Row[][]> {
  const results = await client.batch(statements.map(bound), mode);
  return results.map((result) => result.rows as unknown as Row[]);
}

function bound({ sql, args }: Statement) {
  const named: Record<string, string | number | bigint | null> = {};
  for (const name in args) named[name] = boundValue(args[name]!);
  return { sql, args: named };
}

/** The client binds JavaScript numbers as REAL, and integer columns take none. */
function boundValue(value: Value): string | number | bigint | null {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  if (typeof value === "boolean") return value ? 1n : 0n;
  return value;
}
