import type { Context } from "hono";
import type { Database } from "../../db/database.ts";
import type { FairUse } from "./callers/fair_use.ts";
import { answeredInTime } from "./deadline.ts";

/**
 * Answers a request that may wait: within the deadline of requests if its `timeout` is 0, else counted as a wait of its
 * caller and room. Errors: `rate_limited`, `DatabaseUnavailable`, those of `answer`.
 */
export async function answerWaiting(
  c: Context,
  { database, fairUse }: { database: Database; fairUse: FairUse },
  room: string,
  timeout: number,
  answer: () => Promise<Response>,
): Promise<Response> {
  if (timeout === 0) return await answeredInTime(database.working(answer), c);
  const release = fairUse.hold(c, "wait", room);
  return await answer().finally(release);
}
