import type { Context } from "hono";
import { lookAt } from "../../cel/rooms/look.ts";
import { EvaluationFailed } from "../../cel/rooms/expression.ts";
import type { EvaluationView } from "../../views/panels/console/console.tsx";
import { ownAgent } from "../http/callers/own_agent.ts";
import { RequestError } from "../http/errors.ts";
import { existingId } from "../http/ids.ts";
import { withSlip } from "../http/input/query_slips.ts";
import { compileOf } from "../http/requests.ts";
import type { Services } from "../services.ts";
import { shownOf } from "./shown.ts";

/**
 * Evaluates an expression for a page, which also shows its error. `as`: who is `self`, by default the agent of the
 * request's token. Errors: `room_not_found`.
 */
export async function evaluationOf(
  c: Context,
  services: Services,
  room: string,
  expr: string,
  as?: string,
): Promise<EvaluationView> {
  const viewer = services.viewerOf(c);
  const agent = as ? existingId(as) || null : await ownAgent(c, services) ?? null;
  try {
    const expression = await compileOf(expr);
    const sight = { viewer, room, reads: expression.reads, self: agent };
    const { result } = await lookAt(
      services.reader,
      sight,
      (seen) => expression.evaluate(seen.from({ self: agent }).context),
    );
    return { expr, agent, shown: shownOf(result) };
  } catch (error) {
    if (error instanceof RequestError) {
      // The address of the page may be written by hand. What is typed into the console is sent by the page.
      const details = c.req.path === "/" ? withSlip(c.req.url, error.details) : error.details;
      const { hint, position } = details as { hint?: string; position?: number };
      return { expr, agent, error: { code: error.code, message: error.message, hint, position } };
    }
    if (!(error instanceof EvaluationFailed)) throw error;
    const { code, message, hint, position } = error;
    return { expr, agent, error: { code, message, hint, position } };
  }
}
