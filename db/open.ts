import type { Connection } from "./database.ts";
import { connectFile } from "./file.ts";
import { connectRemote } from "./remote.ts";

/**
 * Connects to `file:<path>` with the runtime's SQLite, to `libsql:`, `https:` and `http:` with a libSQL client made of
 * `fetch` alone. Only the one that is needed is loaded.
 */
export function connect(url: string, authToken?: string): Promise<Connection> {
  return url.startsWith("file:") ? connectFile(url) : connectRemote(url, authToken);
}
