import { noneIn, type Row } from "./row.ts";

/** What a room has the maximum of: the message, in which `#` stands for the maximum, and the hint. */
const FULL = {
  keys: ["A room holds at most # keys.", "Delete keys that nobody needs, or use another room."],
  views: ["A room holds at most # views.", "Delete views that nobody needs, or use another room."],
  agents: ["A room holds at most # agents.", "Let agents leave that are gone, or use another room."],
  tokens: ["A room holds at most # tokens.", "Revoke tokens that nobody needs."],
  reservations: [
    "A room holds at most # reservations.",
    "Release reservations that nobody needs, or wait until some have ended.",
  ],
  invitations: [
    "A room holds at most # invitations.",
    "Revoke invitations that nobody needs, or wait until some have ended.",
  ],
  "private scopes": [
    "A room holds at most # private scopes.",
    "They stay when their agents leave. Register without `private`, or use another room.",
  ],
  "private keys": ["A private scope holds at most # keys.", "Delete some of its keys first."],
  "moved keys": [
    "A scope in which more than # keys were ever used cannot become private.",
    "Register under an id that nobody has used.",
  ],
  needs: [
    "At most # unfinished tasks may be linked by needs.",
    "Finish some of them first, or name fewer needs.",
  ],
  last_admin: [
    "This is the room's last admin token without an end.",
    "Make another first: POST /rooms/:id/tokens with `role` admin, without a `ttl`.",
  ],
} satisfies Record<string, [message: string, hint: string]>;

/** What is too long in total, and what makes it shorter. */
const TOO_LONG = {
  bytes: ["A room's views have", "Shorten or delete views first."],
  globs: [
    "A room's reservations have globs of",
    "Reserve whole directories instead of many paths, or release reservations that nobody needs.",
  ],
} satisfies Record<string, [what: string, hint: string]>;

/** Errors of rooms, their agents and their messages. */
export const ROOMS = {
  room_not_found: {
    status: 404,
    cause: "There is no room with this id.",
    cure:
      "Create it with `POST /rooms`, or check the id. A locked one needs a token of it: `Authorization: Bearer cvn_...`.",
    say: (_: object) => ({
      message: "There is no room with this id.",
      hint:
        "Create it with POST /rooms, or check the id. A locked one needs a token of it: `Authorization: Bearer cvn_...`.",
    }),
  },
  agent_not_found: {
    status: 404,
    cause: "No agent with this id is registered in the room, or it has left while it waited.",
    cure: "Register it with `POST /rooms/:id/agents`.",
    // `left`: while it waited for something. `agent` is "" if the caller's text cannot be an id.
    say: ({ agent, left = false }: { agent: string; left?: boolean }) => {
      const message = left
        ? `The agent ${JSON.stringify(agent)} has left this room, which ends its waits.`
        : `No agent ${JSON.stringify(agent)} is registered in this room.`;
      if (agent === "") {
        const hint =
          "An id has 1 to 128 characters, no control characters, and is neither `.` nor `..` nor only spaces.";
        return { message: noneIn("agent", agent), hint };
      }
      if (agent.startsWith("_")) return { message, hint: "The id of an agent does not begin with _." };
      return { message, hint: `Register it ${left ? "again" : "first"} with POST /rooms/:id/agents.` };
    },
  },
  message_not_found: {
    status: 404,
    cause: "The room has no message with this id.",
    cure: "Take the id from a message that you read in this room.",
    // 0 if the caller's text cannot be a message id.
    say: ({ message }: { message: number | string }) =>
      message === 0
        ? {
          message: "There is no such message in this room.",
          hint: "A message's id is a whole number from 1 on.",
        }
        : {
          message: `There is no message ${message} in this room.`,
          hint: "Take the id from a message that you read in this room: GET /rooms/:id/messages",
        },
  },
  room_exists: {
    status: 409,
    cause: "`locked` asks for a new room, and there is an open one with this id.",
    cure: "Take another id, or leave `id` out. Without `locked` you join the open one.",
    say: (_: object) => ({
      message: "There is an open room with this id, which cannot be locked.",
      hint: "Take another id, or leave it out; to join the open room, leave out locked.",
    }),
  },
  id_unavailable: {
    status: 409,
    cause: "No room can be made under this id.",
    cure:
      "If it is a locked room, show its token, or join by a code. Else take another id, or leave `id` out. The id of a room that was deleted is free again once its rows are removed: after a moment, of a large room after a minute or more.",
    say: (_: object) => ({
      message: "This id is not available.",
      hint: "If you mean a locked room, show its token, or join by a code: POST /join/:code. " +
        "Else take another id, or leave it out; the id of a room that was deleted is free again after a moment.",
    }),
  },
  agent_exists: {
    status: 409,
    cause:
      "The request has `if_new`, and an agent with this id exists; or it has `secure`, and somebody has acted under the id.",
    cure:
      "Take another id, or register without `if_new` if the agent is you. Whoever was invited by this id asks for a new invitation.",
    // `used`: the id cannot become secure, since somebody has acted under it. `invited`: an invitation names it.
    say: ({ agent, used, invited }: { agent: string; used?: true; invited?: boolean }) => ({
      message: used
        ? `Somebody has acted as ${JSON.stringify(agent)} in this room, registered or not.`
        : `An agent ${JSON.stringify(agent)} is registered in this room.`,
      hint: invited
        ? "Tell whoever invites you: they ask an admin of the room for a new invitation, or invite you by another id."
        : used
        ? "Take another id: one that was used becomes secure by an admin of the room only."
        : "Take another id, or register without if_new if this agent is you.",
    }),
  },
  limit_reached: {
    status: 409,
    cause:
      "The room has the maximum number of keys, views, agents, private scopes, reservations, tokens or invitations, its views or globs would be too long in total, or too many unfinished tasks would be linked by `needs`.",
    cure:
      "Delete keys and views, release reservations, finish tasks before posting more that need them, or use another room.",
    members: ["index?"],
    // `bytes`: the size that the views or the globs would have.
    say: ({ index, ...full }:
      & { index?: number; max: number }
      & ({ of: keyof typeof FULL } | { of: keyof typeof TOO_LONG; bytes: number })) => {
      if ("bytes" in full) {
        const [what, hint] = TOO_LONG[full.of];
        const message = `${what} at most ${full.max} bytes in all; they would have ${full.bytes}.`;
        return { message, index, hint };
      }
      const [message, hint] = FULL[full.of];
      return { message: message.replace("#", String(full.max)), index, hint };
    },
  },
} satisfies Record<string, Row>;
