import { createLru } from "../../../db/lru.ts";

/** Milliseconds of judging that may make others late, and for which it then counts: reads and writes come in between. */
const COSTLY_MS = 50;
const BETWEEN_MS = 1_000;
/** Rooms whose judging is remembered. */
const MAX_ROOMS = 1_000;

export type Judging = ReturnType<typeof createJudging>;

/**
 * Notes in which rooms requests are judged: one that is late because of that is not told that the database is.
 * `elapsed`: the clock, in milliseconds.
 */
export function createJudging(elapsed: () => number) {
  const going = new Map<string, number>();
  const ended = createLru<number>(MAX_ROOMS);

  return {
    async during<T>(room: string, judge: () => Promise<T>): Promise<T> {
      going.set(room, (going.get(room) ?? 0) + 1);
      const began = elapsed();
      try {
        return await judge();
      } finally {
        const left = going.get(room)! - 1;
        if (left > 0) going.set(room, left);
        else going.delete(room);
        const now = elapsed();
        if (now - began >= COSTLY_MS) ended.set(room, now);
      }
    },
    is: (room: string) => going.has(room) || elapsed() - (ended.get(room) ?? -Infinity) < BETWEEN_MS,
  };
}
