import type { Part } from "../../../db/bus.ts";
import type { Database } from "../../../db/database.ts";
import { type Departures, type Registration, registrationAt } from "../departures.ts";
import type { Mark } from "../mark.ts";
import type { Queued, QueueRequest } from "./queued.ts";
import { failAll } from "../conditions/waiter.ts";

/** What the requests of a queue ask for. */
export interface QueueKind<Request, Answer> {
  /**
   * Tries the requests in order, and settles those that succeed and those that are final. Sets `joined` where it is
   * undefined, as it was before the attempt. A request whose agent has left since fails. Returns the revision of the
   * room at which the remaining requests cannot succeed. Errors: `room_not_found`, `DatabaseUnavailable`.
   */
  serve(room: string, queued: Array<Queued<Request, Answer>>): Promise<number>;
  /** Whether requests for a room are late because others are judged, not because of the database. */
  isJudging(room: string): boolean;
}

export interface Waiting extends Queued<QueueRequest, unknown> {
  /** By the database's `elapsed`. */
  began: number;
  /** The revision of the room at its last attempt, -1 before the first one; and when that was. */
  seen: number;
  triedAt: number;
  mark: Mark;
  marked: boolean;
  /** Called when it ends. */
  ended?(): void;
}

/** The requests of one kind for one room. */
export interface RoomQueue {
  room: string;
  kind: QueueKind<QueueRequest, unknown>;
  waiting: Set<Waiting>;
  /** The latest revision of each part that this instance knows of. */
  latest: Partial<Record<Part, number>>;
  busy: boolean;
}

/** Milliseconds between two attempts for a request that time may free. */
const TIMED_EVERY_MS = 1_000;

/** Makes the function that tries the due requests of a queue, and ends those whose agent leaves. */
export function createServing(database: Database, departures: Departures) {
  function dueOf({ waiting, latest }: RoomQueue): Waiting[] {
    const second = database.elapsed() - TIMED_EVERY_MS;
    return [...waiting].filter(({ request: { parts, timed }, seen, triedAt, final }) =>
      final || seen < 0 || timed && triedAt <= second || parts.some((part) => (latest[part] ?? 0) > seen)
    );
  }

  /** Tries the due requests until none is due. A change during an attempt leads to another one. */
  async function advance(queue: RoomQueue) {
    if (queue.busy) return;
    queue.busy = true;
    try {
      for (let due = dueOf(queue); due.length > 0; due = dueOf(queue)) await attempt(queue, due);
    } catch (error) {
      failAll(queue.waiting, error);
    } finally {
      queue.busy = false;
    }
  }

  async function attempt(queue: RoomQueue, due: Waiting[]) {
    const { room, kind, waiting } = queue;
    const triedAt = database.elapsed();
    const seen = await kind.serve(room, due);
    for (const one of due) {
      [one.seen, one.triedAt] = [seen, triedAt];
      if (!waiting.has(one) || one.marked) continue;
      one.marked = true;
      one.mark.set();
      watchOver(one, registrationAt(seen, one.joined));
    }
  }

  function watchOver(one: Waiting, registration: Registration | null) {
    const { request: { room, agent }, settle } = one;
    if (registration) one.ended = departures.watch(room, { agent, ...registration, settle });
  }

  return advance;
}
