import type { Hono } from "hono";
import type { TakeAnswer } from "../../cel/waits/takes/takes.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { lookedInTime } from "../http/deadline.ts";
import { LIMITS } from "../http/limits.ts";
import { answerWaiting } from "../http/idempotency.ts";
import { compileOf, readBody, reply, roomOf } from "../http/requests.ts";
import { describe, serve } from "../openapi/operation.ts";
import { KEY } from "../openapi/parameters.ts";
import type { Services } from "../services.ts";
import { MESSAGES, shownMessage } from "./messages.ts";
import { shownClaim, TASKS } from "./tasks.ts";

const { claimed: _, message_id: __, ...shownTaken } = shownClaim;

const PATH = "/rooms/{room}/messages/claim";

const TIMEOUT = `Milliseconds to wait for one; 0 looks once; a value above ${LIMITS.waitMs} counts as that`;

export const TAKE = describe({
  bodies({ z, absent, defaulting, id, key, expression, secondsUpTo }) {
    const number = (least: number) => z.int().min(least);
    return {
      TakeRequest: z.strictObject({
        agent: id.describe("The agent that takes; need not be registered"),
        ttl: defaulting(secondsUpTo(LIMITS.leaseSeconds), LIMITS.takenSeconds).describe(
          "Seconds until the claim ends by itself",
        ),
        kind: absent(key).describe("Only this kind; by default any but `message`, `result` and `ask`"),
        from: absent(id).describe("Only messages of this sender"),
        to: absent(id).describe("Only messages to this agent; by default those to nobody or to `agent`"),
        thread: absent(number(0)).describe("Only this message and every reply below it"),
        where: absent(expression).describe(
          "CEL over the room and the `message`, whose members are those of answers",
        ),
        after: absent(number(0)).describe("Only messages whose id is greater"),
        timeout: defaulting(number(0), 0).describe(TIMEOUT),
      }),
    };
  },
  answers(parts) {
    const { z, count, failure, notice } = parts;
    const { Message } = MESSAGES.answers(parts);
    const Taken = TASKS.answers(parts).Claim.extend({ message: Message });
    const NotTaken = z.object({
      claimed: z.literal(false),
      timeout: z.literal(true),
      elapsed_ms: count,
      notice,
      hint: z.string().optional().describe(
        "That no message of the `kind` was ever posted, unless `where` or `thread` is given",
      ),
      more: z.literal(true).optional().describe("There are open messages that were not looked at"),
      next: z.int().min(1).optional().describe("Send this as `after` to look further"),
      last_error: failure.optional().describe("Why `where` could not be evaluated for the last such message"),
    });
    return { Taken, NotTaken, Take: z.union([Taken, NotTaken]) };
  },
  operations: {
    [PATH]: {
      post: {
        id: "takeTask",
        summary: "Take the next task: claim the oldest open message that fits",
        description:
          "Each message goes to one agent. If there is none, the request waits for `timeout` milliseconds. " +
          `\`where\` looks at ${LIMITS.listLength} open messages per request, fewer if they cost much: \`more\` says that there are others.`,
        parameters: [KEY],
        body: "TakeRequest",
        example: { agent: "bob", kind: "task", timeout: 25_000 },
        answers: { 200: "Take" },
        shown: { ...shownClaim, message: { ...shownMessage, ...shownTaken, status: "claimed" } },
        errors: ["agent_not_found", "invalid_expression"],
      },
    },
  },
});

/** Mounts it before the deadline of requests, since it may wait longer. */
export function mountTake(app: Hono, services: Services): void {
  const { database, taking } = services;

  serve(app, services, TAKE, PATH, {
    /** Reads `signal` before it awaits anything, else the runtime misses a client that leaves meanwhile. */
    async POST(c) {
      const { signal } = c.req.raw;
      const began = database.elapsed();
      const room = roomOf(c);
      const filled = ownMember(c, services);
      const body = await lookedInTime(readBody(c, TAKE, "TakeRequest", { filled }), c);
      const { timeout: most = 0, ttl = LIMITS.takenSeconds, where: source, ...filters } = body;
      const timeout = Math.min(most, LIMITS.waitMs);
      const where = source === undefined ? undefined : await compileOf(source, {}, "message");
      const operation = taking.take(room, { ...filters, ttl, where }, { timeout, signal });
      return await answerWaiting(c, services, room, timeout, operation, (answer) => {
        const elapsed = Math.round(database.elapsed() - began);
        return reply(answer.revision, shown(answer, filters.kind, elapsed));
      });
    },
  });
}

function shown(answer: TakeAnswer, kind: string | undefined, elapsed: number): Record<string, unknown> {
  const { message, notice } = answer;
  if (message) {
    const { id, claimed_by, claimed_at, claimed_until, fence, attempts } = message;
    const claim = { claimed: true, claimed_by, message_id: id, claimed_at, claimed_until, fence, attempts };
    return { ...claim, notice, message };
  }
  const { unknown, next, failure } = answer;
  return {
    claimed: false,
    timeout: true,
    elapsed_ms: elapsed,
    notice,
    ...(unknown && { hint: `No message of kind ${JSON.stringify(kind)} was ever posted in this room.` }),
    ...(next !== undefined && { more: true, next }),
    ...(failure && { last_error: { code: failure.code, message: failure.message, hint: failure.hint } }),
  };
}
