import type { Connection } from "./connection.ts";
import { connectFile, connectMemory } from "./file.ts";
import { connectRemote } from "./remote.ts";

const MEMORY = /^(file:)?:memory:$/;

/**
 * Connects to `file:<path>` and `:memory:` with the native library, to `libsql:`, `https:` and `http:` with a client
 * made of `fetch` alone. Only the one that is needed is loaded.
 */
export function connect(url: string, authToken?: string): Promise<Connection> {
  if (MEMORY.test(url)) return connectMemory();
  return url.startsWith("file:") ? connectFile(url) : connectRemote(url, authToken);
}

/** Loads what a connection to this address is made with. Only the one that is needed: the others ask for more rights. */
export async function loadDriver(url: string): Promise<void> {
  if (MEMORY.test(url) || url.startsWith("file:")) await import("libsql");
  else await Promise.all([import("@libsql/hrana-client"), import("@libsql/client/web")]);
}
