import { DatabaseUnavailable } from "../db/faults.ts";

interface Work {
  until: number;
  end(): void;
}

/**
 * Lets work take `ms` and no more: after that its promise is rejected with what `late` makes. One timer serves all.
 * They stand in an array, whose places are used again: a Set that changes with every request leaves tables behind
 * that keep requests which are long answered, and these outlive every collection of the young heap.
 */
export function createDeadline(ms: number, late: () => Error) {
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
    timer = next === Infinity ? undefined : setTimeout(endLate, next - now);
  }

  return function within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const place = free.pop() ?? places.length;
      const own = places[place] = { until: performance.now() + ms, end: () => leave(() => reject(late())) };
      timer ??= setTimeout(endLate, ms);
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
  };
}

/** Ends every task after `ms`, whatever the database does. Errors: `DatabaseUnavailable`. */
export function answeredWithin(ms: number) {
  return createDeadline(ms, () => new DatabaseUnavailable("The request took too long.", true));
}
