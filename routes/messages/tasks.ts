import type { Context, Hono } from "hono";
import type { z } from "zod";
import { listAttempts } from "../../db/messages/attempts.ts";
import { claimMessage, renewClaim } from "../../db/messages/claims.ts";
import { completeTask, failTask, releaseClaim } from "../../db/messages/finish.ts";
import { isRefusal } from "../../db/refusal.ts";
import type { Operation } from "../../db/write/context.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { invalidMember } from "../http/errors.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingMessageId } from "../http/ids.ts";
import { LIMITS } from "../http/limits.ts";
import { large } from "../http/methods.ts";
import { checkSize, readBody, replyAll, replyLarge, roomOf } from "../http/requests.ts";
import { serve } from "../openapi/operation.ts";
import type { Services } from "../services.ts";
import { TASKS } from "./task_operations.ts";

type Bodies = ReturnType<typeof TASKS.bodies>;

export function mountTasks(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  const taskOf = (c: Context) => ({ room: roomOf(c), message: existingMessageId(c.req.param("message")!) });

  /** Serves a write: it reads the body `name` and answers with what `operationOf` makes of it. */
  function write<Name extends keyof Bodies, Answer extends { revision: number }>(
    verb: "claim" | "renew" | "release" | "complete" | "fail",
    name: Name,
    operationOf: (task: ReturnType<typeof taskOf>, body: z.infer<Bodies[Name]>) => Operation<Answer>,
  ) {
    serve(app, services, TASKS, `/rooms/{room}/messages/{message}/${verb}`, {
      async POST(c) {
        const task = taskOf(c);
        const body = await readBody(c, TASKS, name, { filled: ownMember(c, services) });
        return await answerOnce(c, services, task.room, withFence(operationOf(task, body)), replyAll);
      },
    });
  }

  write("claim", "ClaimRequest", (task, body) => claimMessage(database, { ...task, ...body }));
  write("renew", "RenewRequest", (task, body) => renewClaim(database, { ...task, ...body }));
  write("release", "ReleaseRequest", (task, { error, ...held }) => {
    checkSize(error, "error", LIMITS.attemptErrorBytes);
    return releaseClaim(database, { ...task, ...held }, error);
  });
  write("complete", "CompleteRequest", (task, { result, ...held }) => {
    checkSize(result, "result");
    return completeTask(database, { ...task, ...held }, result);
  });
  write("fail", "FailRequest", (task, { error, ...held }) => {
    checkSize(error, "error", LIMITS.attemptErrorBytes);
    return failTask(database, { ...task, ...held }, error);
  });

  serve(app, services, TASKS, "/rooms/{room}/messages/{message}/attempts", {
    GET: large(async (c) => {
      const { room, message } = taskOf(c);
      const { attempts, revision } = await listAttempts(database, viewerOf(c), room, message);
      return await replyLarge(c, revision, attempts);
    }),
  });
}

/** Words a refusal that comes of a missing fence as one of the request. Errors: `invalid_request`. */
function withFence<Answer>(operation: Operation<Answer>): Operation<Answer> {
  return {
    ...operation,
    async run(context) {
      try {
        return await operation.run(context);
      } catch (error) {
        if (!isRefusal(error, "lease_lost") || !error.facts.unnamed) throw error;
        throw invalidMember(
          ["fence"],
          "fence is missing: the claim has a ttl.",
          "Send the `fence` that the answer to the claim has.",
        );
      }
    },
  };
}
