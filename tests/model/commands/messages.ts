import fc from "fast-check";
import { claim, getMessage, listMessages, post } from "../reference/messages.ts";
import { messageId } from "../reference/room.ts";
import { agent, command, limit, once, optional, query, revision, value, which } from "./command.ts";

const kind = fc.constantFrom("message", "task");
/** Who sends and who is meant need not be registered. */
const anybody = fc.constantFrom("ann", "bob", "eve");

const writes = [
  command(
    "post",
    {
      from: optional(anybody),
      to: optional(anybody),
      kind: optional(kind),
      body: value,
      reply: optional(which, 2),
      once,
    },
    ({ from, to, kind, body, reply }, room) => ({
      method: "POST",
      path: "/messages",
      body: { from, to, kind, body, ...(reply && { reply_to: messageId(room, reply) }) },
    }),
    ({ reply, once: _, ...message }, room) =>
      post(room, { ...message, ...(reply && { reply_to: messageId(room, reply) }) }),
  ),
  command(
    "claim",
    { message: which, agent, once },
    ({ message, agent }, room) => ({
      method: "POST",
      path: `/messages/${messageId(room, message)}/claim`,
      body: { agent },
    }),
    ({ message, agent }, room) => claim(room, message, agent),
  ),
];

const reads = [
  command(
    "messages",
    {
      after: optional(revision, 3),
      kind: optional(kind, 3),
      from: optional(anybody, 3),
      to: optional(anybody, 3),
      thread: optional(which, 3),
      unclaimed: optional(fc.boolean(), 3),
      limit: optional(limit),
      last: optional(limit, 3),
    },
    ({ thread, ...filter }, room) => ({
      method: "GET",
      path: `/messages${query({ ...filter, thread: thread && messageId(room, thread) })}`,
    }),
    ({ thread, unclaimed = false, ...filter }, room) =>
      listMessages(room, { ...filter, unclaimed, thread: thread && messageId(room, thread) }),
  ),
  command(
    "message",
    { message: which },
    ({ message }, room) => ({ method: "GET", path: `/messages/${messageId(room, message)}` }),
    ({ message }, room) => getMessage(room, message),
  ),
];

export const messageCommands = { writes, reads };
