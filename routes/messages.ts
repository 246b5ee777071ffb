import type { Hono } from "hono";
import { claimMessage, postMessage } from "../db/messages/write.ts";
import { getMessage, listMessages } from "../db/messages/read.ts";
import { invalidMember } from "./http/errors.ts";
import { answerOnce } from "./http/idempotency.ts";
import { existingId, existingKey, existingMessageId } from "./http/ids.ts";
import { LIMITS } from "./http/limits.ts";
import { large, resource } from "./http/methods.ts";
import { queryCount, queryNumber, queryText } from "./http/input/queries.ts";
import { checkSize, linkNext, readBody, reply, replyLarge, roomOf } from "./http/requests.ts";
import type { Services } from "./services.ts";

export function mountMessages(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  resource(app, "/rooms/:room/messages", {
    async POST(c) {
      const room = roomOf(c);
      const { kind = "message", body, reply_to, ...sent } = await readBody(c, "messageBody");
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
  }, { GET: ["after", "from", "to", "kind", "thread", "unclaimed", "limit", "last"] });

  resource(app, "/rooms/:room/messages/:message", {
    async GET(c) {
      const { message, revision } = await getMessage(
        database,
        viewerOf(c),
        roomOf(c),
        existingMessageId(c.req.param("message")!),
      );
      return reply(revision, message);
    },
  });

  resource(app, "/rooms/:room/messages/:message/claim", {
    async POST(c) {
      const room = roomOf(c);
      const message = existingMessageId(c.req.param("message")!);
      const { agent } = await readBody(c, "claimBody");
      const claim = { claimed: true, claimed_by: agent, message_id: message };
      const operation = claimMessage(database, room, message, agent);
      return await answerOnce(c, services, room, operation, ({ revision }) => reply(revision, claim));
    },
  });
}

/** A member that has two names. Errors: `invalid_request` where they hold different things. */
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
