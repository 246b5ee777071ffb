import { type BatchQueue, createBatchQueue } from "./batching/queue.ts";
import { createRoundTrips, type Load } from "./batching/load.ts";
import { createUses } from "./batching/uses.ts";
import type { Beside, ServerClock } from "./clock.ts";
import type { Connection } from "./driver/connection.ts";
import { DatabaseUnavailable, DatabaseUnusable, faultOf, isSchemaMissing } from "./driver/faults.ts";
import { migrate, recreateTables } from "./driver/migrate.ts";
import type { Row, Send, Statement } from "./driver/statement.ts";
import { SERVICE, type Viewer } from "./viewer.ts";

/**
 * Reads and writes the database for a viewer. Where the viewer shows a token, the same round trip checks it: further
 * errors are `unauthenticated`, and `room_not_found` where no open room has the id. That the token is in force does not
 * let it write: each admission has to judge that (db/access/acts.ts).
 */
export interface Store {
  /** Runs reads in one snapshot and one round trip, which it may share with other reads. */
  read(viewer: Viewer, statements: Statement[]): Promise<Row[][]>;
  /** Reads one item, coalesced with others of its kind into statements that serve them all. */
  readCoalesced: BatchQueue["submitCoalesced"];
  /** Runs statements atomically, in order, in one round trip, which it may share with other commits. */
  commit: BatchQueue["submit"];
  /** Commits one item, coalesced with others of its kind into statements that serve them all. */
  commitCoalesced: BatchQueue["submitCoalesced"];
  /** Applies the missing migrations. The first statement does this too. */
  migrate(): Promise<void>;
  /** Runs a task that will use the database soon, so that batches wait a moment for its submissions. */
  working<T>(task: () => Promise<T>): Promise<T>;
  /** Returns what reads and writes have cost, and how many wait. */
  load(): Record<Mode, Load>;
  close(): Promise<void>;
}

// With the deadline of a call (db/driver/remote.ts), `patience` keeps every request within 10 s. The weight of a batch
// of writes lets the entries that refusals show, 20 x 64 KiB a submission, fit into one answer of 10 MiB.
const QUEUE_LIMITS = {
  read: { inFlight: 2, apart: 3, weight: 64, readOnly: true, patience: 4_000 },
  write: { inFlight: 1, apart: 0, weight: 160, readOnly: false, patience: 4_000 },
};

type Mode = keyof typeof QUEUE_LIMITS;

class TablesMissing extends Error {
  override readonly message =
    "The database has lost some of its tables: restore a copy of it, or set up a new one.";
}

const REPORT_EVERY_MS = 10_000;

/**
 * Creates the store, with a batch queue for reads and one for writes. It connects and migrates with the first
 * statement; where that fails, the next one tries again. `beside` is sent with each sync of the clock.
 * Errors: `DatabaseUnavailable`.
 */
export function createStore(
  connectTo: () => Promise<Connection>,
  clock: ServerClock,
  elapsed: () => number,
  beside?: Beside,
): Store {
  const link = createLink(connectTo, clock, elapsed, beside);
  let working = 0;
  const roundTrips = { read: createRoundTrips(elapsed), write: createRoundTrips(elapsed) };
  const queue = (mode: Mode) =>
    createBatchQueue(
      (statements) => roundTrips[mode].counted(() => link.send(statements, mode)),
      { ...QUEUE_LIMITS[mode], expected: () => working },
      elapsed,
    );
  const [reads, writes] = [queue("read"), queue("write")];
  const noteUse = createUses(writes, clock);
  return {
    read: (viewer, statements) => noteUse(viewer, reads.submit(viewer, statements)),
    readCoalesced: (viewer, ...submission) => noteUse(viewer, reads.submitCoalesced(viewer, ...submission)),
    commit: (viewer, ...submission) => noteUse(viewer, writes.submit(viewer, ...submission)),
    commitCoalesced: (viewer, ...submission) =>
      noteUse(viewer, writes.submitCoalesced(viewer, ...submission)),
    async working(task) {
      working++;
      try {
        return await task();
      } finally {
        working--;
      }
    },
    load: () => ({
      read: { roundTrips: roundTrips.read.told, queued: reads.waiting() },
      write: { roundTrips: roundTrips.write.told, queued: writes.waiting() },
    }),
    migrate: async () => void await link.open(),
    close: link.close,
  };
}

/** Creates the way to the database, which is opened when it is first used. */
function createLink(
  connectTo: () => Promise<Connection>,
  clock: ServerClock,
  elapsed: () => number,
  beside?: Beside,
) {
  let connection: Promise<Connection> | undefined;
  let settingUp: Promise<void> | undefined;
  const report = createReport(elapsed);

  async function connect(): Promise<Connection> {
    const opened = await connectTo();
    try {
      await setUp(opened, migrate);
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  async function setUp(opened: Connection, by: typeof migrate): Promise<void> {
    const run = (send: Send, mode: Mode) =>
      createBatchQueue(send, { ...QUEUE_LIMITS[mode], expected: () => 0 }, elapsed);
    const read: Send = (statements) => opened.send(statements, "read");
    // The first read brings the time too. On a new database it fails; the time is asked for once there are tables.
    const reads = run((statements) => clock.sendAndSync(read, statements), "read");
    const writes = run((statements) => opened.send(statements, "write"), "write");
    await by(
      (statements) => reads.submit(SERVICE, statements),
      (statements) => writes.submit(SERVICE, statements),
    );
    if (!clock.isKnown()) await clock.sendAndSync(read, []);
  }

  /** Connects and migrates, unless that is done. Errors: `DatabaseUnavailable`. */
  async function open(): Promise<Connection> {
    connection ??= connect();
    return await connection.catch((error) => {
      connection = undefined;
      report(error);
      throw new DatabaseUnavailable("The database could not be opened.", false, { cause: error });
    });
  }

  /** Sends statements as one transaction, and asks for the time where that is due. */
  async function send(statements: Statement[], mode: Mode): Promise<Row[][]> {
    const opened = await open();
    try {
      return await sendBy(opened, statements, mode);
    } catch (error) {
      if (isSchemaMissing(error)) return await resend(opened, statements, mode);
      report(error);
      throw error;
    }
  }

  function sendBy(opened: Connection, statements: Statement[], mode: Mode): Promise<Row[][]> {
    return clock.sendAndSync((all) => opened.send(all, mode), statements, beside);
  }

  /** Sets the tables up again, and resends a batch that failed without them: nothing of it was applied. */
  async function resend(opened: Connection, statements: Statement[], mode: Mode): Promise<Row[][]> {
    settingUp ??= setUp(opened, recreateTables).finally(() => settingUp = undefined);
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

  return { open, send, close: async () => (await connection?.catch(() => undefined))?.close() };
}

/** Errors whose message says all that the operator needs. */
const WORDED = [DatabaseUnusable, TablesMissing];

/** Creates the function that tells the operator, who sees no answers, that the database fails. */
function createReport(elapsed: () => number): (error: unknown) => void {
  let reportedAt = -Infinity;
  return (error) => {
    if (!["lost", "refused"].includes(faultOf(error).kind) || elapsed() - reportedAt < REPORT_EVERY_MS) {
      return;
    }
    reportedAt = elapsed();
    if (WORDED.some((kind) => error instanceof kind)) return console.error((error as Error).message);
    console.error("The database does not answer:", firstLine(rootOf(error)));
  };
}

/** Returns the first cause of an error, which alone tells what to mend: a queue and `fetch` say the same of all. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0];
