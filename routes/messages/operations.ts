import { STATUSES } from "../../db/agents/presence.ts";
import { MESSAGE_STATUSES, OPEN } from "../../db/messages/message.ts";
import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { LIMITS } from "../http/limits.ts";
import { describe } from "../openapi/operation.ts";
import { flag, KEY, LIMIT, number, query } from "../openapi/parameters.ts";

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

const otherNameOf = (name: string) =>
  `Another name of \`${name}\`, as answers have it; not another value beside it`;

export const MESSAGES = describe({
  bodies({ z, absent, defaulting, id, key, value }) {
    const messageId = z.int("must be a message's id, a whole number from 1 on").min(1);
    return {
      MessageRequest: z.strictObject({
        from: absent(id).describe("The sender; need not be registered"),
        to: absent(id).describe("The receiver: an address, not a lock"),
        kind: defaulting(key, "message"),
        body: value.describe(`Any JSON of at most ${LIMITS.valueBytes} bytes`),
        reply_to: absent(messageId).describe("The id of the message that this one answers"),
        needs: absent(
          z.array(messageId).max(LIMITS.needs, `must hold at most ${LIMITS.needs} ids`),
        ).describe("Ids of earlier messages: this one is `blocked` until all of them are `done`"),
        max_attempts: absent(z.int().min(1).max(LIMITS.attempts))
          .describe(
            "How often it may be claimed; it is `failed` when the last claim ends without `complete`",
          ),
        from_agent: absent(id).describe(otherNameOf("from")),
        to_agent: absent(id).describe(otherNameOf("to")),
      }),
    };
  },
  answers({ z, time, count, revision, json, notice }) {
    const Message = z.object({
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
    });
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
        notice,
      }),
      MessageList: z.array(Message),
    };
  },
  operations: {
    "/rooms/{room}/messages": {
      get: {
        id: "listMessages",
        summary: "List messages by ascending id",
        description:
          "If there are more, `Link` names the next page. A value that cannot exist matches nothing.",
        parameters: [
          query("after", "Only messages whose id is greater", number(0, { default: 0 })),
          query("from", "Only messages of this sender"),
          query("to", "Only messages to this receiver"),
          query("kind", "Only messages of this kind"),
          query("status", "Only messages of this status", { type: "string", enum: [...MESSAGE_STATUSES] }),
          query("claimed_by", "Only messages that this agent holds or finished"),
          query("reply_to", "Only direct replies to this message", number(0)),
          query("thread", "This message and every reply below it", number(0)),
          query("unclaimed", "`true`: only `open` messages", flag),
          LIMIT,
          query(
            "last",
            `The newest that match, at most ${LIMITS.listLength}; \`limit\` is then ignored`,
            number(1),
          ),
        ],
        answers: { 200: "MessageList" },
        shown: [shownMessage],
        headers: ["Link"],
      },
      post: {
        id: "postMessage",
        summary: "Post a message, which can be a task",
        description:
          "`to` is an address, not a lock: everyone in the room can read every message. If a need fails, the " +
          "tasks that need it fail too. A task posted with a failed need is `failed` from the start.",
        parameters: [KEY],
        body: "MessageRequest",
        example: { from: "alice", kind: "task", body: { file: "a.ts" } },
        answers: { 201: "PostedMessage" },
        shown: shownMessage,
        errors: ["message_not_found", "limit_reached"],
      },
    },
    "/rooms/{room}/messages/{message}": {
      get: {
        id: "getMessage",
        summary: "Read a message",
        description: "Its present state, with its claim.",
        answers: { 200: "Message" },
        shown: shownMessage,
        errors: ["message_not_found"],
      },
    },
  },
});
