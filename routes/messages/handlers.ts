import type { Hono } from "hono";
import { postMessage } from "../../db/messages/write.ts";
import { MESSAGE_STATUSES, type MessageStatus } from "../../db/messages/message.ts";
import { getMessage, listMessages } from "../../db/messages/read.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { invalidMember } from "../http/errors.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingId, existingKey, existingMessageId } from "../http/ids.ts";
import { queryCount, queryNumber, queryOf } from "../http/input/queries.ts";
import { LIMITS } from "../http/limits.ts";
import { large } from "../http/methods.ts";
import { checkSize, linkNext, readBody, reply, replyLarge, roomOf } from "../http/requests.ts";
import { serve } from "../openapi/operation.ts";
import type { Services } from "../services.ts";
import { MESSAGES } from "./operations.ts";

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
