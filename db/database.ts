import { createLane, type Row, type Send, type Statement } from "./lane.ts";
import { migrate } from "./schema.ts";

/** What the service needs of a libSQL client: one round trip, all or nothing. */
export interface Connection {
  send(statements: Statement[], mode: "read" | "write"): Promise<Row[][]>;
  close(): void;
}

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
  read(statements: Statement[]): Promise<Row[][]>;
  /** Runs statements atomically and in order in one round trip, which other commits may share. */
  commit(statements: Statement[]): Promise<Row[][]>;
  /** Applies the migrations that are missing. Done by itself before the first statement. */
  migrate(): Promise<void>;
  /** Tells the listeners of this instance that a room has moved. */
  announce(change: Change): void;
  /** Listens for changes of this instance's own writes; returns how to stop. */
  listen(listener: (change: Change) => void): () => void;
  now(): Date;
  /** A value that no other call returns: ids, nonces of writes, tokens of waits. */
  unique(): string;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  connect(): Promise<Connection>;
  now?: () => Date;
  unique?: () => string;
}

// Together with the deadline of a call (open.ts) they keep every request within 10 s.
const limits = { statements: 256, patience: 4_000 };

/**
 * The database as the service sees it: reads and writes are each collected in a lane. It connects and migrates
 * with the first statement, and tries again with the next one when that failed.
 * Errors of `read` and `commit`: `DatabaseUnavailable`.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const now = options.now ?? (() => new Date());
  const unique = options.unique ?? (() => crypto.randomUUID());
  const listeners = new Set<(change: Change) => void>();
  const clock = () => now().getTime();
  let connection: Promise<Connection> | undefined;

  function connected(): Promise<Connection> {
    connection ??= options.connect().then(async (opened) => {
      const lane = (mode: "read" | "write") =>
        createLane((statements) => opened.send(statements, mode), { ...limits, inFlight: 1 }, clock);
      await migrate(lane("read").submit, lane("write").submit, now);
      return opened;
    });
    connection.catch(() => connection = undefined);
    return connection;
  }

  const through = (mode: "read" | "write"): Send => async (statements) =>
    (await connected()).send(statements, mode);
  const reads = createLane(through("read"), { ...limits, inFlight: 4 }, clock);
  const writes = createLane(through("write"), { ...limits, inFlight: 1 }, clock);

  return {
    read: reads.submit,
    commit: writes.submit,
    migrate: async () => void await connected(),
    announce: (change) => listeners.forEach((listener) => listener(change)),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now,
    unique,
    close: async () => (await connection?.catch(() => undefined))?.close(),
  };
}
