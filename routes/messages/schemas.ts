import { MESSAGE_STATUSES, OPEN } from "../../db/messages/message.ts";
import { STATUSES } from "../../db/agents/presence.ts";
import type { Json } from "../../db/json.ts";
import { made, type Parts } from "../http/input/schemas.ts";
import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { LIMITS } from "../http/limits.ts";

export const shownMessage = {
  id: 4,
  room_id: "demo",
  from_agent: "alice",
  to_agent: null,
  verified: false,
  kind: "task",
  body: { file: "a.ts" },
  created_at: EXAMPLE_TIME,
  reply_to: null,
  ...OPEN,
};

const messageId = ({ z }: Parts) => z.int("must be a message's id, a whole number from 1 on").min(1);

const otherNameOf = (name: string) =>
  `Another name of \`${name}\`, as answers have it; not another value beside it`;

export const messageBodies = (parts: Parts) => {
  const { z, absent, defaulting, id, key, value } = parts;
  return {
    MessageRequest: z.strictObject({
      from: absent(id).describe("The sender; need not be registered"),
      to: absent(id).describe("The receiver: an address, not a lock"),
      kind: defaulting(key, "message"),
      body: value.describe(`Any JSON of at most ${LIMITS.valueBytes} bytes`),
      reply_to: absent(messageId(parts)).describe("The id of the message that this one answers"),
      needs: absent(
        z.array(messageId(parts)).max(LIMITS.needs, `must hold at most ${LIMITS.needs} ids`),
      ).describe("Ids of earlier messages: this one is `blocked` until all of them are `done`"),
      max_attempts: absent(z.int().min(1).max(LIMITS.attempts))
        .describe("How often it may be claimed; it is `failed` when the last claim ends without `complete`"),
      from_agent: absent(id).describe(otherNameOf("from")),
      to_agent: absent(id).describe(otherNameOf("to")),
    }),
  };
};

const fence = ({ z, absent }: Parts) =>
  absent(z.int("must be the `fence` of the claim, a whole number").min(1))
    .describe("The `fence` of the claim; required while you hold a claim with a `ttl`");

const error = ({ z }: Parts) =>
  z.custom<Json>().optional().describe(
    `Any JSON of at most ${LIMITS.attemptErrorBytes} bytes, kept with the attempt`,
  );

export const taskBodies = (parts: Parts) => {
  const { z, absent, id } = parts;
  const ttl = parts.secondsUpTo(LIMITS.leaseSeconds).describe("Seconds until the claim ends by itself");
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
    ReleaseRequest: z.strictObject({ agent: holder, fence: fence(parts), error: error(parts) }),
    CompleteRequest: z.strictObject({
      agent: holder,
      fence: fence(parts),
      result: z.custom<Json>().optional().describe(
        `Any JSON of at most ${LIMITS.valueBytes} bytes, posted as a message of kind \`result\``,
      ),
    }),
    FailRequest: z.strictObject({
      agent: id.describe("The agent that holds the claim, or posted the task"),
      fence: fence(parts),
      error: error(parts),
    }),
  };
};

/** The schema of a message in answers; each call gives the same one. */
export const answeredMessage = made(({ z, time, count, revision, json }: Parts) => ({
  Message: z.object({
    id: z.int().min(1).describe("The revision at which it was posted"),
    room_id: z.string(),
    from_agent: z.string().nullable(),
    to_agent: z.string().nullable(),
    verified: z.boolean().describe(
      "Whether it was sent under the sender's own token, or an admin's that spoke as it",
    ),
    kind: z.string(),
    body: json,
    created_at: time,
    reply_to: z.int().min(1).nullable(),
    claimed_by: z.string().nullable().describe("The agent that holds it or finished it"),
    claimed_at: time.nullable(),
    status: z.enum(MESSAGE_STATUSES),
    claimed_until: time.nullable().describe("When the claim ends by itself; null if it does not"),
    fence: revision.nullable().describe("The revision at which the last claim began"),
    attempts: count.describe("How often it was claimed"),
    max_attempts: z.int().min(1).nullable(),
    needs: z.array(z.int().min(1)).describe("It is `blocked` until all of these are `done`"),
    done_at: time.nullable().describe("When it was completed or failed"),
    result_id: z.int().min(1).nullable().describe("The id of the message with its result"),
    failure: z.object({
      reason: z.enum(["failed", "attempts", "need", "ttl", "withdrawn", "trimmed"]),
      error: json.optional().describe("The `error` of the last `fail` or `release`"),
      message: z.int().min(1).optional().describe("The need that failed"),
    }).nullable().describe("Why it failed"),
  }),
}));

/** The schema of the notice to who acts as an agent that is not registered. */
export const noticeOf = ({ z }: Parts) =>
  z.literal("agent_not_registered").optional().describe(
    "The agent is not registered: it is not among the agents of the room",
  );

export function messageAnswers(parts: Parts) {
  const { z, time } = parts;
  const { Message } = answeredMessage(parts);
  return {
    Message,
    PostedMessage: Message.extend({
      recipient: z.object({
        registered: z.boolean(),
        alive: z.boolean().nullable().describe(
          "Whether it was heard of in the last 60 seconds or has a wait in progress",
        ),
        status: z.enum(STATUSES).nullable(),
        waiting_on: z.string().nullable(),
        last_heartbeat: time.nullable(),
      }).optional().describe("The receiver, if `to` was given"),
      notice: noticeOf(parts),
    }),
    MessageList: z.array(Message),
  };
}

export function taskAnswers(parts: Parts) {
  const { z, time, count, revision, json } = parts;
  const { Message } = answeredMessage(parts);
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
      notice: noticeOf(parts),
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
}
