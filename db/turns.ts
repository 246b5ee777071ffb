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
      throw new Refusal("unavailable", "What was to come first took too long.", {
        hint: "Nothing was written. Try again.",
      });
    });
    const done = turn.catch(() => {}).then(() => {
      if (queues.get(room) === done) queues.delete(room);
    });
    queues.set(room, done);
    return turn;
  };
}
