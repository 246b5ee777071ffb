import type { Row, Send, Statement } from "./driver/statement.ts";

/** The database's time in milliseconds, in SQL. It is constant within a statement. */
export const NOW = `CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)`;

const SELECT_NOW: Statement = { sql: `SELECT ${NOW} AS now`, args: {}, single: true };

/** Milliseconds after which a batch asks for the time again, since clocks drift and are set. */
const SYNC_EVERY_MS = 10_000;

/** Milliseconds by which the time of day may diverge from `elapsed` before the time counts as unknown. */
const UNSEEN_MS = 1_000;

/** The machine's clocks, in milliseconds. Nothing shows them: all times are by the database's clock. */
export interface MachineClocks {
  /** Monotonic, from any start. It may stop while the machine sleeps. */
  elapsed(): number;
  /** Serves only to detect, against `elapsed`, that the machine slept or that its clock was set. */
  timeOfDay(): number;
}

export const MACHINE_CLOCKS: MachineClocks = {
  elapsed: () => performance.now(),
  timeOfDay: () => Date.now(),
};

export interface Clock {
  /**
   * Returns the database's time, by which all times are shown. Asks the database only while it is unknown.
   * Errors: `DatabaseUnavailable`.
   */
  time(): Promise<Date>;
  /** Returns monotonic milliseconds, for durations within this instance. */
  elapsed(): number;
  /** Returns a unique value: an id, the nonce of a write, the token of a wait. */
  newId(): string;
  /** Returns 32 random bytes, for a secret. */
  randomBytes(): Uint8Array;
}

/** A query that is sent with each sync. */
export interface Beside {
  statement: Statement;
  hear(rows: Row[]): void;
}

export type ServerClock = ReturnType<typeof createServerClock>;

/**
 * Estimates the database's time from its last answers and the time elapsed since. So instances whose clocks differ by
 * hours agree, and setting a clock does not move the times that they write.
 */
export function createServerClock({ elapsed, timeOfDay }: MachineClocks) {
  /** The offset to add to `elapsed` lies between these. */
  let bounds = { min: -Infinity, max: Infinity };
  let syncedAt = -Infinity;
  let apart = NaN;
  let besideIsDue = true;

  const millis = () => elapsed() + (bounds.min + bounds.max) / 2;
  /** Whether the time is known: not before the first sync, nor after the machine slept or its clock was set. */
  const isKnown = () => Math.abs(timeOfDay() - elapsed() - apart) < UNSEEN_MS;

  /** Narrows the bounds by an answer. One that contradicts them replaces them, since the database's clock was set. */
  function learn(told: number, sent: number, answered: number) {
    // The database returns whole milliseconds, rounded down.
    const [min, max] = [told - answered, told + 1 - sent];
    const agrees = min <= bounds.max && max >= bounds.min;
    bounds = agrees ? { min: Math.max(min, bounds.min), max: Math.min(max, bounds.max) } : { min, max };
    syncedAt = answered;
    apart = timeOfDay() - answered;
  }

  return {
    /** Returns the database's time once it is known, accurate to half a round trip. */
    now: () => new Date(millis()),
    millis,
    isKnown,
    /**
     * Sends statements. Where a sync is due, asks in the same round trip for the time, and for `beside`, which the first
     * statements ask for too.
     */
    async sendAndSync(send: Send, statements: Statement[], beside?: Beside): Promise<Row[][]> {
      const sent = elapsed();
      const isDue = !isKnown() || sent - syncedAt >= SYNC_EVERY_MS || beside && besideIsDue;
      if (!isDue) return await send(statements);
      if (beside) besideIsDue = false;
      const rows = await send([...statements, ...beside ? [beside.statement] : [], SELECT_NOW]);
      learn(Number(rows.pop()![0]!.now), sent, elapsed());
      beside?.hear(rows.pop()!);
      return rows;
    },
  };
}
