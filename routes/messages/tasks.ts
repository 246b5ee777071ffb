import type { Context, Hono } from "hono";
import { listAttempts } from "../../db/messages/attempts.ts";
import { claimMessage, renewClaim } from "../../db/messages/claims.ts";
import { completeTask, failTask, releaseClaim } from "../../db/messages/finish.ts";
import { isRefusal } from "../../db/refusal.ts";
import type { Operation } from "../../db/write/context.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { invalidMember, tooLarge } from "../http/errors.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingMessageId } from "../http/ids.ts";
import { LIMITS } from "../http/limits.ts";
import { large } from "../http/methods.ts";
import { checkSize, readBody, reply, replyLarge, roomOf } from "../http/requests.ts";
import { serve } from "../openapi/operation.ts";
import type { Services } from "../services.ts";
import { TASKS } from "./task_operations.ts";

const PATH = "/rooms/{room}/messages/{message}";

export function mountTasks(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  const taskOf = (c: Context) => ({ room: roomOf(c), message: existingMessageId(c.req.param("message")!) });

  async function answer<Answer extends { revision: number }>(
    c: Context,
    room: string,
    operation: Operation<Answer>,
  ): Promise<Response> {
    return await answerOnce(
      c,
      services,
      room,
      withFence(operation),
      ({ revision, ...body }) => reply(revision, body),
    );
  }

  serve(app, services, TASKS, `${PATH}/claim`, {
    async POST(c) {
      const task = taskOf(c);
      const { agent, ttl } = await readBody(
        c,
        TASKS,
        "ClaimRequest",
        undefined,
        ownMember(c, services),
      );
      return await answer(c, task.room, claimMessage(database, { ...task, agent, ttl }));
    },
  });

  serve(app, services, TASKS, `${PATH}/renew`, {
    async POST(c) {
      const task = taskOf(c);
      const { agent, fence, ttl } = await readBody(
        c,
        TASKS,
        "RenewRequest",
        undefined,
        ownMember(c, services),
      );
      return await answer(c, task.room, renewClaim(database, { ...task, agent, fence, ttl }));
    },
  });

  serve(app, services, TASKS, `${PATH}/release`, {
    async POST(c) {
      const task = taskOf(c);
      const { agent, fence, error } = await readBody(
        c,
        TASKS,
        "ReleaseRequest",
        undefined,
        ownMember(c, services),
      );
      checkError(error);
      return await answer(c, task.room, releaseClaim(database, { ...task, agent, fence }, error));
    },
  });

  serve(app, services, TASKS, `${PATH}/complete`, {
    async POST(c) {
      const task = taskOf(c);
      const { agent, fence, result } = await readBody(
        c,
        TASKS,
        "CompleteRequest",
        undefined,
        ownMember(c, services),
      );
      checkSize(result, "result");
      return await answer(c, task.room, completeTask(database, { ...task, agent, fence }, result));
    },
  });

  serve(app, services, TASKS, `${PATH}/fail`, {
    async POST(c) {
      const task = taskOf(c);
      const { agent, fence, error } = await readBody(
        c,
        TASKS,
        "FailRequest",
        undefined,
        ownMember(c, services),
      );
      checkError(error);
      return await answer(c, task.room, failTask(database, { ...task, agent, fence }, error));
    },
  });

  serve(app, services, TASKS, `${PATH}/attempts`, {
    GET: large(async (c) => {
      const { room, message } = taskOf(c);
      const { attempts, revision } = await listAttempts(database, viewerOf(c), room, message);
      return await replyLarge(c, revision, attempts);
    }),
  });
}

/** Refuses an `error` that is too large to keep with an attempt. Errors: `too_large`. */
function checkError(error: unknown): void {
  const max = LIMITS.attemptErrorBytes;
  if (error !== undefined && new TextEncoder().encode(JSON.stringify(error)).length > max) {
    throw tooLarge("error", max);
  }
}

/** Words a refusal that comes of a missing fence as one of the request. Errors: `invalid_request`. */
function withFence<Answer>({ acts, run, answer }: Operation<Answer>): Operation<Answer> {
  return {
    acts,
    async run(context) {
      try {
        return await run(context);
      } catch (error) {
        if (!isRefusal(error, "lease_lost") || !error.facts.unnamed) throw error;
        throw invalidMember(
          ["fence"],
          "fence is missing: the claim has a ttl.",
          "Send the `fence` that the answer to the claim has.",
        );
      }
    },
    answer,
  };
}
