import type { Connection } from "./driver/connection.ts";
import { createClock, type MachineClocks } from "./clock.ts";
import { DatabaseUnavailable, faultOf, isSchemaMissing } from "./driver/faults.ts";
import { type BatchQueue, createBatchQueue } from "./batching/queue.ts";
import { migrate, migrateAnew, NewerDatabase } from "./driver/migrate.ts";
import type { Row, Send, Statement } from "./driver/statement.ts";
import { createFairMutex, createKeyedMutex } from "./serialize.ts";

export const PARTS = ["state", "agents", "messages"] as const;
export type Part = typeof PARTS[number];

/** A part of a room has moved to `revision`. A hint: whoever is told compares revisions with the database. */
export interface Change {
  room: string;
  part: Part;
  revision: number;
}

export interface Database {
  /** Runs reads in one snapshot and one round trip, which other reads may share. */
  read: BatchQueue["submit"];
  /** Reads one item, coalesced with others of its kind into statements that serve them all. */
  readCoalesced: BatchQueue["submitCoalesced"];
  /** Runs statements atomically and in order in one round trip, which other commits may share. */
  commit(statements: Statement[]): Promise<Row[][]>;
  /** Commits one item, coalesced with others of its kind into statements that serve them all. */
  commitCoalesced: BatchQueue["submitCoalesced"];
  /** Applies the migrations that are missing. Done by itself before the first statement. */
  migrate(): Promise<void>;
  /** Runs a task that will need the database soon: batches wait a moment for what it submits. */
  working<T>(task: () => Promise<T>): Promise<T>;
  /** Runs a task once the room's earlier ones have ended, in this instance. Errors: `unavailable`, what the task throws. */
  serialize<T>(room: string, task: () => Promise<T>): Promise<T>;
  /** Runs a task that reads much of a room: one at a time over all rooms, round robin. Errors: the same. */
  serializeFairly<T>(room: string, task: () => Promise<T>): Promise<T>;
  /** Tells the listeners of this instance that a room has moved. */
  announce(change: Change): void;
  /** Listens for changes of this instance's own writes; returns how to stop. */
  listen(listener: (change: Change) => void): () => void;
  /**
   * The database's time, by which all that others see is reckoned: at once, but before the database has told it.
   * Errors: `DatabaseUnavailable`.
   */
  time(): Promise<Date>;
  /** Milliseconds since some time or other, for what this instance alone is to measure. They run evenly. */
  elapsed(): number;
  /** A value that no other call returns: ids, nonces of writes, tokens of waits. */
  unique(): string;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  connect(): Promise<Connection>;
  /** The machine's clocks. */
  clocks?: MachineClocks;
  unique?: () => string;
}

// Together with the deadline of a call (db/driver/remote.ts) the patience keeps every request within 10 s. A batch of
// writes is so small that the entries which its refusals show, 20 x 64 KiB a submission, fit into one answer of 10 MiB.
const QUEUE_LIMITS = {
  read: { inFlight: 2, apart: 3, weight: 64, readOnly: true, patience: 4_000 },
  write: { inFlight: 1, apart: 0, weight: 160, readOnly: false, patience: 4_000 },
};

const CLOCKS: MachineClocks = { elapsed: () => performance.now(), timeOfDay: () => Date.now() };

class TablesMissing extends Error {
  override readonly message =
    "The database has lost some of its tables: restore a copy of it, or set up a new one.";
}

/** Milliseconds between two reports of a database that does not answer. */
const REPORT_EVERY_MS = 10_000;

/**
 * The database as the service sees it: reads and writes have a batch queue each. It connects and migrates
 * with the first statement, and tries again with the next one when that failed.
 * Errors: `DatabaseUnavailable`.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const { elapsed } = options.clocks ?? CLOCKS;
  const clock = createClock(options.clocks ?? CLOCKS);
  const listeners = new Set<(change: Change) => void>();
  let connection: Promise<Connection> | undefined;
  let settingUp: Promise<void> | undefined;
  let reportedAt = -Infinity;

  async function connect(): Promise<Connection> {
    const opened = await options.connect();
    try {
      await setUp(opened, migrate);
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  async function setUp(opened: Connection, by: typeof migrate): Promise<void> {
    const run = (send: Send, mode: "read" | "write") =>
      createBatchQueue(send, { ...QUEUE_LIMITS[mode], expected: () => 0 }, elapsed).submit;
    const read: Send = (statements) => opened.send(statements, "read");
    // Told with the first look at the database, or where that had no tables yet, after they are made.
    await by(
      run((statements) => clock.sendAndSync(read, statements), "read"),
      run((statements) => opened.send(statements, "write"), "write"),
    );
    if (!clock.isKnown()) await clock.sendAndSync(read, []);
  }

  async function open(): Promise<Connection> {
    connection ??= connect();
    return await connection.catch((error) => {
      connection = undefined;
      report(error);
      throw new DatabaseUnavailable("The database could not be opened.", false, { cause: error });
    });
  }

  async function send(statements: Statement[], mode: "read" | "write"): Promise<Row[][]> {
    const opened = await open();
    try {
      return await sendBy(opened, statements, mode);
    } catch (error) {
      if (isSchemaMissing(error)) return await sendAnew(opened, statements, mode);
      report(error);
      throw error;
    }
  }

  function sendBy(opened: Connection, statements: Statement[], mode: "read" | "write"): Promise<Row[][]> {
    return clock.sendAndSync((all) => opened.send(all, mode), statements);
  }

  /** Sends what failed since tables are gone, once they are set up again: nothing of it was applied. */
  async function sendAnew(
    opened: Connection,
    statements: Statement[],
    mode: "read" | "write",
  ): Promise<Row[][]> {
    settingUp ??= setUp(opened, migrateAnew).finally(() => settingUp = undefined);
    try {
      await settingUp;
      return await sendBy(opened, statements, mode);
    } catch (error) {
      const missing = isSchemaMissing(error);
      report(missing ? new TablesMissing() : error);
      throw missing
        ? new DatabaseUnavailable("The database has lost tables.", false, { cause: error })
        : error;
    }
  }

  /** Tells the operator, who sees nothing of the answers, that the database fails; not at every request. */
  function report(error: unknown) {
    if (!["lost", "refused"].includes(faultOf(error).kind) || elapsed() - reportedAt < REPORT_EVERY_MS) {
      return;
    }
    reportedAt = elapsed();
    if (error instanceof NewerDatabase || error instanceof TablesMissing) console.error(error.message);
    else console.error("The database does not answer:", error instanceof Error ? error.message : error);
  }

  let working = 0;
  const expected = () => working;
  const reads = createBatchQueue(
    (statements) => send(statements, "read"),
    { ...QUEUE_LIMITS.read, expected },
    elapsed,
  );
  const writes = createBatchQueue((statements) => send(statements, "write"), {
    ...QUEUE_LIMITS.write,
    expected,
  }, elapsed);
  return {
    read: reads.submit,
    readCoalesced: reads.submitCoalesced,
    commit: writes.submit,
    commitCoalesced: writes.submitCoalesced,
    async working(task) {
      working++;
      try {
        return await task();
      } finally {
        working--;
      }
    },
    serialize: createKeyedMutex(),
    serializeFairly: createFairMutex(),
    migrate: async () => void await open(),
    announce: (change) => listeners.forEach((listener) => listener(change)),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async time() {
      if (!clock.isKnown()) await reads.submit([]);
      return clock.now();
    },
    elapsed,
    unique: options.unique ?? (() => crypto.randomUUID()),
    close: async () => (await connection?.catch(() => undefined))?.close(),
  };
}
