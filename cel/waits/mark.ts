import { knownFacts } from "../../db/access/token.ts";
import { isRefusal } from "../../db/refusal.ts";
import type { WriteAs } from "../../db/write/context.ts";
import type { Database } from "../../db/database.ts";
import { recordHeartbeat } from "../../db/agents/heartbeat.ts";
import { clearWaiting, markWaiting } from "../../db/agents/marks.ts";
import { inTime, LAST_ANSWER_MS } from "./in_time.ts";
import { MARK_STAYS_MS, WAIT_OVER_EARLY_MS } from "../../db/agents/waits.ts";

/** The shortest time of a wait that leaves its mark when that is over: whoever waits so long is likely to wait on. */
const LEAVES_FROM_MS = 5_000;

/** The longest that an answer waits for its mark to be cleared or for its heartbeat, since the database may hang. */
const WRITTEN_WITHIN_MS = 400;

/**
 * The presence mark of a wait, which is a heartbeat of its agent too. The wait does not await `set`, and calls `clear`
 * before it answers.
 */
export type Mark = ReturnType<typeof createMark>;

/**
 * Creates the mark of a wait that names its agent, and that began at `began` by the database's `elapsed`. `refuse` ends
 * the wait of a viewer who may not act as the agent. Readers leave no mark.
 */
export function createMark(
  database: Database,
  { room, agent, by, token, waitingOn, began, timeout }: {
    room: string;
    agent: string;
    by: WriteAs;
    token: string;
    waitingOn: string;
    began: number;
    timeout: number;
  },
  refuse: (error: Error) => void,
) {
  const until = began + timeout;
  let marked: Promise<void> | undefined;
  let beaten: Promise<void> | undefined;
  const mark = { room, agent, token };
  const isReader = () => knownFacts(by.viewer)?.role === "reader";

  /** Awaits a write of the mark or heartbeat, but not beyond the time by which the wait must be answered. */
  function written(write: Promise<void>): Promise<void> {
    const left = Math.max(until + LAST_ANSWER_MS - database.elapsed(), 0);
    return inTime(write.catch(unmarked), Math.min(left, WRITTEN_WITHIN_MS));
  }

  /** Ignores outages: a wait works without its mark, and a mark that is not cleared ends with its lease. */
  function unmarked(error: unknown) {
    if (isRefusal(error, "unauthenticated") || isRefusal(error, "forbidden")) refuse(error as Error);
  }

  function set() {
    if (isReader()) return;
    const lasts = Math.round(until - database.elapsed()) + MARK_STAYS_MS;
    marked = markWaiting(database, by, mark, { waitingOn, lasts }).catch(unmarked);
  }
  async function clear() {
    if (marked === undefined) return;
    await written(marked.then(() => clearWaiting(database, mark)));
  }
  return {
    set,
    /** Records the heartbeat alone, unless the mark was set. Resolves once it is recorded; later calls await the same. */
    async beat(): Promise<void> {
      if (marked !== undefined || isReader()) return;
      beaten ??= written(recordHeartbeat(database, by, room, agent));
      await beaten;
    },
    /** Sets the mark again if it was set: a restored copy of the database may lack it. */
    renew(): void {
      if (marked !== undefined) set();
    },
    clear,
    /** Leaves the mark of a long wait whose time is over, for the same wait to take it over. Clears any other. */
    async leave(): Promise<void> {
      const isOver = database.elapsed() >= until - WAIT_OVER_EARLY_MS;
      if (timeout < LEAVES_FROM_MS || !isOver) await clear();
    },
  };
}
