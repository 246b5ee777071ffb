import { DatabaseUnusable, faultOf, isSchemaMissing } from "./faults.ts";
import { RELEASE } from "../release.ts";
import { MIGRATIONS } from "./schema.ts";
import type { Send } from "./statement.ts";

const CREATE_LOG =
  `CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT`;
const LAST_APPLIED = `SELECT COALESCE(MAX(id), 0) AS id FROM migrations`;
/** Selects the same, with the oldest release that may open the database. Fails before the table for it exists. */
const COMPATIBLE =
  `SELECT MAX(id) AS id, (SELECT MAX(requires) FROM compatibility) AS requires FROM migrations`;
const LOG = `INSERT INTO migrations (id, applied_at) VALUES (:id, strftime('%Y-%m-%dT%H:%M:%fZ'))`;

/** Refuses a database that a later release has made incompatible with this one. */
export class NewerDatabase extends DatabaseUnusable {
  override readonly name = "NewerDatabase";
  constructor(requires: number) {
    super(
      `A newer release has set up this database: it needs release ${requires} or later, and this is release ` +
        `${RELEASE}. Run that release, or restore a copy of the database from before it.`,
    );
  }
}

/**
 * Applies the missing migrations, each in one transaction with its entry in the log. Of two instances that start
 * together, one finds the entry taken, changes nothing and goes on with the next. Errors: `NewerDatabase`.
 */
export async function migrate(read: Send, commit: Send): Promise<void> {
  const last = await lastCompatible(read);
  for (let id = last + 1; id <= MIGRATIONS.length; id++) {
    const statements = [CREATE_LOG, ...MIGRATIONS[id - 1]!].map((sql) => ({ sql, args: {} }));
    const entry = { sql: LOG, args: { id } };
    try {
      await commit([statements[0]!, entry, ...statements.slice(1)]);
    } catch (error) {
      if (faultOf(error).kind !== "statement" || await lastApplied(read) < id) throw error;
    }
  }
}

const TABLES = MIGRATIONS.flat().flatMap((sql) => /^CREATE TABLE (\w+)/.exec(sql)?.[1] ?? []);

// The statement decides, since another instance may have set the tables up meanwhile.
const FORGET_ALL = `
  DELETE FROM migrations WHERE NOT EXISTS (
    SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name IN (SELECT value FROM json_each(:tables)))`;

/**
 * Sets the tables up again where a running instance finds none: the file was replaced, or they were dropped. Does
 * nothing where some are left. Errors: `NewerDatabase`.
 */
export async function recreateTables(read: Send, commit: Send): Promise<void> {
  try {
    await commit([{ sql: FORGET_ALL, args: { tables: JSON.stringify(TABLES) } }]);
  } catch (error) {
    if (!isSchemaMissing(error)) throw error; // the log is gone too
  }
  await migrate(read, commit);
}

/** Returns the last applied migration. Errors: `NewerDatabase`. */
async function lastCompatible(read: Send): Promise<number> {
  try {
    const [rows] = await read([{ sql: COMPATIBLE, args: {} }]);
    const { id, requires } = rows![0]!;
    if (Number(requires) > RELEASE) throw new NewerDatabase(Number(requires));
    return Number(id);
  } catch (error) {
    if (!isSchemaMissing(error)) throw error;
    return await lastApplied(read); // an older database, or a new one
  }
}

async function lastApplied(read: Send): Promise<number> {
  try {
    const [rows] = await read([{ sql: LAST_APPLIED, args: {} }]);
    return Number(rows![0]!.id);
  } catch (error) {
    if (faultOf(error).kind === "statement") return 0; // a new database has no log yet
    throw error;
  }
}
