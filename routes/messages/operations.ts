import { LIMITS } from "../http/limits.ts";
import { describe } from "../openapi/operation.ts";
import { flag, KEY, LIMIT, number, query } from "../openapi/parameters.ts";
import { MESSAGE_STATUSES } from "../../db/messages/message.ts";
import { messageAnswers, messageBodies, shownMessage } from "./schemas.ts";

export const MESSAGES = describe({
  bodies: messageBodies,
  answers: messageAnswers,
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
