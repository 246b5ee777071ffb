import type { Clock } from "../clock.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { type Acts, AS_NONE } from "../access/acts.ts";
import type { Json } from "../json.ts";
import type { Guard } from "./read_set.ts";

/** A request that takes effect once, however often it is sent. */
export interface KeyedRequest {
  viewer: Viewer;
  /** The scope of the key: a room's stored id, or a text that is no id. */
  scope: string;
  key: string;
  /** Equal for equal requests only. */
  fingerprint: string;
  /** Milliseconds for which the key is kept. */
  lifetime: number;
  acts: Acts;
}

/** An idempotency key and the request that acquires it. */
export interface IdempotencyKey extends KeyedRequest {
  /** The owner of the key: the same text of another owner is another key. */
  owner: Viewer;
  /** Distinguishes this request from its repetitions. */
  nonce: string;
  now: Date;
  /** The ids given to the request so far. */
  ids: string[];
}

/** The context of a write: its writer, and the time by the database's clock, which is fixed for a keyed request. */
export interface WriteContext extends Pick<Clock, "time" | "newId"> {
  /** The writer, for whom gates are evaluated and refusals explained. */
  viewer: Viewer;
  /** As whom it acts, which the database refuses where the viewer may not. */
  acts: Acts;
  idempotencyKey?: IdempotencyKey;
}

/** The writer, as whom it acts, and its key if any. */
export type WriteAs = Pick<WriteContext, "viewer" | "acts" | "idempotencyKey">;

export const BY_SERVICE: WriteAs = { viewer: SERVICE, acts: AS_NONE };

export interface Step extends Statement {
  /**
   * Makes its rows part of the answer. Under a key, these columns of `query` are stored, which runs right after the
   * statement with its arguments. By default, `query` is the statement. `weight`: that of what is stored.
   */
  answer?: { columns: string[]; query?: string; weight?: number };
}

/** The database's outcome of a successful write. The answer is made of it and the request, at once and in replays. */
export interface Outcome {
  now: Date;
  /** The write's revision; undefined where it changed nothing. */
  revision: number | undefined;
  /** The rows of each answer query (`Step.answer`). */
  rows: Row[][];
  /** JSON computed after the commit (`computeOnce`). */
  later?: string;
  /** The key under which the outcome is stored. */
  key?: IdempotencyKey;
  /** Whether an earlier request under the key made the write. */
  replayed?: boolean;
}

/**
 * What a gate allowed before the write: the guard that must still hold, and the nonce that the next write's guard
 * names.
 */
export interface Judged {
  guard: Guard;
  nonce: string;
  /** What each of its writes leaves, where that was computed from the state that the guard proves unchanged. */
  computed?: Computed[];
}

/** What a write leaves of a key, for the gates that are evaluated after it. */
export type KeyChange =
  & { scope: string; key: string }
  & ({ value: Json } | { delta: number } | { deleted: true } | { edit: Compute });

/** The value that a write leaves of a key, computed from the one that it finds; `changed`: whether they differ. */
export interface Computed {
  value: Json;
  /** The value as JSON, where that is known. */
  json?: string;
  changed: boolean;
}

/**
 * Computes what a write leaves of a value, undefined where the key is absent. Returns undefined if it will be refused.
 */
type Compute = (found: Json | undefined) => Computed | undefined;

export interface Operation<Answer> {
  /** As whom it acts, which the database refuses where the viewer may not. */
  acts: Acts;
  /** Makes the write. Returns undefined where its guard no longer holds. Errors: those of the write. */
  run(context: WriteContext, judged?: Judged): Promise<Outcome | undefined>;
  /** The keys that it changes, in order; undefined where only the database can tell. */
  changes?: KeyChange[];
  /** Makes the answer of an outcome, be it new or replayed. */
  answer(outcome: Outcome): Answer;
}
