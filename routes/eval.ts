import type { Hono } from "hono";
import { lookAt } from "../cel/rooms/look.ts";
import { judgeActs, unprovenActors } from "../db/write/acts.ts";
import { EvaluationFailed } from "../cel/rooms/expression.ts";
import { ownMember } from "./http/callers/own_agent.ts";
import { RequestError } from "./http/errors.ts";
import { large } from "./http/methods.ts";
import { compileOf, readBody, replyLarge, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import type { Services } from "./services.ts";

export const EVAL = describe({
  bodies: ({ z, expression, absent, id }) => ({
    EvalRequest: z.strictObject({
      expr: expression,
      agent: absent(id).describe("`self` in the expression; need not be registered"),
    }),
  }),
  answers: ({ z, json }) => ({
    Evaluation: z.object({ expression: z.string(), value: json, context_keys: z.array(z.string()) }),
  }),
  operations: {
    "/rooms/{room}/eval": {
      post: {
        id: "evaluate",
        summary: "Evaluate a CEL expression over the room",
        description: "Changes nothing. Use it to try a gate, a wait or a view.",
        body: "EvalRequest",
        example: { expr: "state._shared.turn + 1", agent: "alice" },
        answers: { 200: "Evaluation" },
        shown: {
          expression: "state._shared.turn + 1",
          value: 3,
          context_keys: ["state", "agents", "messages", "self", "now"],
        },
        errors: ["invalid_expression", "evaluation_failed"],
      },
    },
  },
});

export function mountEval(app: Hono, services: Services): void {
  const { reader, viewerOf } = services;
  serve(app, services, EVAL, "/rooms/{room}/eval", {
    POST: large(async (c) => {
      const room = roomOf(c);
      const filled = ownMember(c, services);
      const { expr, agent } = await readBody(c, EVAL, "EvalRequest", { filled });
      const expression = await compileOf(expr);
      const [viewer, self] = [viewerOf(c), agent ?? null];
      const by = { viewer, acts: { as: self } };
      try {
        const { result, data } = await lookAt(
          reader,
          { viewer, room, reads: expression.reads, self, actors: unprovenActors(by) },
          (seen, { snapshot: { guarded, secured } }) => {
            const refusal = guarded && self !== null && judgeActs(by, { writes: false, secured });
            if (refusal) throw refusal;
            const { context } = seen.from({ self });
            return { value: expression.evaluate(context), context_keys: [...context.keys()] };
          },
        );
        return await replyLarge(c, data.snapshot.revisions.revision, { expression: expr, ...result });
      } catch (error) {
        if (!(error instanceof EvaluationFailed)) throw error;
        const { code, message, position, hint } = error;
        const cause = { code, message, position };
        throw new RequestError("evaluation_failed", message, { expression: expr, cause, hint });
      }
    }),
  });
}
