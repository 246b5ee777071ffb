import type { Context, Next } from "hono";
import { DatabaseUnavailable } from "../db/faults.ts";

/**
 * Ends every request after `ms`, whatever the database does. One timer serves all requests: they have the same
 * time, so the oldest is always the next to end. Errors: `DatabaseUnavailable`.
 */
export function answeredWithin(ms: number) {
  const pending = new Set<{ until: number; end(): void }>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function endLate() {
    for (const request of pending) {
      if (request.until > performance.now()) break;
      pending.delete(request);
      request.end();
    }
    const [oldest] = pending;
    timer = oldest && setTimeout(endLate, oldest.until - performance.now());
  }

  return async function withinTime(_c: Context, next: Next) {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const end = () => reject(new DatabaseUnavailable("The request took too long.", true));
    const request = { until: performance.now() + ms, end };
    pending.add(request);
    timer ??= setTimeout(endLate, ms);
    try {
      await Promise.race([next(), late]);
    } finally {
      pending.delete(request);
      if (pending.size === 0) timer = void clearTimeout(timer);
    }
  };
}
