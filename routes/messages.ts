import type { Hono } from "hono";
import { claimMessage, postMessage } from "../db/messages/write.ts";
import { getMessage, listMessages } from "../db/messages/read.ts";
import { invalidMember } from "./http/errors.ts";
import { answerOnce } from "./http/idempotency.ts";
import { existingId, existingKey, existingMessageId } from "./http/ids.ts";
import { queryCount, queryNumber, queryText } from "./http/input/queries.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { checkSize, linkNext, readBody, reply, replyLarge, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { flag, KEY, LIMIT, number, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const shown = {
  id: 4,
  room_id: "demo",
  from_agent: "alice",
  to_agent: null,
  kind: "task",
  body: { file: "a.ts" },
  created_at: EXAMPLE_TIME,
  reply_to: null,
  claimed_by: null,
  claimed_at: null,
};

const otherNameOf = (name: string) =>
  `Another name of \`${name}\`, as answers have it; not another value beside it`;

export const MESSAGES = describe({
  bodies: ({ z, absent, defaulting, id, key, value, about }) => ({
    MessageRequest: z.strictObject({
      from: absent(id).meta(about("Who sends; need not be registered")),
      to: absent(id).meta(about("Whom it is for: an address, not a lock")),
      kind: defaulting(key, "message"),
      body: value.meta(about(`Any JSON of at most ${LIMITS.valueBytes} bytes`)),
      reply_to: absent(z.int("must be a message's id, a whole number from 1 on").min(1))
        .meta(about("The id of the message of this room that is answered")),
      from_agent: absent(id).meta(about(otherNameOf("from"))),
      to_agent: absent(id).meta(about(otherNameOf("to"))),
    }),
    ClaimRequest: z.strictObject({ agent: id }),
  }),
  answers({ z, time, json, about }) {
    const Message = z.object({
      id: z.int().min(1).meta(about("The revision at which the message came")),
      room_id: z.string(),
      from_agent: z.string().nullable(),
      to_agent: z.string().nullable(),
      kind: z.string(),
      body: json,
      created_at: time,
      reply_to: z.int().min(1).nullable(),
      claimed_by: z.string().nullable(),
      claimed_at: time.nullable(),
    });
    return {
      Message,
      MessageList: z.array(Message),
      Claim: z.object({ claimed: z.literal(true), claimed_by: z.string(), message_id: z.int().min(1) }),
    };
  },
  operations: {
    "/rooms/{room}/messages": {
      get: {
        id: "listMessages",
        summary: "List messages, ids ascending",
        description:
          "Where there are more, `Link` says where the list goes on. What cannot exist matches nothing.",
        parameters: [
          query("after", "Only messages whose id is greater", number(0, { default: 0 })),
          query("from", "Only messages of this sender"),
          query("to", "Only messages to this receiver"),
          query("kind", "Only messages of this kind"),
          query("thread", "This message and every reply below it", number(0)),
          query("unclaimed", "`true`: only messages that nobody has claimed", flag),
          LIMIT,
          query(
            "last",
            `The newest that match, at most ${LIMITS.listLength}; \`limit\` is then ignored`,
            number(1),
          ),
        ],
        answers: { 200: "MessageList" },
        shown: [shown],
        headers: ["Link"],
      },
      post: {
        id: "postMessage",
        summary: "Post a message",
        description: "`to` is an address, not a lock: everyone in the room can read every message.",
        parameters: [KEY],
        body: "MessageRequest",
        example: { from: "alice", kind: "task", body: { file: "a.ts" } },
        answers: { 201: "Message" },
        shown,
        errors: ["message_not_found"],
      },
    },
    "/rooms/{room}/messages/{message}": {
      get: {
        id: "getMessage",
        summary: "Read a message",
        description: "As it stands: a claim shows in it.",
        answers: { 200: "Message" },
        shown,
        errors: ["message_not_found"],
      },
    },
    "/rooms/{room}/messages/{message}/claim": {
      post: {
        id: "claimMessage",
        summary: "Claim a message: exactly one agent ever gets it",
        description: "To claim what one has already is answered in the same way again.",
        parameters: [KEY],
        body: "ClaimRequest",
        example: { agent: "bob" },
        answers: { 200: "Claim" },
        shown: { claimed: true, claimed_by: "bob", message_id: 4 },
        errors: ["message_not_found", "already_claimed"],
      },
    },
  },
});

export function mountMessages(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  serve(app, MESSAGES, "/rooms/{room}/messages", {
    async POST(c) {
      const room = roomOf(c);
      const { kind = "message", body, reply_to, ...sent } = await readBody(c, MESSAGES, "MessageRequest");
      checkSize(body, "body");
      const [from, to] = [sameOf(sent, "from", "from_agent"), sameOf(sent, "to", "to_agent")];
      const message = { from, to, kind, body, reply_to };
      const operation = postMessage(database, room, message);
      return await answerOnce(c, services, room, operation, (posted) => reply(posted.id, posted, 201));
    },
    GET: large(async (c) => {
      const room = roomOf(c);
      const last = queryCount(c, "last");
      const limit = queryCount(c, "limit") ?? LIMITS.listDefault;
      const { messages, more, revision } = await listMessages(database, viewerOf(c), room, {
        after: queryNumber(c, "after"),
        thread: queryNumber(c, "thread"),
        kind: mapped(queryText(c, "kind"), existingKey),
        from: mapped(queryText(c, "from"), existingId),
        to: mapped(queryText(c, "to"), existingId),
        unclaimed: queryText(c, "unclaimed") === "true",
        newest: last !== undefined,
        limit: last ?? limit,
      });
      const cut = more && last === undefined;
      const next = cut ? linkNext(c, { after: String(messages.at(-1)!.id) }) : undefined;
      return await replyLarge(revision, messages, next);
    }),
  });

  serve(app, MESSAGES, "/rooms/{room}/messages/{message}", {
    async GET(c) {
      const id = existingMessageId(c.req.param("message")!);
      const { message, revision } = await getMessage(database, viewerOf(c), roomOf(c), id);
      return reply(revision, message);
    },
  });

  serve(app, MESSAGES, "/rooms/{room}/messages/{message}/claim", {
    async POST(c) {
      const room = roomOf(c);
      const message = existingMessageId(c.req.param("message")!);
      const { agent } = await readBody(c, MESSAGES, "ClaimRequest");
      const claim = { claimed: true, claimed_by: agent, message_id: message };
      const operation = claimMessage(database, room, message, agent);
      return await answerOnce(c, services, room, operation, ({ revision }) => reply(revision, claim));
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

function mapped(text: string | undefined, existing: (text: string) => string): string | undefined {
  return text === undefined ? undefined : existing(text);
}
