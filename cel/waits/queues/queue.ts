import type { Database } from "../../../db/database.ts";
import { DatabaseUnavailable } from "../../../db/driver/faults.ts";
import { Refusal } from "../../../db/refusal.ts";
import type { Departures } from "../departures.ts";
import type { Holders } from "../holders.ts";
import { createMark } from "../mark.ts";
import type { Watched } from "../watched.ts";
import { ownWrite, type QueueRequest } from "./queued.ts";
import { createServing, type QueueKind, type RoomQueue, type Waiting } from "./room_queue.ts";

interface Queue<Request, Answer> {
  /**
   * Resolves or rejects as `serve` settles the request. Errors: `unavailable` where the client has left;
   * `DatabaseUnavailable` where the last attempt took too long.
   */
  wait(request: Request): Promise<Answer>;
}

/** The queues of all kinds, for the instance's watch. */
interface Queues extends Watched {
  create<Request extends QueueRequest, Answer>(kind: QueueKind<Request, Answer>): Queue<Request, Answer>;
  /** Tries those that are due by the time, or that a failure has left. */
  advance(): void;
  /** Answers every request now, and later ones at once. */
  drain(): Promise<void>;
}

/** Answers a request whose last attempt takes too long: only a write that is under way may still be made. */
function lateAnswerOf({ wrote, tried }: Waiting, isJudging: boolean): unknown {
  if (wrote !== "sent" && tried !== undefined) return tried;
  if (wrote === "preceded") return new Refusal("unavailable", { why: "others_first" });
  if (wrote !== "sent" && isJudging) return new Refusal("unavailable", { why: "unjudged" });
  return new DatabaseUnavailable("The database did not answer in time.", wrote === "sent");
}

/** The maximum time for the last attempt for a request, from its timeout. */
const LAST_ATTEMPT_MS = 1_500;

/**
 * Creates the queues of this instance. A change leads to one attempt for all requests that wait for it, in order of
 * arrival: the oldest comes first, and one read serves all. Calls `counted` with 1 for each request that begins, which
 * may refuse it by throwing, and with -1 for each that ends.
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

  const advance = createServing(database, departures);

  function finish(queue: RoomQueue, waiting: Waiting) {
    waiting.final = true;
    advance(queue);
  }

  function queueOf(rooms: Map<string, RoomQueue>, room: string, kind: RoomQueue["kind"]): RoomQueue {
    const found = rooms.get(room) ?? { room, kind, waiting: new Set(), latest: {}, busy: false };
    rooms.set(room, found);
    return found;
  }

  function enqueue(rooms: Map<string, RoomQueue>, kind: RoomQueue["kind"], request: QueueRequest) {
    counted(1);
    const { room, agent, by, waitingOn, timeout } = request;
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
        { room, agent, by, token, waitingOn, began, timeout },
        (error) => waiting.settle(error),
      ),
      marked: false,
      async write(make) {
        if (!queue.waiting.has(waiting)) throw new Refusal("unavailable", { why: "client_left" });
        waiting.wrote = "sent";
        const made = await ownWrite(make());
        if (made === undefined) waiting.wrote = "preceded";
        return made;
      },
      isOver: () => !queue.waiting.has(waiting),
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
    queue.waiting.add(waiting);
    return { queue, waiting, result: promise };
  }

  async function wait(rooms: Map<string, RoomQueue>, kind: RoomQueue["kind"], request: QueueRequest) {
    const { queue, waiting, result } = enqueue(rooms, kind, request);
    const { room, by, timeout, signal } = request;
    const leave = () => waiting.settle(new Refusal("unavailable", { why: "client_left" }));
    const late = () => waiting.settle(lateAnswerOf(waiting, kind.isJudging(room)));
    const timer = setTimeout(() => finish(queue, waiting), timeout);
    const last = timeout === 0 ? undefined : setTimeout(late, timeout + LAST_ATTEMPT_MS);
    signal.addEventListener("abort", leave);
    const release = holders.hold(by.viewer, {
      hasBegun: () => waiting.seen >= 0,
      end: waiting.settle,
    });
    results.add(result);
    try {
      if (signal.aborted) leave();
      else advance(queue);
      return await result;
    } finally {
      signal.removeEventListener("abort", leave);
      clearTimeout(timer);
      clearTimeout(last);
      release();
      // A request that may have been granted does not go on.
      await (waiting.wrote === "sent" ? waiting.mark.clear() : waiting.mark.leave());
      results.delete(result);
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
    endBefore(room, first) {
      for (const { waiting } of of(room)) {
        for (const { seen, settle } of [...waiting]) {
          if (seen >= 0 && seen < first) settle(new Refusal("room_not_found", {}));
        }
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
