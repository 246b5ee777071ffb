import type { Clock } from "../clock.ts";
import type { Row } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import type { ReadSetAt } from "./read_set.ts";

/** A request that is to be done once, however often it is sent. */
export interface KeyedRequest {
  /** Whose the key is: another's is another one. */
  viewer: Viewer;
  /** Where the key counts: a room's id, or a text that is none. */
  scope: string;
  key: string;
  /** Equal for equal requests only. */
  fingerprint: string;
  /** Milliseconds for which the key is kept. */
  lifetime: number;
}

/** An idempotency key and the request that is at work under it. */
export interface IdempotencyKey extends KeyedRequest {
  /** Tells this request from its repetitions. */
  nonce: string;
  now: Date;
  /** The ids that the request was given so far. */
  ids: string[];
}

/** What a write works with: the clock of the database, or of a request with a key, whose time is fixed. */
export interface WriteContext extends Pick<Clock, "time" | "newId"> {
  /** With whose eyes a gate and a refusal are seen. */
  viewer: Viewer;
  idempotencyKey?: IdempotencyKey;
}

/** Who makes a write, and under which key. */
export type WriteAs = Pick<WriteContext, "viewer" | "idempotencyKey">;

/** What the database told of a write that succeeded: of this, and of the request, its answer is made, then and later. */
export interface Outcome {
  now: Date;
  /** The revision that the write was given; undefined where it changed nothing. */
  revision: number | undefined;
  /** The rows of each answer query (`Step.answer`). */
  rows: Row[][];
  /** JSON that was computed after the commit. */
  later?: string;
  /** The key under which the outcome is stored. */
  key?: IdempotencyKey;
  /** True where the write was made by an earlier request under the key. */
  replayed?: boolean;
}

/** What a request writes. */
export interface Operation<Answer> {
  /**
   * Makes the write. Undefined where something of the read set has changed since it was read.
   * Errors: what refuses the write.
   */
  run(context: WriteContext, readSet?: ReadSetAt): Promise<Outcome | undefined>;
  /** Makes the answer of an outcome, whether it was just told or was stored under a key. */
  answer(outcome: Outcome): Answer;
}
