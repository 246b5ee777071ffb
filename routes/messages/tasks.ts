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
import { checkSize, readBody, reply, replyLarge, roomOf } from "../http/requests.ts";
import { serve } from "../openapi/operation.ts";
import type { Services } from "../services.ts";
import { TASKS } from "./task_operations.ts";

const PATH = "/rooms/{room}/messages/{message}";

type Bodies = ReturnType<typeof TASKS.bodies>;

interface Task {
  room: string;
  message: number;
}

export function mountTasks(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  const taskOf = (c: Context): Task => ({
    room: roomOf(c),
    message: existingMessageId(c.req.param("message")!),
  });

  /** Makes the handler of a write: it reads the body `name` and answers with what `operationOf` makes of it. */
  const write = <Name extends keyof Bodies, Answer extends { revision: number }>(
    name: Name,
    operationOf: (task: Task, body: z.infer<Bodies[Name]>) => Operation<Answer>,
  ) => ({
    async POST(c: Context) {
      const task = taskOf(c);
      const body = await readBody(c, TASKS, name, { filled: ownMember(c, services) });
      const operation = withFence(operationOf(task, body));
      return await answerOnce(c, services, task.room, operation, ({ revision, ...answer }) => {
        return reply(revision, answer);
      });
    },
  });

  serve(
    app,
    services,
    TASKS,
    `${PATH}/claim`,
    write("ClaimRequest", (task, body) => claimMessage(database, { ...task, ...body })),
  );

  serve(
    app,
    services,
    TASKS,
    `${PATH}/renew`,
    write("RenewRequest", (task, body) => renewClaim(database, { ...task, ...body })),
  );

  serve(
    app,
    services,
    TASKS,
    `${PATH}/release`,
    write("ReleaseRequest", (task, { error, ...held }) => {
      checkSize(error, "error", LIMITS.attemptErrorBytes);
      return releaseClaim(database, { ...task, ...held }, error);
    }),
  );

  serve(
    app,
    services,
    TASKS,
    `${PATH}/complete`,
    write("CompleteRequest", (task, { result, ...held }) => {
      checkSize(result, "result");
      return completeTask(database, { ...task, ...held }, result);
    }),
  );

  serve(
    app,
    services,
    TASKS,
    `${PATH}/fail`,
    write("FailRequest", (task, { error, ...held }) => {
      checkSize(error, "error", LIMITS.attemptErrorBytes);
      return failTask(database, { ...task, ...held }, error);
    }),
  );

  serve(app, services, TASKS, `${PATH}/attempts`, {
    GET: large(async (c) => {
      const { room, message } = taskOf(c);
      const { attempts, revision } = await listAttempts(database, viewerOf(c), room, message);
      return await replyLarge(c, revision, attempts);
    }),
  });
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
