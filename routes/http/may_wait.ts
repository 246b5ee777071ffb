import type { Context } from "hono";
import type { Operation } from "../../db/write/context.ts";
import type { FairUse } from "./callers/fair_use.ts";
import type { Callers } from "./callers/own_agent.ts";
import { answeredInTime } from "./deadline.ts";
import { answerOnce } from "./idempotency.ts";

/**
 * Answers a write that may wait, as `answerOnce` does: within the deadline of requests if its `timeout` is 0, else counted
 * as a wait of its caller and room. Errors: `rate_limited`, `DatabaseUnavailable`, those of `answerOnce`.
 */
export async function answerWaiting<Answer>(
  c: Context,
  services: Callers & { fairUse: FairUse },
  room: string,
  timeout: number,
  operation: Operation<Answer>,
  render: (answer: Answer) => Response,
): Promise<Response> {
  const answer = () => answerOnce(c, services, room, operation, render);
  if (timeout === 0) return await answeredInTime(services.database.working(answer), c);
  const release = services.fairUse.hold(c, "wait", room);
  return await answer().finally(release);
}
