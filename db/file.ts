import type { DatabaseSync, StatementSync } from "node:sqlite";
import { boundValue } from "./binding.ts";
import type { Connection } from "./database.ts";
import { faultOf } from "./faults.ts";
import type { Row, Statement } from "./lane.ts";

/** Milliseconds that a file database blocks for another process's write; the lane's retry does not block. */
const BUSY_MS = 20;
const MOST_ATTEMPTS = 50;

/** Statements that are kept prepared. The service has some hundred; lists by filters make a few more. */
const PREPARED = 256;

/** The names of SQLite's primary result codes, as far as `faultOf` tells them apart. */
const NAMES: Record<number, string> = {
  3: "SQLITE_PERM",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  7: "SQLITE_NOMEM",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  23: "SQLITE_AUTH",
  26: "SQLITE_NOTADB",
};

/**
 * Opens `file:<path>` with the SQLite that is part of the runtime. A native addon would do as well, but Deno's Node-API
 * never frees the wrapper of a value that an addon hands out: 48 bytes for each statement and each result. One
 * connection, since a file has one writer; it is made anew after any failure, which also ends a transaction that the
 * failure left open.
 */
export async function connectFile(url: string): Promise<Connection> {
  const { DatabaseSync } = await import("node:sqlite");
  const path = decodeURIComponent(url.slice("file:".length).replace(/^\/\/(localhost)?(?=\/)/, ""));
  await makeFolder(path);
  const open = () => {
    try {
      return createSession(new DatabaseSync(path, { timeout: BUSY_MS }));
    } catch (error) {
      throw Object.assign(error as Error, { code: "SQLITE_CANTOPEN" });
    }
  };
  let session: ReturnType<typeof open> | undefined = open();
  await useWal(session);
  function transact(statements: Statement[], mode: "read" | "write"): Row[][] {
    session ??= open();
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
    close: () => session?.close(),
  };
}

/** A connection with its prepared statements: what each holds is freed only when the collector comes to it. */
function createSession(database: DatabaseSync) {
  const prepared = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    statement.setAllowUnknownNamedParameters(true);
    if (prepared.size >= PREPARED) prepared.delete(prepared.keys().next().value!);
    prepared.set(sql, statement);
    return statement;
  }

  function run({ sql, args }: Statement, index?: number): Row[] {
    try {
      const named: Record<string, string | number | bigint | null> = {};
      for (const name in args) named[name] = boundValue(args[name]!);
      return prepare(sql).all(named);
    } catch (error) {
      throw withCode(error, index);
    }
  }

  const plainly = (sql: string) => run({ sql, args: {} });
  return {
    plainly,
    transact(statements: Statement[], mode: "read" | "write"): Row[][] {
      plainly(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
      const rows = statements.map((statement, index) => run(statement, index));
      plainly("COMMIT");
      return rows;
    },
    close: () => database.close(),
  };
}

/** Gives an error of SQLite the `code` and `statementIndex` by which `faultOf` knows it. */
function withCode(error: unknown, statementIndex?: number): unknown {
  const { errcode } = error as { errcode?: number };
  if (errcode === undefined) return error;
  return Object.assign(error as Error, { code: NAMES[errcode & 0xff] ?? "SQLITE_ERROR", statementIndex });
}

/** Turns on the write-ahead log; another process may be just setting up the same file. */
async function useWal(session: ReturnType<typeof createSession>): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return void session.plainly("PRAGMA journal_mode = WAL");
    } catch (error) {
      if (faultOf(error).kind !== "busy" || attempt === MOST_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
  }
}

/** Makes the file's folder where that is allowed; elsewhere it must be there. */
async function makeFolder(path: string): Promise<void> {
  const folder = path.replace(/[^/]*$/, "");
  try {
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
