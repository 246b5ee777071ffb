import { DatabaseUnavailable } from "../db/faults.ts";

/**
 * Lets work take `ms` and no more: after that its promise is rejected with what `late` makes. One timer serves all:
 * they have the same time, so the oldest is always the next to end.
 */
export function createDeadline(ms: number, late: () => Error) {
  const pending = new Set<{ until: number; end(): void }>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function endLate() {
    for (const work of pending) {
      if (work.until > performance.now()) break;
      pending.delete(work);
      work.end();
    }
    const [oldest] = pending;
    timer = oldest && setTimeout(endLate, oldest.until - performance.now());
  }

  return async function within<T>(work: Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const entry = { until: performance.now() + ms, end: () => reject(late()) };
    pending.add(entry);
    timer ??= setTimeout(endLate, ms);
    try {
      return await Promise.race([work, ended]);
    } finally {
      pending.delete(entry);
      if (pending.size === 0) timer = void clearTimeout(timer);
    }
  };
}

/** Ends every task after `ms`, whatever the database does. Errors: `DatabaseUnavailable`. */
export function answeredWithin(ms: number) {
  return createDeadline(ms, () => new DatabaseUnavailable("The request took too long.", true));
}
