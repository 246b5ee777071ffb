import type { Hono } from "hono";
import { createContext } from "../cel/rooms/context.ts";
import { EvaluationFailed } from "../cel/language/expression.ts";
import { isBusy, yieldToOthers } from "../db/yield.ts";
import { RequestError } from "./http/errors.ts";
import { large, resource } from "./http/methods.ts";
import { compileOf, readBody, replyLarge, roomOf } from "./http/requests.ts";
import type { Services } from "./services.ts";

export function mountEval(app: Hono, { reader, viewerOf }: Services): void {
  resource(app, "/rooms/:room/eval", {
    POST: large(async (c) => {
      const room = roomOf(c);
      const { expr, agent } = await readBody(c, "evalBody");
      const expression = await compileOf(expr);
      const data = await reader.load(viewerOf(c), room, expression.reads);
      if (isBusy()) await yieldToOthers();
      const { context } = createContext(data).from({ self: agent ?? null });
      try {
        const value = expression.evaluate(context);
        return await replyLarge(data.snapshot.revisions.revision, {
          expression: expr,
          value,
          context_keys: [...context.keys()],
        });
      } catch (error) {
        if (!(error instanceof EvaluationFailed)) throw error;
        const { code, message, position, hint } = error;
        const cause = { code, message, ...(position !== undefined && { position }) };
        throw new RequestError("evaluation_failed", message, {
          expression: expr,
          cause,
          ...(hint && { hint }),
        });
      }
    }),
  });
}
