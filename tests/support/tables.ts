import { cp } from "node:fs/promises";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { databaseFolder, DATABASES_AT } from "./folder.ts";
import { startLibsqlServer } from "./libsql_server.ts";

/** What decides how the tables are made: the migrations, and what applies them. */
const made = JSON.stringify(MIGRATIONS) +
  await Deno.readTextFile(new URL("../../db/driver/migrate.ts", import.meta.url));
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(made))).toHex();
/** A database file whose tables are made, which all tests of the same migrations copy. */
const FILE = `${DATABASES_AT}/convene-tables-${digest.slice(0, 16)}.db`;
/** The same, as the folder of a libSQL server. */
const FOLDER = `${DATABASES_AT}/convene-tables-${digest.slice(0, 16)}`;

async function migrate(url: string): Promise<void> {
  const database = createDatabase({ connect: () => connect(url) });
  try {
    await database.migrate();
  } finally {
    await database.close();
  }
}

async function makeFile(folder: string): Promise<string> {
  await migrate(`file:${folder}/convene.db`);
  return `${folder}/convene.db`;
}

async function makeFolder(folder: string): Promise<string> {
  const directory = `${folder}/server`;
  await Deno.mkdir(directory);
  const server = await startLibsqlServer({ directory });
  try {
    await migrate(server.url);
  } finally {
    await server.stop();
  }
  return directory;
}

/** Copies a template, which the first that needs it makes. */
async function copied(
  template: string,
  make: (folder: string) => Promise<string>,
  copy: () => Promise<void>,
): Promise<void> {
  if (!await exists(template)) {
    const folder = await databaseFolder();
    try {
      // It is there as a whole or not at all, whoever else makes it at the same time.
      await Deno.rename(await make(folder), template);
    } catch (error) {
      if (!await exists(template)) throw error;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  await copy();
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

/** Makes a database file that has its tables: a copy, since the migrations of each would take a quarter of a second. */
export function fileWithTables(path: string): Promise<void> {
  return copied(FILE, makeFile, () => Deno.copyFile(FILE, path));
}

/** The same for a libSQL server, whose folder is empty. */
export function folderWithTables(folder: string): Promise<void> {
  return copied(FOLDER, makeFolder, () => cp(FOLDER, folder, { recursive: true }));
}
