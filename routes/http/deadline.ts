import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { LIMITS } from "./limits.ts";

interface Deadline {
  due: number;
  expire(): void;
}

/** The shortest deadline in milliseconds. */
const MIN_MS = Math.min(LIMITS.bodyMs, LIMITS.requestMs);

/**
 * The deadlines of all requests and of their bodies. They share one timer: one that is set and cleared for each body
 * costs a small write some 2 %. They stand in an array whose indexes are reused: a Set that changes with every request
 * leaves outgrown tables behind, which keep answered requests in memory until a full collection.
 */
const deadlines: Array<Deadline | undefined> = [];
const free: number[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function expireDue() {
  const now = performance.now();
  let next = Infinity;
  for (const deadline of deadlines) {
    if (deadline && deadline.due <= now) deadline.expire();
    else if (deadline) next = Math.min(next, deadline.due);
  }
  // A deadline that is set from now on may be due before `next`.
  timer = next === Infinity ? undefined : setTimeout(expireDue, Math.min(next - now, MIN_MS));
}

/** Rejects with what `late` makes if the task takes more than `ms` milliseconds, which must be at least `MIN_MS`. */
export function within<T>(task: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const index = free.pop() ?? deadlines.length;
    const own = deadlines[index] = {
      due: performance.now() + ms,
      expire: () => settle(() => reject(late())),
    };
    timer ??= setTimeout(expireDue, MIN_MS);
    task.then((value) => settle(() => resolve(value)), (error) => settle(() => reject(error)));

    /** Settles once. Another deadline may have the index afterwards. */
    function settle(how: () => void) {
      if (deadlines[index] !== own) return;
      deadlines[index] = undefined;
      free.push(index);
      if (free.length === deadlines.length) timer = void clearTimeout(timer);
      how();
    }
  });
}

/** Answers every request that the database still holds `ms` milliseconds from now, because this instance ends. */
export function endRequestsIn(ms: number): void {
  setTimeout(() => deadlines.forEach((deadline) => deadline?.expire()), ms);
}

/** Limits a task to the time that a request has, whatever the database does. Errors: `DatabaseUnavailable`. */
export function answeredInTime<T>(task: Promise<T>): Promise<T> {
  return within(task, LIMITS.requestMs, requestLate);
}

function requestLate() {
  return new DatabaseUnavailable("The request took too long.", true);
}
