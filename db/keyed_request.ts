import type { Row } from "./driver/statement.ts";

/** A request that is to be done once, however often it is sent. */
export interface KeyedRequest {
  /** Where the key counts: a room's id, or a text that is none. */
  scope: string;
  key: string;
  /** Equal for equal requests only. */
  fingerprint: string;
  /** Milliseconds for which the key is kept. */
  lifetime: number;
}

/**
 * A keyed request at work. It is done again by running the same function with what the first run was given: the
 * time, the unique values and the rows that the database answered. So both answers are made by the same code.
 */
export interface Once extends KeyedRequest {
  nonce: string;
  now: Date;
  /** The unique values that were handed out so far. */
  unique: string[];
  /** What the first run was given, where there was one. */
  stored?: Stored;
}

/** What the first run was given; db/write/idempotency.ts has the format. */
export interface Stored {
  /** Absent in the outcomes of the first format. */
  format?: number;
  unique: string[];
  revision: number | null;
  /** The rows of each step that has `kept`. */
  rows: Row[][];
  /** JSON that was computed after the commit. */
  later?: string;
}
