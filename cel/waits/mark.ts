import type { Database } from "../../db/database.ts";
import { clearWaiting, markWaiting } from "../../db/presence.ts";
import type { Waiter } from "./waiter.ts";

/**
 * A mark outlives its wait by this, should its instance die. With the longest wait, and the time in which the database
 * makes the mark, that is within the promised 30 s; it is more than the last read of a wait takes (watch.ts).
 */
const MARK_GRACE_MS = 4_000;

/** An answer does not wait longer for its mark to be cleared: the database may hang. */
const CLEARED_WITHIN_MS = 400;

/** The presence mark of a wait: set without being awaited, cleared before the answer. */
export interface Mark {
  set(): void;
  /** Sets it anew where it was set: the database was restored from a copy that may not have it. */
  renew(): void;
  clear(): Promise<void>;
}

// A wait goes on without its mark when the database fails to set it; one that is not cleared ends as a lease.
const unmarked = () => {};

/** The mark of a wait that names its agent. */
export function createMark(
  database: Database,
  { request: { room, agent, condition, timeout }, viewpoint, began }: Waiter,
): Mark {
  let marked: Promise<void> | undefined;
  const mark = { room, agent: agent!, token: viewpoint.wait! };
  function set() {
    const lasts = Math.round(began + timeout - database.elapsed()) + MARK_GRACE_MS;
    marked = markWaiting(database, mark, { waitingOn: condition.source, lasts }).catch(unmarked);
  }
  return {
    set,
    renew() {
      if (marked !== undefined) set();
    },
    async clear() {
      if (marked === undefined) return;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLEARED_WITHIN_MS);
      const cleared = marked.then(() => clearWaiting(database, mark)).catch(unmarked);
      await Promise.race([cleared, late]);
      clearTimeout(timer);
    },
  };
}
