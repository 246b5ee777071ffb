import * as bodies from "../schemas.ts";
import { message } from "./examples.ts";
import { BODY, type Operations } from "./operation.ts";
import * as parameters from "./parameters.ts";

/** What agents say, and who takes it on. */
export const MESSAGE_OPERATIONS: Operations = {
  "/rooms/{room}/messages": {
    get: {
      id: "listMessages",
      summary: "List messages, ids ascending",
      description:
        "Where there are more, `Link` says where the list goes on. What cannot exist matches nothing.",
      parameters: parameters.MESSAGE_FILTERS,
      answers: { 200: "MessageList" },
      shown: [message],
      headers: ["Link"],
      errors: [],
    },
    post: {
      id: "postMessage",
      summary: "Post a message",
      description: "`to` is an address, not a lock: everyone in the room can read every message.",
      parameters: [parameters.KEY],
      body: ["MessageRequest", bodies.messageBody],
      example: { from: "alice", kind: "task", body: { file: "a.ts" } },
      answers: { 201: "Message" },
      shown: message,
      errors: [...BODY, "message_not_found"],
    },
  },
  "/rooms/{room}/messages/{message}": {
    get: {
      id: "getMessage",
      summary: "Read a message",
      description: "As it stands: a claim shows in it.",
      answers: { 200: "Message" },
      shown: message,
      errors: ["message_not_found"],
    },
  },
  "/rooms/{room}/messages/{message}/claim": {
    post: {
      id: "claimMessage",
      summary: "Claim a message: exactly one agent ever gets it",
      description: "To claim what one has already is answered in the same way again.",
      parameters: [parameters.KEY],
      body: ["ClaimRequest", bodies.claimBody],
      example: { agent: "bob" },
      answers: { 200: "Claim" },
      shown: { claimed: true, claimed_by: "bob", message_id: 4 },
      errors: [...BODY, "message_not_found", "already_claimed"],
    },
  },
};
