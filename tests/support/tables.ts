import { tmpdir } from "node:os";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";

/** What decides how the tables are made: the migrations, and what applies them. */
const made = JSON.stringify(MIGRATIONS) +
  await Deno.readTextFile(new URL("../../db/driver/migrate.ts", import.meta.url));
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(made))).toHex();
/** A database file whose tables are made, which all tests of the same migrations copy. */
const TEMPLATE = `${tmpdir()}/convene-tables-${digest.slice(0, 16)}.db`;

async function makeTemplate(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const file = `${folder}/convene.db`;
  const database = createDatabase({ connect: () => connect(`file:${file}`) });
  try {
    await database.migrate();
  } finally {
    await database.close();
  }
  // It is there as a whole or not at all, whoever else makes it at the same time.
  await Deno.rename(file, TEMPLATE);
  await Deno.remove(folder, { recursive: true });
}

/** Makes a database file that has its tables: a copy, since the migrations of each would take a quarter of a second. */
export async function fileWithTables(path: string): Promise<void> {
  try {
    await Deno.copyFile(TEMPLATE, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeTemplate();
    await Deno.copyFile(TEMPLATE, path);
  }
}
