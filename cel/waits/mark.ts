import { knownFacts } from "../../db/access/token.ts";
import { isRefusal } from "../../db/refusal.ts";
import type { WriteAs } from "../../db/write/context.ts";
import type { Database } from "../../db/database.ts";
import { clearWaiting, markWaiting, recordHeartbeat } from "../../db/presence.ts";

/**
 * How long a mark's lease outlives its wait, should the instance die. Together with the longest wait and the time to
 * write the mark this stays within the promised 30 s, and it exceeds the last read of a wait (watch.ts).
 */
const MARK_GRACE_MS = 4_000;

/** The longest that an answer waits for its mark to be cleared or its sign of life, since the database may hang. */
const WRITTEN_WITHIN_MS = 400;

/**
 * The presence mark of a wait, which is a sign of life of its agent too. The wait does not await `set`, and calls `clear`
 * before it answers.
 */
export interface Mark {
  set(): void;
  /** Gives the sign of life alone, unless the mark was set. Resolves once it was given; later calls await the same. */
  beat(): Promise<void>;
  /** Sets the mark again if it was set: a restored copy of the database may lack it. */
  renew(): void;
  clear(): Promise<void>;
}

/**
 * Creates the mark of a wait that names its agent. `until`: the end of the wait, by the database's `elapsed`. `refuse`
 * ends the wait of a viewer who may not act as the agent. Readers leave no mark.
 */
export function createMark(
  database: Database,
  { room, agent, by, token, waitingOn, until }: {
    room: string;
    agent: string;
    by: WriteAs;
    token: string;
    waitingOn: string;
    until: number;
  },
  refuse: (error: Error) => void,
): Mark {
  let marked: Promise<void> | undefined;
  let beaten: Promise<void> | undefined;
  const mark = { room, agent, token };
  const isReader = () => knownFacts(by.viewer)?.role === "reader";

  /** Ignores outages: a wait works without its mark, and a mark that is not cleared ends with its lease. */
  function unmarked(error: unknown) {
    if (isRefusal(error, "unauthenticated") || isRefusal(error, "forbidden")) refuse(error as Error);
  }

  function set() {
    if (isReader()) return;
    const lasts = Math.round(until - database.elapsed()) + MARK_GRACE_MS;
    marked = markWaiting(database, by, mark, { waitingOn, lasts }).catch(unmarked);
  }
  return {
    set,
    async beat() {
      if (marked !== undefined || isReader()) return;
      beaten ??= inTime(recordHeartbeat(database, by, room, agent).catch(unmarked));
      await beaten;
    },
    renew() {
      if (marked !== undefined) set();
    },
    async clear() {
      if (marked === undefined) return;
      await inTime(marked.then(() => clearWaiting(database, mark)).catch(unmarked));
    },
  };
}

/** Resolves with the write, or once an answer waits for it no longer. */
async function inTime(write: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, WRITTEN_WITHIN_MS);
  await Promise.race([write, late]);
  clearTimeout(timer);
}
