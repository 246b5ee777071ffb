import fc from "fast-check";
import { getMessage, listMessages, post } from "../reference/messages.ts";
import { messageId, type Room, type Which } from "../reference/room.ts";
import { command, limit, once, optional, query, revision, unkeyed, value, which } from "./command.ts";

export const kind = fc.constantFrom("message", "task");
/** Who sends and who is meant need not be registered. */
export const anybody = fc.constantFrom("ann", "bob", "eve");

/** What tasks need is mostly there. */
const nearby = fc.oneof(
  { weight: 9, arbitrary: fc.record({ nth: fc.nat(5) }) },
  { weight: 1, arbitrary: which },
);

const named = (room: Room | undefined, reply?: Which, needs?: Which[]) => ({
  ...(reply && { reply_to: messageId(room, reply) }),
  ...(needs && { needs: needs.map((which) => messageId(room, which)) }),
});

const writes = [
  command(
    "post",
    {
      from: optional(anybody),
      to: optional(anybody),
      kind: optional(kind),
      body: value,
      reply: optional(which, 2),
      needs: optional(fc.array(nearby, { maxLength: 3 })),
      max_attempts: optional(fc.constantFrom(1, 2), 2),
      once,
    },
    ({ reply, needs, ...message }, room) => ({
      method: "POST",
      path: "/messages",
      body: { ...unkeyed(message), ...named(room, reply, needs) },
    }),
    ({ reply, needs, ...message }, room) => post(room, { ...message, ...named(room, reply, needs) }),
  ),
];

const below = (room: Room | undefined, thread?: Which, reply?: Which) => ({
  thread: thread && messageId(room, thread),
  reply_to: reply && messageId(room, reply),
});

const reads = [
  command(
    "messages",
    {
      after: optional(revision, 3),
      kind: optional(kind, 3),
      from: optional(anybody, 3),
      to: optional(anybody, 3),
      thread: optional(which, 3),
      status: optional(fc.constantFrom("open", "blocked", "claimed", "done", "failed"), 3),
      claimed_by: optional(anybody, 5),
      reply: optional(which, 5),
      unclaimed: optional(fc.boolean(), 3),
      limit: optional(limit),
      last: optional(limit, 3),
    },
    ({ thread, reply, ...filter }, room) => ({
      method: "GET",
      path: `/messages${query({ ...filter, ...below(room, thread, reply) })}`,
    }),
    ({ thread, reply, unclaimed = false, ...filter }, room) =>
      listMessages(room, { ...filter, unclaimed, ...below(room, thread, reply) }),
  ),
  command(
    "message",
    { message: which },
    ({ message }, room) => ({ method: "GET", path: `/messages/${messageId(room, message)}` }),
    ({ message }, room) => getMessage(room, message),
  ),
];

export const messageCommands = { writes, reads };
