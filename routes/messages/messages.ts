import type { Hono } from "hono";
import { STATUSES } from "../../db/agents/presence.ts";
import { MESSAGE_STATUSES, type MessageStatus, OPEN } from "../../db/messages/message.ts";
import { getMessage, listMessages } from "../../db/messages/read.ts";
import { postMessage } from "../../db/messages/write.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { invalidMember } from "../http/errors.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingId, existingKey, existingMessageId } from "../http/ids.ts";
import { queryCount, queryNumber, queryOf } from "../http/input/queries.ts";
import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { LIMITS } from "../http/limits.ts";
import { large } from "../http/methods.ts";
import { checkSize, linkNext, readBody, reply, replyLarge, roomOf } from "../http/requests.ts";
import { describe, serve } from "../openapi/operation.ts";
import { flag, KEY, LIMIT, number, query } from "../openapi/parameters.ts";
import type { Services } from "../services.ts";

export const shownMessage = {
  id: 4,
  room_id: "demo",
  from_agent: "alice",
  to_agent: null,
  verified: false,
  kind: "task",
  body: { file: "a.ts" },
  created_at: EXAMPLE_TIME,
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
          z.array(messageId).refine(
            (ids) => new Set(ids).size <= LIMITS.needs,
            `must name at most ${LIMITS.needs} messages`,
          ),
        ).describe(
          `Ids of at most ${LIMITS.needs} earlier messages: this one is \`blocked\` until all of them are \`done\``,
        ),
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
      fence: revision.nullable().describe("The revision at which the claim of `claimed_by` began"),
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

export function mountMessages(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  serve(app, services, MESSAGES, "/rooms/{room}/messages", {
    async POST(c) {
      const room = roomOf(c);
      const filled = ownMember(c, services, "from");
      const sent = await readBody(c, MESSAGES, "MessageRequest", { filled });
      checkSize(sent.body, "body");
      const [from, to] = [sameOf(sent, "from", "from_agent"), sameOf(sent, "to", "to_agent")];
      const message = { ...sent, from, to, kind: sent.kind ?? "message" };
      const operation = postMessage(database, room, message, LIMITS);
      return await answerOnce(c, services, room, operation, (posted) => reply(posted.id, posted, 201));
    },
    GET: large(async (c) => {
      const room = roomOf(c);
      const last = queryCount(c, "last");
      const limit = queryCount(c, "limit") ?? LIMITS.listDefault;
      const { kind, from, to, claimed_by, status, unclaimed } = queryOf(c);
      const { messages, more, revision } = await listMessages(database, viewerOf(c), room, {
        after: queryNumber(c, "after"),
        thread: queryNumber(c, "thread"),
        kind: kind && existingKey(kind),
        from: from && existingId(from),
        to: to && existingId(to),
        claimedBy: claimed_by && existingId(claimed_by),
        replyTo: queryNumber(c, "reply_to"),
        status: statusOf(status),
        unclaimed: unclaimed === "true",
        newest: last !== undefined,
        limit: last ?? limit,
      });
      const cut = more && last === undefined;
      const next = cut ? linkNext(c, { after: String(messages.at(-1)!.id) }) : undefined;
      return await replyLarge(c, revision, messages, next);
    }),
  });

  serve(app, services, MESSAGES, "/rooms/{room}/messages/{message}", {
    async GET(c) {
      const id = existingMessageId(c.req.param("message")!);
      const { message, revision } = await getMessage(database, viewerOf(c), roomOf(c), id);
      return reply(revision, message);
    },
  });
}

/** Reads a member that has two names. Errors: `invalid_request` if their values differ. */
function sameOf<Name extends string>(
  sent: Partial<Record<Name, string>>,
  name: Name,
  other: Name,
): string | undefined {
  if (sent[name] !== undefined && sent[other] !== undefined && sent[name] !== sent[other]) {
    throw invalidMember(
      [other],
      `${other} is another name of ${name}, and must be the same.`,
      "Send one of them.",
    );
  }
  return sent[name] ?? sent[other];
}

/** Errors: `invalid_request`. */
function statusOf(text: string | undefined): MessageStatus | undefined {
  if (text === undefined) return undefined;
  const status = MESSAGE_STATUSES.find((status) => status === text);
  if (status === undefined) {
    throw invalidMember(["status"], `status must be one of ${MESSAGE_STATUSES.join(", ")}.`);
  }
  return status;
}
