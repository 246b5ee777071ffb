import { pause } from "../pause.ts";
import { createLru } from "../lru.ts";
import type Libsql from "libsql";
import { bound } from "./binding.ts";
import type { Connection } from "./connection.ts";
import { DatabaseUnusable, faultOf } from "./faults.ts";
import type { Row, Statement } from "./statement.ts";

/** Milliseconds for which the thread blocks while another process writes. The batch sender's retry does not block. */
const BUSY_MS = 20;
const MAX_ATTEMPTS = 50;

/** Milliseconds between two checks that the path still has the opened file. */
const CHECK_EVERY_MS = 1_000;

/**
 * The length of all statements of a kind that are kept prepared: each takes some 11 bytes a character. The service has
 * some hundred short ones; the writes of a batch make long ones, of nearly any number.
 */
const PREPARED = 2 ** 21;
const lengthOf = (_: unknown, sql: string) => sql.length;
/**
 * The length of a statement that is kept prepared only from its second run on: most that are so long have none, and
 * what was kept stays in memory until the collector looks at what is old.
 */
const LONG = 8_192;

/** Tells the operator that the file cannot be opened, which later requests do not change. */
export class FileNotOpened extends DatabaseUnusable {
  override readonly name = "FileNotOpened";
  constructor(path: string, cause: Error) {
    const folder = folderOf(path).replace(/(?<=.)\/$/, "");
    const why = NO_DATABASE.test(cause.message)
      ? "it is not a database of SQLite."
      : folder === ""
      ? "the service must be able to write it and its folder."
      : `the folder ${folder} must exist, and the service must be able to write it and the file.`;
    super(`The database file ${path} cannot be opened: ${why}`, { cause });
  }
}

/**
 * Opens `file:<path>` with libSQL's native library, as `@libsql/client` does, but keeps statements prepared. Then the
 * runtime's `node:sqlite` is no faster (0.92 to 1.01 of it), and servers run this engine too. It opens one connection,
 * since a file has one writer, and replaces it after any failure: after SQLITE_BUSY it may silently lose later writes.
 */
