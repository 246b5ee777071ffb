import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";

/**
 * The characters beyond which a read leaves each lane for the next one. One read of a lane runs at a time, so that memory
 * is bounded and a list of some megabytes need not wait for longer ones. The longest: 1,000 messages of 64 KiB, with all
 * that a list shows of them.
 */
const LENGTHS = [8, 32, 96].map((mebi) => mebi * 2 ** 20);
/** The maximum of a read. */
export const MAX_LENGTH = LENGTHS.at(-1)!;

/** Milliseconds after which a read is given up: the request that wants it has been answered. */
const MAX_MS = 9_000;

/**
 * Calls `next` until it returns true, in the lane of what has been read so far: `length` returns its characters.
 * Errors: `too_large`, `unavailable`, what `next` throws.
 */
export async function readInLanes(
  database: Database,
  room: string,
  next: () => Promise<boolean>,
  length: () => number,
): Promise<void> {
  const until = database.elapsed() + MAX_MS;

  async function readUpTo(max: number): Promise<boolean> {
    while (length() < max && database.elapsed() < until) if (await next()) return true;
    return false;
  }

  for (const [lane, max] of LENGTHS.entries()) {
    if (await database.lanes[lane]!(room, () => readUpTo(max))) return;
    if (database.elapsed() >= until) throw new Refusal("unavailable", { why: "too_large" });
  }
  throw new Refusal("too_large", { max: MAX_LENGTH, read: true });
}
