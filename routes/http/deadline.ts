import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { LIMITS } from "./limits.ts";

interface Work {
  until: number;
  end(): void;
}

export interface Deadlines {
  /** Lets work take `ms` and no more: after that its promise is rejected with what `late` makes. */
  within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T>;
  /** Ends all work that is under way, as if its time were over. */
  endAll(): void;
}

/**
 * Deadlines of `least` milliseconds or more, under one timer: one that is set and cleared for each body costs a small
 * write some 2 %. They stand in an array, whose places are used again: a Set that changes with every request leaves
 * tables behind that keep requests which are long answered, and these outlive every collection of the young heap.
 */
export function createDeadlines(least: number): Deadlines {
  const places: Array<Work | undefined> = [];
  const free: number[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function endLate() {
    const now = performance.now();
    let next = Infinity;
    for (const work of places) {
      if (work && work.until <= now) work.end();
      else if (work) next = Math.min(next, work.until);
    }
    // Before the next of them, what comes from now on may be due.
    timer = next === Infinity ? undefined : setTimeout(endLate, Math.min(next - now, least));
  }

  function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const place = free.pop() ?? places.length;
      const own = places[place] = { until: performance.now() + ms, end: () => leave(() => reject(late())) };
      timer ??= setTimeout(endLate, least);
      work.then((value) => leave(() => resolve(value)), (error) => leave(() => reject(error)));

      /** The first who comes settles it; its place is free again, for another one perhaps. */
      function leave(settle: () => void) {
        if (places[place] !== own) return;
        places[place] = undefined;
        free.push(place);
        if (free.length === places.length) timer = void clearTimeout(timer);
        settle();
      }
    });
  }

  return { within, endAll: () => places.forEach((work) => work?.end()) };
}

const deadlines = createDeadlines(Math.min(LIMITS.bodyMs, LIMITS.requestMs));

/** The deadlines of all requests, and of their bodies. */
export const { within } = deadlines;

/** Answers, `ms` from now, all requests that the database still keeps: this instance ends. */
export function endRequestsIn(ms: number): void {
  setTimeout(deadlines.endAll, ms);
}

/** Ends a task after the time that a request has, whatever the database does. Errors: `DatabaseUnavailable`. */
export function answeredInTime<T>(task: Promise<T>): Promise<T> {
  return within(task, LIMITS.requestMs, requestLate);
}

function requestLate() {
  return new DatabaseUnavailable("The request took too long.", true);
}
