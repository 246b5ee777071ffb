import { startLibsqlServer } from "./libsql_server.ts";

/** An empty database of each kind that a service may be given, by its name. */
export const DATABASES: Record<string, () => Promise<{ url: string; stop(): Promise<void> }>> = {
  async file() {
    const folder = await Deno.makeTempDir({ prefix: "convene-" });
    return { url: `file:${folder}/convene.db`, stop: () => Deno.remove(folder, { recursive: true }) };
  },
  libsql: startLibsqlServer,
};
