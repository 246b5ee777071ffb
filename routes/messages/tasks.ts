import type { Context, Hono } from "hono";
import type { z } from "zod";
import type { Json } from "../../db/json.ts";
import { listAttempts } from "../../db/messages/attempts.ts";
import { claimMessage, renewClaim } from "../../db/messages/claims.ts";
import { completeTask, failTask, releaseClaim } from "../../db/messages/finish.ts";
import { isRefusal } from "../../db/refusal.ts";
import type { Operation } from "../../db/write/context.ts";
import type { ErrorCode } from "../../errors.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { invalidMember } from "../http/errors.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingMessageId } from "../http/ids.ts";
import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { LIMITS } from "../http/limits.ts";
import { large } from "../http/methods.ts";
import { checkSize, readBody, replyAll, replyLarge, roomOf } from "../http/requests.ts";
import { describe, serve } from "../openapi/operation.ts";
import { KEY } from "../openapi/parameters.ts";
import type { Services } from "../services.ts";
import { MESSAGES } from "./messages.ts";

export const shownClaim = {
  claimed: true,
  claimed_by: "bob",
  message_id: 4,
  claimed_at: EXAMPLE_TIME,
  claimed_until: "2026-11-22T04:25:00.000Z",
  fence: 5,
  attempts: 1,
};

const HOLDERS: ErrorCode[] = ["message_not_found", "lease_lost"];

export const TASKS = describe({
  bodies({ z, absent, id, secondsUpTo }) {
    const fence = absent(z.int("must be the `fence` of the claim, a whole number").min(1))
      .describe("The `fence` of the claim; required while you hold a claim with a `ttl`");
    const error = z.custom<Json>().optional().describe(
      `Any JSON of at most ${LIMITS.attemptErrorBytes} bytes, kept with the attempt`,
    );
    const ttl = secondsUpTo(LIMITS.leaseSeconds).describe("Seconds until the claim ends by itself");
    const holder = id.describe("The agent that holds the claim");
    return {
      ClaimRequest: z.strictObject({
        agent: id.describe("The agent that claims; need not be registered"),
        ttl: absent(ttl).describe("Seconds until the claim ends by itself; without it the claim never ends"),
      }),
      RenewRequest: z.strictObject({
        agent: holder,
        fence: z.int().min(1).describe("The `fence` that the answer to the claim shows"),
        ttl,
      }),
      ReleaseRequest: z.strictObject({ agent: holder, fence, error }),
      CompleteRequest: z.strictObject({
        agent: holder,
        fence,
        result: z.custom<Json>().optional().describe(
          `Any JSON of at most ${LIMITS.valueBytes} bytes, posted as a message of kind \`result\``,
        ),
      }),
      FailRequest: z.strictObject({
        agent: id.describe("The agent that holds the claim, or posted the task"),
        fence,
        error,
      }),
    };
  },
  answers(parts) {
    const { z, time, count, revision, json, notice } = parts;
    const { Message } = MESSAGES.answers(parts);
    const message_id = z.int().min(1);
    return {
      Claim: z.object({
        claimed: z.literal(true),
        claimed_by: z.string(),
        message_id,
        claimed_at: time,
        claimed_until: time.nullable(),
        fence: revision.describe("The revision at which the claim began: a fencing token"),
        attempts: count,
        notice,
      }),
      Release: z.object({ released: z.literal(true), message_id, status: z.enum(["open", "failed"]) }),
      Completion: z.object({
        completed: z.literal(true),
        message_id,
        done_at: time,
        result: Message.nullable().describe("The message with the result, if one was given"),
      }),
      Failure: z.object({
        failed: z.literal(true),
        message_id,
        status: z.literal("failed"),
        done_at: time,
      }),
      AttemptList: z.array(z.object({
        fence: revision,
        agent: z.string(),
        claimed_at: time,
        ended_at: time.nullable(),
        ended: z.enum(["completed", "released", "failed", "expired"]).nullable(),
        error: json.describe("The `error` of `release` or `fail`, else null"),
      })),
    };
  },
  operations: {
    "/rooms/{room}/messages/{message}/claim": {
      post: {
        id: "claimMessage",
        summary: "Claim a message; at any revision at most one agent holds it",
        description:
          "With `ttl` the claim ends by itself, and then others may claim the message. Claiming what you hold is " +
          "answered the same way; with `ttl` the claim then ends that many seconds from now.",
        parameters: [KEY],
        body: "ClaimRequest",
        example: { agent: "bob", ttl: 300 },
        answers: { 200: "Claim" },
        shown: shownClaim,
        errors: ["message_not_found", "already_claimed", "task_blocked", "task_over"],
      },
    },
    "/rooms/{room}/messages/{message}/renew": {
      post: {
        id: "renewClaim",
        summary: "Renew a claim: it ends `ttl` seconds from now",
        description: "409 if the agent does not hold the claim under that `fence`.",
        parameters: [KEY],
        body: "RenewRequest",
        example: { agent: "bob", fence: 5, ttl: 300 },
        answers: { 200: "Claim" },
        shown: shownClaim,
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/release": {
      post: {
        id: "releaseClaim",
        summary: "Release a claim",
        description: "The message is `open` again, or `failed` if this was the last of its `max_attempts`.",
        parameters: [KEY],
        body: "ReleaseRequest",
        example: { agent: "bob", fence: 5, error: { message: "disk full" } },
        answers: { 200: "Release" },
        shown: { released: true, message_id: 4, status: "open" },
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/complete": {
      post: {
        id: "completeTask",
        summary: "Complete a task, with its result in the same write",
        description:
          "A task whose last unfinished need this was is `open` from then on. A repetition by the same agent " +
          "with the same `fence` gets the first answer again.",
        parameters: [KEY],
        body: "CompleteRequest",
        example: { agent: "bob", fence: 5, result: { lines: 12 } },
        answers: { 200: "Completion" },
        shown: { completed: true, message_id: 4, done_at: EXAMPLE_TIME, result: null },
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/fail": {
      post: {
        id: "failTask",
        summary: "End a task as `failed`, and all that need it",
        description:
          "The agent that holds it may do this. While it is `open` or `blocked`, its sender may; without a sender, anybody; " +
          "in a locked room an admin, too.",
        parameters: [KEY],
        body: "FailRequest",
        example: { agent: "bob", fence: 5, error: { message: "no such file" } },
        answers: { 200: "Failure" },
        shown: { failed: true, message_id: 4, status: "failed", done_at: EXAMPLE_TIME },
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/attempts": {
      get: {
        id: "listAttempts",
        summary: "List the claims of a message, oldest first",
        description:
          "Says how each claim ended, and with which `error`. Of more than 1,000 it lists the latest.",
        answers: { 200: "AttemptList" },
        shown: [{
          fence: 5,
          agent: "bob",
          claimed_at: EXAMPLE_TIME,
          ended_at: null,
          ended: null,
          error: null,
        }],
        errors: ["message_not_found"],
      },
    },
  },
});

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
