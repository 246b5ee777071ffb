import type { Connection } from "./connection.ts";
import { connectFile, connectMemory } from "./file.ts";
import { connectRemote } from "./remote.ts";

const MEMORY = /^(file:)?:memory:$/;

/** Connects to `file:<path>` and `:memory:` with the native library, to `libsql:`, `https:` and `http:` by `fetch`. */
export function connect(url: string, authToken?: string): Promise<Connection> {
  if (MEMORY.test(url)) return connectMemory();
  return url.startsWith("file:") ? connectFile(url) : connectRemote(url, authToken);
}

/** Loads the driver of an address, and no other, since each asks for rights of its own. */
export async function loadDriver(url: string): Promise<void> {
  if (MEMORY.test(url) || url.startsWith("file:")) await import("libsql");
  else await Promise.all([import("@libsql/hrana-client"), import("@libsql/client/web")]);
}
