import type { Change, Part } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { isRefusal, Refusal } from "../../db/refusal.ts";
import { type Departures, type Registration, registrationAt } from "./departures.ts";
import type { WriteAs } from "../../db/write/context.ts";
import type { Holders } from "./holders.ts";
import { createMark, type Mark } from "./mark.ts";

/** A request for something of a room that others may have. */
export interface QueueRequest {
  room: string;
  agent: string;
  /** Whose request it is, who must be entitled to act as the agent. */
  by: WriteAs;
  /** What the agent shows as waiting on. */
  waitingOn: string;
  /** Milliseconds; 0 tries once. */
  timeout: number;
  /** The parts of the room whose changes may free what it asks for. */
  parts: readonly Part[];
  /** Whether time alone may free it: then it is tried again each second. */
  timed?: boolean;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
}

/** A request in a queue, in the order in which they came. */
export interface Queued<Request, Answer> {
  readonly request: Request;
  /** The registration of its agent as of its first turn, null where it had none; undefined before that. */
  joined?: number | null;
  /** It is answered at this turn, whatever it gets. */
  final: boolean;
  /** What it got at its latest turn, nothing: its answer where its last turn takes too long. None while it may be given something. */
  tried?: Answer;
  /** Ends the request with an answer, or an error to throw. False where it had ended before: its client is gone. */
  settle(answer: Answer | Error): boolean;
}

/** Says that it is not known whether a write of one request was made: another try might make it twice. */
class OutcomeUnknown extends Error {
  constructor(override readonly cause: DatabaseUnavailable) {
    super("It is not known whether the write was made.");
  }
}

/** Marks the failure of a request's own write, for `settleFailed`. */
export function ownWrite<T>(write: Promise<T>): Promise<T> {
  return write.catch((error) => {
    throw error instanceof DatabaseUnavailable && error.unknown ? new OutcomeUnknown(error) : error;
  });
}

/** Lets a request that is in no queue fail as its own write did. */
export async function unqueued<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof OutcomeUnknown ? error.cause : error;
  }
}

/** Ends a request by its own failure. Throws a failure of the database, which is everybody's. */
export function settleFailed(request: Queued<unknown, unknown>, error: unknown): void {
  const own = error instanceof OutcomeUnknown ? error.cause : error;
  if (!(own instanceof Refusal) && own === error) throw error;
  request.settle(own as Error);
}

/** What is queued for. */
export interface QueueKind<Request, Answer> {
  /**
   * Gives, in order, those what they ask for that can have it, and settles the final ones in any case. Notes `joined` of
   * those that have none yet, as it is before it gives them anything; an agent that has left since gets nothing. Returns
   * the revision of the room that it has seen, as of which whoever is left cannot have it. Errors: `room_not_found`,
   * `DatabaseUnavailable`.
   */
  serve(room: string, queued: Array<Queued<Request, Answer>>): Promise<number>;
}

export interface Queue<Request, Answer> {
  /** Resolves with what was given; once the time is over, or the client has left, it throws what `serve` settles. */
  wait(request: Request): Promise<Answer>;
}

/** What the instance's watch tells the queues of all kinds. */
export interface Queues {
  create<Request extends QueueRequest, Answer>(kind: QueueKind<Request, Answer>): Queue<Request, Answer>;
  rooms(): string[];
  /** True of a room for which requests wait. */
  has(room: string): boolean;
  /** True where a change may free what a request waits for, which has not seen it. */
  isNews(change: Change): boolean;
  hear(change: Change): void;
  /** Has all of a room's requests tried again: it went back, or is gone. */
  rewind(room: string): void;
  /** Serves those that a failure has left over. */
  advance(): void;
  /** Answers every request now, and later ones at once. */
  drain(): Promise<void>;
}

interface Waiting extends Queued<QueueRequest, unknown> {
  /** By the database's `elapsed`. */
  began: number;
  /** The revision of the room at its last turn, -1 before the first one; and when that was. */
  seen: number;
  triedAt: number;
  mark: Mark;
  /** It is marked as waiting from its first turn on. */
  marked: boolean;
  /** Called when it ends. */
  ended?(): void;
}

/** The requests of one kind for one room. */
interface RoomQueue {
  room: string;
  kind: QueueKind<QueueRequest, unknown>;
  waiting: Set<Waiting>;
  /** The latest revision of each part that this instance knows of. */
  latest: Partial<Record<Part, number>>;
  busy: boolean;
}

/** Milliseconds between two turns of a request that time may free. */
const TIMED_EVERY_MS = 1_000;
/** The maximum time for the last turn of a request, from its timeout or from `drain`. */
const LAST_TURN_MS = 1_500;

/**
 * Creates the queues of this instance. A change of a part is looked at once for all requests that wait for it, in the
 * order in which they came, so that the oldest goes first and none tries in vain for itself alone. Calls `counted`
 * with 1 for each that begins, which may refuse it, and with -1 for each that ends.
 */
