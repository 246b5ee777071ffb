import { databaseFolder } from "./folder.ts";
import { startLibsqlServer } from "./libsql_server.ts";
import { fileWithTables, folderWithTables } from "./tables.ts";

type Databases = Record<string, () => Promise<{ url: string; stop(): Promise<void> }>>;

async function file(make: (path: string) => Promise<void>) {
  const folder = await databaseFolder();
  const path = `${folder}/convene.db`;
  await make(path);
  return { url: `file:${path}`, stop: () => Deno.remove(folder, { recursive: true }) };
}

/** A libSQL server that has its tables. */
async function libsqlWithTables() {
  const directory = await databaseFolder();
  await folderWithTables(directory);
  const { url, stop } = await startLibsqlServer({ directory });
  return {
    url,
    async stop() {
      await stop();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** A database of each kind that a service may be given, by its name, without any tables. */
export const WITHOUT_TABLES: Databases = {
  file: () => file(() => Promise.resolve()),
  libsql: startLibsqlServer,
};

/** The same, for what does not depend on who makes the tables: they are there. */
export const DATABASES: Databases = { file: () => file(fileWithTables), libsql: libsqlWithTables };
