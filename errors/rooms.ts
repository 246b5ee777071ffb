import { noneIn, type Row } from "./row.ts";

/** What makes room for more, where a room has the maximum number of something. */
const ROOM_FOR = {
  keys: "Delete keys that nobody needs, or use another room.",
  views: "Delete views that nobody needs, or use another room.",
  "private scopes": "They stay when their agents leave. Register without `private`, or use another room.",
  agents: "Let agents leave that are gone, or use another room.",
  reservations: "Release reservations that nobody needs, or wait until some have ended.",
  tokens: "Revoke tokens that nobody needs.",
  invitations: "Revoke invitations that nobody needs, or wait until some have ended.",
};

/** Errors of rooms, their agents and their messages. */
export const ROOMS = {
  room_not_found: {
    status: 404,
    cause: "There is no room with this id.",
    cure: "Create it with `POST /rooms`, or check the id. A locked one answers its own tokens alone.",
    say: (_: object) => ({
      message: "There is no room with this id.",
      hint: "Create it with POST /rooms, or check the id. A locked one answers its own tokens alone.",
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
      & (
        | {
          of:
            | "keys"
            | "private keys"
            | "private scopes"
            | "views"
            | "agents"
            | "reservations"
            | "tokens"
            | "invitations";
        }
        | { of: "needs" | "last_admin" }
        | { of: "bytes" | "globs"; bytes: number }
      )) => {
      if (full.of === "needs") {
        return {
          message: `At most ${full.max} unfinished tasks may be linked by needs.`,
          index,
          hint: "Finish some of them first, or name fewer needs.",
        };
      }
      if (full.of === "last_admin") {
        return {
          message: "This is the room's last admin token without an end.",
          index,
          hint: "Make another first: POST /rooms/:id/tokens with `role` admin, without a `ttl`.",
        };
      }
      if (full.of === "private keys") {
        return {
          message: `A private scope holds at most ${full.max} keys.`,
          index,
          hint: "Delete some of its keys first.",
        };
      }
      if (!("bytes" in full)) {
        return { message: `A room holds at most ${full.max} ${full.of}.`, index, hint: ROOM_FOR[full.of] };
      }
      return full.of === "globs"
        ? {
          message:
            `A room's reservations have globs of at most ${full.max} bytes in all; they would have ${full.bytes}.`,
          index,
          hint: "Reserve whole directories instead of many paths, or release reservations that nobody needs.",
        }
        : {
          message: `A room's views have at most ${full.max} bytes in all; they would have ${full.bytes}.`,
          index,
          hint: "Shorten or delete views first.",
        };
    },
  },
} satisfies Record<string, Row>;
