import type { Row, Send, Statement } from "./driver/statement.ts";

/** The database's time in milliseconds, as SQL: the same all through a statement. */
export const NOW = `CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)`;

const ASK: Statement = { sql: `SELECT ${NOW} AS now`, args: {}, single: true };

/** The time is asked for with the first batch that comes so much later: clocks drift, and are set. */
const ASK_EVERY_MS = 10_000;

/** By so much the time of day may move against `elapsed` before time counts as passed unseen. */
const UNSEEN_MS = 1_000;

/** The clocks of the machine, in milliseconds. Neither is ever shown: what others see is of the database's clock. */
export interface MachineClocks {
  /** Runs evenly, from whenever it began; it may stand still while the machine sleeps. */
  elapsed(): number;
  /** Only tells, against `elapsed`, that the machine has slept or that its clock was set. */
  timeOfDay(): number;
}

export const MACHINE_CLOCKS: MachineClocks = {
  elapsed: () => performance.now(),
  timeOfDay: () => Date.now(),
};

/** Time and ids. */
export interface Clock {
  /**
   * The database's time, by which all that others see is reckoned: at once, but before the database has told it.
   * Errors: `DatabaseUnavailable`.
   */
  time(): Promise<Date>;
  /** Milliseconds since some time or other, for what this instance alone is to measure. They run evenly. */
  elapsed(): number;
  /** A value that no other call returns: ids, nonces of writes, tokens of waits. */
  newId(): string;
}

/** The database's clock, as far as this instance knows it. */
export interface ServerClock {
  /** The database's time, within half the time of a call; after it was told. */
  now(): Date;
  /** False before the database has told its time, and where time has passed unseen since. */
  isKnown(): boolean;
  /** Sends statements, and where a sync is due asks for the time in the same round trip. */
  sendAndSync(send: Send, statements: Statement[]): Promise<Row[][]>;
}

/**
 * Reckons the database's time from what it told and from what has elapsed since. Two instances whose clocks differ by
 * hours agree, and no clock that is set moves what they write.
 */
export function createServerClock({ elapsed, timeOfDay }: MachineClocks): ServerClock {
  /** Between these two lies what is to be added to `elapsed`. */
  let bounds = { min: -Infinity, max: Infinity };
  let askedAt = -Infinity;
  let apart = NaN;

  const isKnown = () => Math.abs(timeOfDay() - elapsed() - apart) < UNSEEN_MS;

  /** The narrowest bounds that agree with all that was told; where nothing does, the clock was set. */
  function learn(told: number, sent: number, answered: number) {
    // It is told in whole milliseconds, those that have passed.
    const [min, max] = [told - answered, told + 1 - sent];
    const agrees = min <= bounds.max && max >= bounds.min;
    bounds = agrees ? { min: Math.max(min, bounds.min), max: Math.min(max, bounds.max) } : { min, max };
    askedAt = answered;
    apart = timeOfDay() - answered;
  }

  return {
    now: () => new Date(elapsed() + (bounds.min + bounds.max) / 2),
    isKnown,
    async sendAndSync(send, statements) {
      const sent = elapsed();
      if (isKnown() && sent - askedAt < ASK_EVERY_MS) return await send(statements);
      const rows = await send([...statements, ASK]);
      learn(Number(rows.pop()![0]!.now), sent, elapsed());
      return rows;
    },
  };
}
