import { Refusal } from "./refusal.ts";

/** Milliseconds that a task waits for the mutex: with its own work, a request is answered within 10 s. */
const MAX_WAIT_MS = 7_000;

/** Lets tasks wait for each other within this instance: it saves attempts and memory, and decides nothing. */
export interface Mutex {
  /** Runs a task once the room's earlier ones have ended. Errors: `unavailable`, what the task throws. */
  serialize<T>(room: string, task: () => Promise<T>): Promise<T>;
  /** Runs a task that reads much of a room: one at a time over all rooms, round robin. Errors: the same. */
  serializeFairly<T>(room: string, task: () => Promise<T>): Promise<T>;
}

export function createMutex(): Mutex {
  return { serialize: createKeyedMutex(), serializeFairly: createFairMutex() };
}

/**
 * A mutex keyed by room, in this instance: for tasks that read, decide and write, and would refuse one another in
 * vain. A task that fails releases it too. Errors: `unavailable` where the tasks before took too long; what the task
 * throws.
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
 * One mutex for all rooms, in this instance, which goes round robin by room: many tasks of one room hold up the task of
 * another no longer than one of theirs takes. Errors: as `createKeyedMutex`.
 */
export function createFairMutex() {
  /** Begins the tasks that wait, by room; the next room comes first. */
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
