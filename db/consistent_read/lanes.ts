import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";

/**
 * Characters up to which a read belongs to a lane. One read of each lane runs at a time, so that memory is bounded and a
 * list of some megabytes need not wait for those that are longer. The longest: 1,000 messages of 64 KiB, with all that
 * a list shows of them.
 */
const LENGTHS = [8, 32, 96].map((mebi) => mebi * 2 ** 20);
/** The maximum of a read. */
export const MAX_LENGTH = LENGTHS.at(-1)!;

/** Milliseconds after which a read is given up: the request that wants it has been answered. */
const MAX_MS = 9_000;

/**
 * Reads on with `next` until that is true, in the lane of what has been read so far. `length` returns how many
 * characters that is. Errors: `too_large`, `unavailable`, what `next` throws.
 */
export async function readInLanes(
  database: Database,
  room: string,
  next: () => Promise<boolean>,
  length: () => number,
): Promise<void> {
  const until = database.elapsed() + MAX_MS;

  async function readUpTo(most: number): Promise<boolean> {
    while (length() < most && database.elapsed() < until) if (await next()) return true;
    return false;
  }

  for (const [lane, most] of LENGTHS.entries()) {
    if (await database.lanes[lane]!(room, () => readUpTo(most))) return;
    if (database.elapsed() >= until) throw new Refusal("unavailable", { why: "too_large" });
  }
  throw new Refusal("too_large", { max: MAX_LENGTH, read: true });
}