export function createQueues(
  database: Database,
  departures: Departures,
  holders: Holders,
  counted: (by: 1 | -1) => void,
): Queues {
  const kinds: Array<Map<string, RoomQueue>> = [];
  const results = new Set<Promise<unknown>>();
  let draining = false;

  const all = () => kinds.flatMap((rooms) => [...rooms.values()]);
  const of = (room: string) => kinds.flatMap((rooms) => rooms.get(room) ?? []);

  function dueOf({ waiting, latest }: RoomQueue): Waiting[] {
    const second = database.elapsed() - TIMED_EVERY_MS;
    return [...waiting].filter(({ request: { parts, timed }, seen, triedAt, final }) =>
      final || seen < 0 || timed && triedAt <= second || parts.some((part) => (latest[part] ?? 0) > seen)
    );
  }

  /** Serves the room until nobody is due. A change meanwhile leads to another turn. */
  async function advance(queue: RoomQueue) {
    if (queue.busy) return;
    queue.busy = true;
    try {
      for (let due = dueOf(queue); due.length > 0; due = dueOf(queue)) await turn(queue, due);
    } catch (error) {
      const passing = error instanceof DatabaseUnavailable ||
        error instanceof Refusal && !isRefusal(error, "room_not_found");
      for (const waiting of queue.waiting) if (waiting.final || !passing) waiting.settle(error as Error);
    } finally {
      queue.busy = false;
    }
  }

  async function turn(queue: RoomQueue, due: Waiting[]) {
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

  function queueOf(rooms: Map<string, RoomQueue>, room: string, kind: RoomQueue["kind"]): RoomQueue {
    const found = rooms.get(room) ??
      { room, kind, waiting: new Set<Waiting>(), latest: {}, busy: false };
    rooms.set(room, found);
    return found;
  }

  function finish(queue: RoomQueue, waiting: Waiting) {
    waiting.final = true;
    advance(queue);
  }

  async function wait(
    rooms: Map<string, RoomQueue>,
    kind: RoomQueue["kind"],
    request: QueueRequest,
  ): Promise<unknown> {
    counted(1);
    const { room, agent, by, waitingOn, timeout, signal } = request;
    const queue = queueOf(rooms, room, kind);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const [began, token] = [database.elapsed(), database.newId()];
    const waiting: Waiting = {
      request,
      began,
      seen: -1,
      triedAt: began,
      final: draining || timeout === 0,
      mark: createMark(
        database,
        { room, agent, by, token, waitingOn, until: began + timeout },
        (error) => waiting.settle(error),
      ),
      marked: false,
      settle(answer) {
        if (!queue.waiting.delete(waiting)) return false;
        waiting.ended?.();
        if (queue.waiting.size === 0) rooms.delete(room);
        counted(-1);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
        return true;
      },
    };
    const leave = () => waiting.settle(new Refusal("unavailable", { why: "client_left" }));
    const late = () =>
      waiting.settle(waiting.tried ?? new DatabaseUnavailable("The database did not answer in time.", true));
    const timer = setTimeout(() => finish(queue, waiting), timeout);
    const last = timeout === 0 ? undefined : setTimeout(late, timeout + LAST_TURN_MS);
    signal.addEventListener("abort", leave);
    const release = holders.hold(by.viewer, waiting.settle);
    queue.waiting.add(waiting);
    results.add(promise);
    try {
      if (signal.aborted) leave();
      else advance(queue);
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
      clearTimeout(timer);
      clearTimeout(last);
      release();
      await waiting.mark.clear();
      results.delete(promise);
    }
  }

  return {
    create<Request extends QueueRequest, Answer>(kind: QueueKind<Request, Answer>): Queue<Request, Answer> {
      const rooms = new Map<string, RoomQueue>();
      kinds.push(rooms);
      const any = kind as unknown as RoomQueue["kind"];
      return { wait: (request) => wait(rooms, any, request) as Promise<Answer> };
    },
    rooms: () => all().map(({ room }) => room),
    has: (room) => kinds.some((rooms) => rooms.has(room)),
    isNews: ({ room, part, revision }) =>
      of(room).some(({ waiting, latest }) =>
        (latest[part] ?? 0) < revision &&
        [...waiting].some(({ request: { parts }, seen }) => parts.includes(part) && seen < revision)
      ),
    hear({ room, part, revision }) {
      for (const queue of of(room)) {
        if ((queue.latest[part] ?? 0) >= revision) continue;
        queue.latest[part] = revision;
        advance(queue);
      }
    },
    rewind(room) {
      for (const queue of of(room)) {
        queue.latest = {};
        for (const waiting of queue.waiting) {
          waiting.seen = -1;
          if (waiting.marked) waiting.mark.renew();
        }
        advance(queue);
      }
    },
    advance: () => all().forEach(advance),
    async drain() {
      draining = true;
      for (const queue of all()) for (const waiting of queue.waiting) finish(queue, waiting);
      await Promise.allSettled(results);
    },
  };
}
