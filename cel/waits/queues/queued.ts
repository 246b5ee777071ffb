import type { Part } from "../../../db/bus.ts";
import type { Database } from "../../../db/database.ts";
import { DatabaseUnavailable } from "../../../db/driver/faults.ts";
import { Refusal } from "../../../db/refusal.ts";
import { BY_SERVICE, type Operation, type WriteAs } from "../../../db/write/context.ts";

/** A request for something that one agent of a room at a time can have, such as a task. */
export interface QueueRequest {
  room: string;
  agent: string;
  /** Whose request it is, who must be entitled to act as the agent. */
  by: WriteAs;
  /** Shown as the agent's `waiting_on`. */
  waitingOn: string;
  /** Milliseconds; 0 tries once. */
  timeout: number;
  /** The parts of the room whose changes may make the request succeed. */
  parts: readonly Part[];
  /** Time alone may make it succeed: it is tried again each second. */
  timed?: boolean;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
}

/** A request in a queue. Requests are in order of arrival. */
export interface Queued<Request, Answer> {
  readonly request: Request;
  /** The registration of its agent at its first attempt; null if it had none; undefined before. */
  joined?: number | null;
  /** Its agent is marked as waiting, from its first attempt on. */
  readonly marked: boolean;
  /** The next attempt is the last one: it settles the request. */
  final: boolean;
  /** The result of the latest attempt that found nothing: the answer if the last attempt takes too long. */
  tried?: Answer;
  /** Its latest write since then: `sent` until it is known that others `preceded` it. */
  wrote?: "sent" | "preceded";
  /**
   * Makes a write that gives the request what it asks for. Returns undefined where others preceded it. Errors:
   * `unavailable` where the request has ended: nothing is given after an answer that says otherwise.
   */
  write<Made>(make: () => Promise<Made>): Promise<Made>;
  /** Whether it has ended: what is judged for it would be for nobody. */
  isOver(): boolean;
  /** Ends the request with an answer or an error. Returns false if it had ended before, as when its client left. */
  settle(answer: Answer | Error): boolean;
}

/** It is not known whether a request's write was made: another attempt might make it twice. */
class OutcomeUnknown extends Error {
  constructor(override readonly cause: DatabaseUnavailable) {
    super("It is not known whether the write was made.");
  }
}

/** Marks a failure of the write as that of its request alone, for `settleFailed`. */
export function ownWrite<T>(write: Promise<T>): Promise<T> {
  return write.catch((error) => {
    throw error instanceof DatabaseUnavailable && error.unknown ? new OutcomeUnknown(error) : error;
  });
}

/** Rethrows the failure of a write that `ownWrite` marked, for a request that is in no queue. */
export async function unqueued<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof OutcomeUnknown ? error.cause : error;
  }
}

/**
 * Releases what was given to a client that has left, as the service, since the client's token may be revoked by then.
 * Under an idempotency key it stays given: the same request, sent again, is answered that it was.
 */
export async function giveBack<Answer>(
  database: Database,
  { idempotencyKey }: WriteAs,
  release: Operation<Answer>,
): Promise<void> {
  if (idempotencyKey) return;
  const context = { ...BY_SERVICE, time: () => database.time(), newId: () => database.newId() };
  await release.run(context).catch(() => {});
}

/** Ends a request with its own failure. Rethrows a failure of the database, which concerns all requests. */
export function settleFailed(request: Queued<unknown, unknown>, error: unknown): void {
  const own = error instanceof OutcomeUnknown ? error.cause : error;
  if (!(own instanceof Refusal) && own === error) throw error;
  request.settle(own as Error);
}
