import { Refusal } from "./refusal.ts";

/** Milliseconds that a task waits for its turn: with what it then does, a request is answered within 10 s. */
const MOST_MS = 7_000;

/**
 * Lets the tasks of one room run one after the other, in this instance: for those that read, decide and write,
 * and would refuse one another in vain. A task that fails does not hold up the next.
 * Errors: `unavailable` where those before it took too long; what the task throws.
 */
export function createTurns() {
  const queues = new Map<string, Promise<unknown>>();
  return function inTurn<T>(room: string, task: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const turn = (queues.get(room) ?? Promise.resolve()).then(() => {
      if (performance.now() - since < MOST_MS) return task();
      throw tooLate();
    });
    const done = turn.catch(() => {}).then(() => {
      if (queues.get(room) === done) queues.delete(room);
    });
    queues.set(room, done);
    return turn;
  };
}

/**
 * Lets tasks of all rooms run one at a time, in this instance. The rooms take turns, so that many tasks of one keep the
 * task of another no longer than one of theirs takes. Errors: as `createTurns`.
 */
export function createTurnsOfRooms() {
  /** What begins the tasks that wait, by room: the room whose turn is next comes first. */
  const waiting = new Map<string, Array<() => void>>();
  let isAtWork = false;

  function next() {
    const first = waiting.entries().next().value;
    isAtWork = first !== undefined;
    if (!first) return;
    const [room, [begin, ...others]] = first;
    waiting.delete(room);
    if (others.length > 0) waiting.set(room, others);
    begin!();
  }

  return async function inTurnOfRooms<T>(room: string, task: () => Promise<T>): Promise<T> {
    const since = performance.now();
    await new Promise<void>((begin) => {
      waiting.set(room, [...waiting.get(room) ?? [], begin]);
      if (!isAtWork) next();
    });
    try {
      if (performance.now() - since >= MOST_MS) throw tooLate();
      return await task();
    } finally {
      next();
    }
  };
}

function tooLate(): Refusal {
  return new Refusal("unavailable", "What was to come first took too long.", {
    hint: "Nothing was written. Try again.",
  });
}
