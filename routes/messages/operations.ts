import { LIMITS } from "../http/limits.ts";
import { describe } from "../openapi/operation.ts";
import { flag, KEY, LIMIT, number, query } from "../openapi/parameters.ts";
import { MESSAGE_STATUSES } from "../../db/messages/columns.ts";
import { messageAnswers, messageBodies, shownMessage } from "./schemas.ts";

export const MESSAGES = describe({
  bodies: messageBodies,
  answers: messageAnswers,
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
          query("status", "Only messages of this status", { type: "string", enum: [...MESSAGE_STATUSES] }),
          query("claimed_by", "Only messages that this agent has, or finished"),
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
          "`to` is an address, not a lock: everyone in the room can read every message. Where a need fails, so do " +
          "those that need it; with a need that has failed, it is born `failed`.",
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
        description: "As it stands: a claim shows in it.",
        answers: { 200: "Message" },
        shown: shownMessage,
        errors: ["message_not_found"],
      },
    },
  },
});
