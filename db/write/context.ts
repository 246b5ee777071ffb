import type { Clock } from "../clock.ts";
import type { Row } from "../driver/statement.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { type Acts, AS_NONE } from "../access/acts.ts";
import type { Json } from "../json.ts";
import type { Guard } from "./read_set.ts";

/** A request that takes effect once, however often it is sent. */
export interface KeyedRequest {
  viewer: Viewer;
  /** The scope of the key: a room's id, or a text that is none. */
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
  /** Whose key it is: another's is another key. */
  owner: Viewer;
  /** Distinguishes this request from its repetitions. */
  nonce: string;
  now: Date;
  /** The ids given to the request so far. */
  ids: string[];
}

/** The context of a write: the database's clock, or the fixed time of a keyed request. */
export interface WriteContext extends Pick<Clock, "time" | "newId"> {
  /** The reader for whom gates and refusals are made. */
  viewer: Viewer;
  /** As whom it acts, which the viewer must be entitled to. */
  acts: Acts;
  idempotencyKey?: IdempotencyKey;
}

/** The writer, as whom it acts, and its key if any. */
export type WriteAs = Pick<WriteContext, "viewer" | "acts" | "idempotencyKey">;

/** The service itself writes. */
export const BY_SERVICE: WriteAs = { viewer: SERVICE, acts: AS_NONE };

/** The database's outcome of a successful write. The answer is made of it and of the request, then and in replays. */
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

/** A write that was judged before it is made: what must still hold, and the nonce by which the next one knows it. */
export interface Judged {
  guard: Guard;
  nonce: string;
  /** What each of its writes leaves, if that was computed from the state that the guard proves. */
  computed?: Computed[];
}

/** What a write leaves of a key, for the gates that are judged after it. */
export type KeyChange =
  & { scope: string; key: string }
  & ({ value: Json } | { delta: number } | { deleted: true } | { edit: Compute });

/** What a write leaves of a key, computed from what it finds. One that is not `changed` is none. */
export interface Computed {
  value: Json;
  changed: boolean;
}

/** Computes what a write leaves of a value, undefined where there is none. Returns undefined if it will be refused. */
export type Compute = (found: Json | undefined) => Computed | undefined;

/** A write and its answer. */
export interface Operation<Answer> {
  /** As whom it acts: the database refuses it where the viewer may not. */
  acts: Acts;
  /** Makes the write. Returns undefined where its guard no longer holds. Errors: those of the write. */
  run(context: WriteContext, judged?: Judged): Promise<Outcome | undefined>;
  /** What it changes of the state, in order; undefined where only the database can tell. */
  changes?: KeyChange[];
  /** Makes the answer of an outcome, be it new or replayed. */
  answer(outcome: Outcome): Answer;
}
