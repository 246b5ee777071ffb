import { Refusal } from "./refusal.ts";

/** Milliseconds that a task may wait for others of its room, which keeps each request within 10 s. */
export const MAX_WAIT_MS = 7_000;
/** The number of lanes for tasks that read much (db/consistent_read/lanes.ts). */
const LANES = 3;
/** The maximum of tasks that wait in a lane after the first: each holds what it read in the lanes before. */
const MAX_WAITING = { all: 8, ofRoom: 2 };
const UNBOUNDED = { all: Infinity, ofRoom: Infinity };

/** Serializes tasks within this instance, to save attempts and memory. Correctness never depends on it. */
export type Mutex = ReturnType<typeof createMutex>;

/** Each returns what the task returns. Errors: `unavailable`, what the task throws. */
export function createMutex() {
  const lanes = Array.from(
    { length: LANES },
    (_, lane) => createFairMutex(lane === 0 ? UNBOUNDED : MAX_WAITING),
  );
  return {
    serialize: createKeyedMutex(),
    lanes,
  };
}

/**
 * Creates a mutex by room, for tasks that read, decide and write: concurrent ones would only fail. A task runs once the
 * room's earlier ones have ended.
 */
function createKeyedMutex() {
  const queues = new Map<string, Promise<unknown>>();
  return function serialize<T>(room: string, task: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const result = (queues.get(room) ?? Promise.resolve()).then(() => {
      if (performance.now() - since < MAX_WAIT_MS) return task();
      throw new Refusal("unavailable", { why: "others_first" });
    });
    const done = result.catch(() => {}).then(() => {
      if (queues.get(room) === done) queues.delete(room);
    });
    queues.set(room, done);
    return result;
  };
}

/**
 * Creates one mutex for all rooms, round robin by room, for tasks that read much: many of one room delay another room's
 * by only one of them. At most `max` wait.
 */
export function createFairMutex(max = UNBOUNDED) {
  /** The waiting tasks by room. The next room comes first. */
  const waiting = new Map<string, Array<() => void>>();
  let isHeld = false;

  function next() {
    const first = waiting.entries().next().value;
    isHeld = first !== undefined;
    if (!first) return;
    const [room, [begin, ...others]] = first;
    waiting.delete(room);
    if (others.length > 0) waiting.set(room, others);
    begin!();
  }

  return async function serializeFairly<T>(room: string, task: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const count = [...waiting.values()].reduce((sum, tasks) => sum + tasks.length, 0);
    if (count >= max.all || (waiting.get(room)?.length ?? 0) >= max.ofRoom) {
      throw new Refusal("unavailable", { why: "others_first" });
    }
    await new Promise<void>((begin) => {
      waiting.set(room, [...waiting.get(room) ?? [], begin]);
      if (!isHeld) next();
    });
    try {
      if (performance.now() - since >= MAX_WAIT_MS) throw new Refusal("unavailable", { why: "others_first" });
      return await task();
    } finally {
      next();
    }
  };
}
