import type { Context } from "hono";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { LIMITS } from "./limits.ts";

interface Deadline {
  due: number;
  expire(): void;
}

/** The shortest deadline in milliseconds of a task that begins now. */
const MIN_MS = Math.min(LIMITS.bodyMs, LIMITS.requestMs);

/**
 * The deadlines of all requests and of their bodies. They share one timer: one that is set and cleared for each body
 * costs a small write some 2 %. They stand in an array whose indexes are reused: a Set that changes with every request
 * leaves outgrown tables behind, which keep answered requests in memory until a full collection.
 */
const deadlines: Array<Deadline | undefined> = [];
const free: number[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
/** When the timer fires, by `performance.now()`. */
let firesAt: number;

function fireIn(ms: number, now: number) {
  clearTimeout(timer);
  firesAt = now + ms;
  timer = setTimeout(expireDue, ms);
}

function expireDue() {
  const now = performance.now();
  let next = Infinity;
  for (const deadline of deadlines) {
    if (deadline && deadline.due <= now) deadline.expire();
    else if (deadline) next = Math.min(next, deadline.due);
  }
  timer = undefined;
  // A deadline that is set from now on may be due before `next`.
  if (next !== Infinity) fireIn(Math.min(next - now, MIN_MS), now);
}

/**
 * Rejects with what `late` makes if the task takes more than `ms` milliseconds, which must be at least `MIN_MS`.
 * `began`: when the time began, by `performance.now()`, if before now.
 */
export function within<T>(task: Promise<T>, ms: number, late: () => Error, began?: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const index = free.pop() ?? deadlines.length;
    const now = performance.now();
    const due = (began ?? now) + ms;
    const own = deadlines[index] = { due, expire: () => settle(() => reject(late())) };
    if (timer === undefined || due < firesAt) {
      fireIn(began === undefined ? MIN_MS : Math.max(0, Math.min(due - now, MIN_MS)), now);
    }
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

/** When the time of a request began, by `performance.now()`. */
const BEGAN = "began";

/**
 * Limits a request's last task to the time that is left of the request's, whatever the database does. Errors:
 * `DatabaseUnavailable`.
 */
export function answeredInTime<T>(task: Promise<T>, c: Context): Promise<T> {
  return within(task, LIMITS.requestMs, requestLate, c.get(BEGAN));
}

/**
 * The same of what comes before a request changes anything, also where it may wait and has no deadline afterwards. The
 * time of a request begins with the first. Without `c` the task has the whole time. Errors: `DatabaseUnavailable`.
 */
export function lookedInTime<T>(look: Promise<T>, c?: Context): Promise<T> {
  return within(look, LIMITS.requestMs, lookLate, c && beginningOf(c));
}

function beginningOf(c: Context): number {
  const began: number = c.get(BEGAN) ?? performance.now();
  c.set(BEGAN, began);
  return began;
}

const LATE = "The request took too long.";
const requestLate = () => new DatabaseUnavailable(LATE, true);
const lookLate = () => new DatabaseUnavailable(LATE, false);