export async function connectFile(url: string): Promise<Connection> {
  const { default: Database } = await import("libsql");
  const path = pathOf(url);
  await makeFolder(path);
  const open = () => createSession(new Database(path, { timeout: BUSY_MS }));
  let session: Session | undefined = await openFirst(path, open);
  let closed = false;
  const file = createFileWatch(path);
  /** Connections to files that the path has lost. They are not closed, which would remove the log of the new file. */
  const replaced: Session[] = [];

  /** Opens the file that is at the path, which may be a new one. */
  function reopen(): Session {
    const opened = open();
    try {
      opened.plainly("PRAGMA journal_mode = WAL");
    } catch (error) {
      opened.close();
      throw error;
    }
    file.opened();
    return opened;
  }

  function transact(statements: Statement[], mode: "read" | "write"): Row[][] {
    if (closed) throw new Error("The database is closed.");
    if (session && file.isAnother()) {
      replaced.push(session);
      session = undefined;
    }
    session ??= reopen();
    try {
      return session.transact(statements, mode);
    } catch (error) {
      session.close();
      session = undefined;
      throw error;
    }
  }

  return {
    send: (statements, mode) => Promise.try(transact, statements, mode),
    close() {
      if (closed) return;
      closed = true;
      try {
        // Moves the log into the file, so that a copy of the file alone is whole; other processes may prevent it.
        (session ??= open()).plainly("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {
        // The rest stays in the log and is read from there.
      }
      session?.close();
      session = undefined;
    },
  };
}

/** Opens a database that ends with its connection. So it is never reopened, and no other process keeps it busy. */
export async function connectMemory(): Promise<Connection> {
  const { default: Database } = await import("libsql");
  let session: Session | undefined = createSession(new Database(":memory:"));
  return {
    async send(statements, mode) {
      if (!session) throw new Error("The database is closed.");
      return await session.transact(statements, mode);
    },
    close() {
      session?.close();
      session = undefined;
    },
  };
}

type Session = ReturnType<typeof createSession>;
type Run = (args: ReturnType<typeof bound>["args"]) => Row[];

/** Creates a connection with its prepared statements. */
function createSession(database: Libsql.Database) {
  const singles = createLru<Run>(PREPARED, lengthOf);
  const others = createLru<Run>(PREPARED, lengthOf);
  const runOnce = createLru<true>(PREPARED, lengthOf);

  function keep(prepared: typeof singles, sql: string, run: Run): Run {
    if (sql.length < LONG || runOnce.has(sql)) prepared.set(sql, run);
    else runOnce.set(sql, true);
    return run;
  }

  function run(statement: Statement, index?: number): Row[] {
    // By the text itself: a name that is made of it would be hashed anew at each run.
    const { sql, single } = statement;
    const prepared = single ? singles : others;
    try {
      const known = prepared.get(sql) ?? keep(prepared, sql, prepare(database, statement));
      return known(bound(statement).args);
    } catch (error) {
      prepared.delete(sql); // the next run would report this failure again
      throw Object.assign(error as Error, { statementIndex: index });
    }
  }

  const plainly = (sql: string) => run({ sql, args: {}, single: true });
  return {
    plainly,
    transact(statements: Statement[], mode: "read" | "write"): Row[][] {
      plainly(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
      try {
        const rows = statements.map((statement, index) => run(statement, index));
        plainly("COMMIT");
        return rows;
      } catch (error) {
        if (database.inTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => void database.close(),
  };
}

/**
 * Prepares a statement. Each iteration over rows leaks 50 bytes in Deno, so a `single` row is fetched by itself and the
 * rows of other queries become one, as JSON. A prepared statement is run in one way only: after an iteration, fetching
 * one row would not see new arguments.
 */
function prepare(database: Libsql.Database, { sql, single }: Statement): Run {
  const statement = database.prepare(sql);
  if (!statement.reader) return (args) => (statement.run(args), []);
  statement.raw();
  const names = statement.columns().map(({ name }) => name);
  const toRow = (cells: unknown[]): Row => Object.fromEntries(cells.map((cell, n) => [names[n]!, cell]));
  if (single) return (args) => asList(statement.get(args) as unknown[] | undefined).map(toRow);
  if (!/^\s*(SELECT|WITH)\b/.test(sql)) return (args) => (statement.all(args) as unknown[][]).map(toRow);
  const columns = names.map((name) => `"${name}"`).join(", ");
  const asJson = database.prepare(`SELECT json_group_array(json_array(${columns})) FROM (${sql})`).raw();
  return (args) => JSON.parse((asJson.get(args) as [string])[0]).map(toRow);
}

function asList<T>(found: T | undefined): T[] {
  return found === undefined ? [] : [found];
}

/** Opens the file, with its write-ahead log. Errors: `FileNotOpened`. */
async function openFirst(path: string, open: () => Session): Promise<Session> {
  try {
    const session = open();
    await useWal(session);
    tryToWrite(session);
    return session;
  } catch (error) {
    const { message } = error as Error;
    const forGood = [CANNOT_OPEN, READ_ONLY, NO_DATABASE].some((words) => words.test(message));
    throw forGood ? new FileNotOpened(path, error as Error) : error;
  }
}

/** What libSQL says where it cannot open a file, whichever the reason (SQLITE_CANTOPEN). */
const CANNOT_OPEN = /\bunable to open /i;
/** What it says where it may read the file only (SQLITE_READONLY). */
const READ_ONLY = /\breadonly database\b/;
/** What it says of a file that holds something else (SQLITE_NOTADB). */
const NO_DATABASE = /\bis not a database\b/;

/**
 * Throws where the file cannot be written: with all its tables, only the first write would show it. A transaction that
 * changes nothing begins there too.
 */
function tryToWrite({ plainly }: Session): void {
  try {
    plainly("BEGIN IMMEDIATE");
  } catch (error) {
    if (faultOf(error).kind !== "busy") throw error;
    return; // another process writes it, so it can be written
  }
  try {
    plainly("CREATE TABLE tried (n)");
  } finally {
    plainly("ROLLBACK");
  }
}

/** Turns on the write-ahead log. It retries, since another process may be setting up the same file. */
async function useWal({ plainly }: Session): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void plainly("PRAGMA journal_mode = WAL");
    } catch (error) {
      if (faultOf(error).kind !== "busy" || attempt === MAX_ATTEMPTS) throw error;
      await pause(BUSY_MS);
    }
  }
}

/**
 * Checks, at most every `CHECK_EVERY_MS`, whether the path has lost the opened file: a connection would go on with the
 * deleted file and lose all writes. Without permission to read it finds nothing.
 */
function createFileWatch(path: string) {
  let known = identityOf(path);
  let checkedAt = performance.now();
  return {
    isAnother(): boolean {
      if (known === undefined || performance.now() - checkedAt < CHECK_EVERY_MS) return false;
      checkedAt = performance.now();
      return identityOf(path) !== known;
    },
    opened() {
      known = identityOf(path);
    },
  };
}

/** Identifies the file at a path; "none" where there is none, undefined where that is not known. */
function identityOf(path: string): string | undefined {
  // Queried first, since at a terminal the runtime would ask its user instead of refusing.
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
  try {
    const { dev, ino } = Deno.statSync(path);
    return ino === null ? undefined : `${dev} ${ino}`;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "none" : undefined;
  }
}

/** Makes the file's folder, if it may. Where it may not, and there is none, the file cannot be opened. */
async function makeFolder(path: string): Promise<void> {
  const folder = folderOf(path);
  if (folder !== "") await Deno.mkdir(folder, { recursive: true }).catch(() => {});
}

/** Returns the path of a database file that may be replaced unseen, since the runtime may not look at it. */
export function unwatched(url: string): string | undefined {
  if (!url.startsWith("file:") || url === "file::memory:") return undefined;
  const path = pathOf(url);
  return identityOf(path) === undefined ? path : undefined;
}

/** Returns the path of `file:<path>`. Errors: `DatabaseUnusable`. */
function pathOf(url: string): string {
  try {
    return decodeURIComponent(url.slice("file:".length).replace(/^\/\/(localhost)?(?=\/)/, ""));
  } catch {
    throw new DatabaseUnusable("The database file's name has a % that begins no code: write %25 for it.");
  }
}

/** Returns the folder of a path with its last slash; "" for a bare name. */
function folderOf(path: string): string {
  return path.replace(/[^/]*$/, "");
}
